"""The command `switchgear audit`: who has done what, as lines of JSON."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import click

from gateway.settings import Settings, SettingsError, load
from gateway.stores.errors import StoreError
from gateway.stores.rows import AuditEntry
from gateway.stores.sql import Store

_PAGE = 500


@click.command()
@click.option("--customer", "customer_id", help="Only of this customer, by id.")
@click.option("--connection", "connection_id", help="Only of this connection, by id.")
@click.option("--since", type=click.DateTime(), help="Only from this moment on, in UTC.")
@click.option("--first", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many lines.")
@click.option("--all", "is_whole", is_flag=True, help="Every line there is.")
def audit(
    customer_id: str | None, connection_id: str | None, since: datetime | None, first: int, is_whole: bool
) -> None:
    """Print who has done what, the latest first; it also works while the gateway does not run."""
    try:
        settings = load()
        asyncio.run(_print(settings, customer_id, connection_id, since, None if is_whole else first))
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from None


async def _print(
    settings: Settings, customer_id: str | None, connection_id: str | None, since: datetime | None, most: int | None
) -> None:
    store = await Store.open(settings.store_url)
    try:
        printed = 0
        async for entry in _entries(store, customer_id, connection_id):
            if printed == most or (since is not None and entry.at < since.replace(tzinfo=UTC)):
                return
            click.echo(_line(entry))
            printed += 1
    finally:
        await store.close()


async def _entries(store: Store, customer_id: str | None, connection_id: str | None) -> AsyncIterator[AuditEntry]:
    before: str | None = None
    while True:
        page = await store.audit.page(first=_PAGE, before=before, customer_id=customer_id, connection_id=connection_id)
        for entry in page:
            yield entry
        if len(page) < _PAGE:
            return
        before = page[-1].id


def _line(entry: AuditEntry) -> str:
    told = {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "action": entry.action,
        "actor": {"id": entry.actor_id, "kind": entry.actor_kind},
        "customerId": entry.customer_id,
        "connectionId": entry.connection_id,
        "requestId": entry.request_id,
        "details": entry.details,
    }
    return json.dumps(told, ensure_ascii=False)
