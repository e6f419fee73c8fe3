"""Servers that tests run against: PostgreSQL."""
