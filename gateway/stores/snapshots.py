"""Reads what requests are served from: everything, or only what was changed since it was last read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncResult

from gateway.stores.changes import Changed, Changes
from gateway.stores.database import LONG_SECONDS, Database, Transaction, read_counter
from gateway.stores.mapping import api_key_from, connection_from, customer_from
from gateway.stores.rows import DISCONNECTED, Snapshot
from gateway.stores.states import States
from gateway.stores.tables import api_keys, connections, credentials, customers

_Row = TypeVar("_Row")
_AT_ONCE = 1_000
"""How many rows come at once, so that others have their turn between."""


@dataclass(frozen=True)
class Renewal:
    """A snapshot, and the connections that may differ from the one before; None where all may."""

    snapshot: Snapshot
    changed: frozenset[str] | None = None


class Snapshots:
    """Every method sees one picture of the database."""

    def __init__(self, database: Database, states: States, changes: Changes) -> None:
        self._database = database
        self._states = states
        self._changes = changes

    async def read(self) -> Snapshot:
        """Read everything."""
        async with self._database.reading(LONG_SECONDS) as transaction:
            return await self._read(transaction, await read_counter(transaction, "epoch"))

    async def renew(self, before: Snapshot) -> Renewal:
        """Read what was changed since `before`, or everything where that is not known."""
        async with self._database.reading() as transaction:
            epoch = await read_counter(transaction, "epoch")
            changed = await self._changes.between(transaction, before.epoch, epoch)
            part = await self._read(transaction, epoch, changed) if changed is not None else None
        if changed is None or part is None:
            return Renewal(await self.read())
        touched = changed[Changed.CONNECTION]
        gone = _digests(before, touched, changed[Changed.API_KEY])
        renewed = Snapshot(
            epoch=epoch,
            customers={**before.customers, **part.customers},
            connections=_replaced(before.connections, touched, part.connections),
            keys=_replaced(before.keys, gone, part.keys),
            sealed=_replaced(before.sealed, touched, part.sealed),
            states=_replaced(before.states, touched, part.states),
        )
        keys = (*part.keys.values(), *(before.keys[digest] for digest in gone))
        return Renewal(renewed, touched | {key.connection_id for key in keys if key.connection_id is not None})

    async def _read(
        self, transaction: Transaction, epoch: int, only: Mapping[Changed, frozenset[str]] | None = None
    ) -> Snapshot:
        """Read everything, or `only` what has these keys, and the keys of these connections."""
        owners, live = select(customers), select(connections).where(connections.c.lifecycle != DISCONNECTED)
        valid = select(api_keys).where(api_keys.c.revoked_at.is_(None))
        sealed = select(credentials.c.connection_id, credentials.c.sealed)
        touched = None
        if only is not None:
            touched = only[Changed.CONNECTION]
            owners = owners.where(customers.c.id.in_(only[Changed.CUSTOMER]))
            live = live.where(connections.c.id.in_(touched))
            valid = valid.where(or_(api_keys.c.id.in_(only[Changed.API_KEY]), api_keys.c.connection_id.in_(touched)))
            sealed = sealed.where(credentials.c.connection_id.in_(touched))
        return Snapshot(
            epoch=epoch,
            customers={row.id: customer_from(row) async for row in await _stream(transaction, owners)},
            connections={row.id: connection_from(row) async for row in await _stream(transaction, live)},
            keys={row.digest: api_key_from(row) async for row in await _stream(transaction, valid)},
            sealed={row.connection_id: row.sealed async for row in await _stream(transaction, sealed)},
            states=await self._states.within(transaction, touched),
        )


async def _stream(transaction: Transaction, query: Select[*tuple[Any, ...]]) -> AsyncResult[*tuple[Any, ...]]:
    return await transaction.stream(query, execution_options={"yield_per": _AT_ONCE})


def _digests(before: Snapshot, touched: Collection[str], key_ids: Collection[str]) -> frozenset[str]:
    """The digests of known keys that may have changed."""
    return frozenset(digest for digest, key in before.keys.items() if key.id in key_ids or key.connection_id in touched)


def _replaced(before: Mapping[str, _Row], keys: Collection[str], now: Mapping[str, _Row]) -> dict[str, _Row]:
    """Rows without those of these keys, and with what there is of them now."""
    kept = dict(before)
    for key in keys:
        kept.pop(key, None)
    kept.update(now)
    return kept
