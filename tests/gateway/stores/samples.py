"""Samples for tests: an open store, and rows to put into it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from gateway.keys import tokens
from gateway.keys.tokens import TokenKind
from gateway.stores.rows import SYSTEM, ApiKey, Connection, Customer, new_id
from gateway.stores.sql import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = await Store.open(url)
    try:
        yield store
    finally:
        await store.close()


def connection_of(customer: Customer, **changes: object) -> Connection:
    connection = Connection(
        id=new_id("con"),
        customer_id=customer.id,
        name="SAP, plant 1",
        system="sap_s4hana",
        auth_method="basic",
        deployment="ON_PREMISES",
        environment="PRODUCTION",
        tags=("plant 1", "erp"),
        metadata={"cost center": 7, "none": None},
        settings={"timeZone": "Europe/Berlin"},
        base_url="https://sap.example",
        lifecycle="ENABLED",
        created_at=NOON,
        authorized_at=NOON,
    )
    return replace(connection, **changes)  # type: ignore[arg-type]


def key_of(connection: Connection, **changes: object) -> ApiKey:
    key = ApiKey(
        id=new_id("key"),
        kind=TokenKind.CONNECTION,
        name="the connection's",
        customer_id=connection.customer_id,
        connection_id=connection.id,
        scopes=("READ", "WRITE"),
        digest=tokens.digest(new_id("digest"), b"pepper"),
        preview="sgk_…abcd",
        created_at=NOON,
    )
    return replace(key, **changes)  # type: ignore[arg-type]


async def connected(store: Store, customer: Customer, **changes: object) -> tuple[Connection, ApiKey]:
    connection = connection_of(customer, **changes)
    key = key_of(connection)
    await store.lifecycle.connect(connection, "sealed", key, by=SYSTEM)
    return connection, key


async def end(store: Store, connection_id: str, reason: str | None, *, customer_id: str | None) -> Connection:
    return (await store.lifecycle.disconnect(connection_id, reason, customer_id=customer_id, by=SYSTEM)).connection
