"""Arize Phoenix, which receives traces over OTLP and shows them; installed from its recipe here."""
