"""Reads what requests are served from: everything, or only what was changed since it was last read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, or_, select, true

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
        async with self._database.reading(LONG_SECONDS) as transaction:
            # First: if anything changes while the rest is read, the snapshot must look too old, not too new.
            epoch = await read_counter(transaction, "epoch")
            changed = await self._changes.between(transaction, before.epoch, epoch)
            if changed is None:
                return Renewal(await self._read(transaction, epoch))
            touched = changed[Changed.CONNECTION]
            part = await self._read(
                transaction,
                epoch,
                of_customers=customers.c.id.in_(changed[Changed.CUSTOMER]),
                of_connections=connections.c.id.in_(touched),
                of_keys=or_(api_keys.c.id.in_(changed[Changed.API_KEY]), api_keys.c.connection_id.in_(touched)),
                of_sealed=credentials.c.connection_id.in_(touched),
                touched=touched,
            )
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
        self,
        transaction: Transaction,
        epoch: int,
        *,
        of_customers: ColumnElement[bool] = true(),
        of_connections: ColumnElement[bool] = true(),
        of_keys: ColumnElement[bool] = true(),
        of_sealed: ColumnElement[bool] = true(),
        touched: Collection[str] | None = None,
    ) -> Snapshot:
        async def rows(query: Any) -> list[Any]:
            found = await transaction.stream(query, execution_options={"yield_per": _AT_ONCE})
            return [row async for row in found]

        live = connections.c.lifecycle != DISCONNECTED
        valid = api_keys.c.revoked_at.is_(None)
        return Snapshot(
            epoch=epoch,
            customers={row.id: customer_from(row) for row in await rows(select(customers).where(of_customers))},
            connections={
                row.id: connection_from(row) for row in await rows(select(connections).where(live, of_connections))
            },
            keys={row.digest: api_key_from(row) for row in await rows(select(api_keys).where(valid, of_keys))},
            sealed={
                row.connection_id: row.sealed
                for row in await rows(select(credentials.c.connection_id, credentials.c.sealed).where(of_sealed))
            },
            states=await self._states.within(transaction, touched),
        )


def _digests(before: Snapshot, touched: Collection[str], key_ids: Collection[str]) -> frozenset[str]:
    """The digests of known keys that may have changed."""
    return frozenset(
        digest for digest, key in before.keys.items() if key.id in key_ids or key.connection_id in touched
    )


def _replaced(before: Mapping[str, _Row], keys: Collection[str], now: Mapping[str, _Row]) -> dict[str, _Row]:
    """Rows without those of these keys, and with what there is of them now."""
    kept = dict(before)
    for key in keys:
        kept.pop(key, None)
    kept.update(now)
    return kept
