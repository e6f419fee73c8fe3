"""Fixtures for all tests: a real Tryton is lent to whoever asks for it."""

pytest_plugins = ["tests.real.tryton.fixtures"]
