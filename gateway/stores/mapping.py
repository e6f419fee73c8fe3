"""Between the rows of tables and values."""

from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Row, Table

from gateway.keys.tokens import TokenKind
from gateway.stores.rows import ApiKey, Connection, Customer, State


def values_of(row: Customer | Connection | ApiKey | State) -> dict[str, Any]:
    """Return what to write into a table; nothing inside is taken apart."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


def customer_from(row: Row[*tuple[Any, ...]]) -> Customer:
    """Read a customer."""
    return Customer(**row._mapping)


def connection_from(row: Row[*tuple[Any, ...]]) -> Connection:
    """Read a connection."""
    return Connection(**{**row._mapping, "tags": tuple(row.tags)})


def api_key_from(row: Row[*tuple[Any, ...]]) -> ApiKey:
    """Read a key."""
    return ApiKey(**{**row._mapping, "kind": TokenKind(row.kind), "scopes": tuple(row.scopes)})


def of_customer(table: Table, customer_id: str | None) -> list[ColumnElement[bool]]:
    """Restrict a statement to one customer's rows; the operator's are not restricted."""
    return [] if customer_id is None else [table.c.customer_id == customer_id]
