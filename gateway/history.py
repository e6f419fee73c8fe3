"""What has happened to connections and to credits, as one caller may see it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import strawberry

from gateway.keys import tokens
from gateway.serving.auth import Caller
from gateway.showing import is_told, show_event
from gateway.stores import rows
from gateway.stores.events import Among, EventQuery
from gateway.stores.sql import Store
from gateway.views import CallerView
from schema.connections import ConnectedSystem
from schema.credits import CreditLedgerEntry, CreditLedgerEntryConnection, CreditLedgerEntryKind, CreditPool
from schema.errors import ErrorCode, failure
from schema.event_pages import EventConnection
from schema.events import Event, EventType
from schema.filters import Condition, Operator, Tree, conditions
from schema.pages import checked_first, page_of_part, read_row_cursor

POOL_ID = "crp_1"
_MOMENT = timedelta(microseconds=1)


@dataclass(eq=False)
class CallerHistory:
    """The history that a caller's key reaches; the credits are the operator's business alone."""

    caller: Caller
    view: CallerView
    store: Store

    async def events(
        self, tree: Tree, first: int | None, after: str | None, connection: ConnectedSystem | None = None
    ) -> Any:
        """A page of events, the latest first: those that a filter finds, or those of one connection."""
        size, before = checked_first(first), None
        if after is not None:
            before = rows.event_number(read_row_cursor(after))
            if before is None:
                raise failure(ErrorCode.INVALID_CURSOR, "The cursor is not one of ours.", field="after")
        query = self._narrowed(tree, connection)
        found = await self.store.events.page(first=size + 1, before=before, where=query) if query is not None else []
        return page_of_part(EventConnection, await self._shown(found, connection), size, after)

    async def event(self, event_id: str) -> Event | None:
        """An event by id."""
        number = rows.event_number(event_id)
        found = await self.store.events.find(number) if number is not None else None
        if found is None or not is_told(found) or not self.caller.sees(found.customer_id, found.connection_id):
            return None
        return (await self._shown([found], None))[0]

    async def _shown(self, found: Collection[rows.Event], connection: ConnectedSystem | None) -> list[Event]:
        if connection is not None:
            return [show_event(row, connection) for row in found]
        known = await self.view.several({row.connection_id for row in found if row.connection_id is not None})
        return [show_event(row, known.get(row.connection_id or "")) for row in found]

    def _narrowed(self, tree: Tree, connection: ConnectedSystem | None) -> EventQuery | None:
        """What to look for among what the key reaches; None where nothing can be found."""
        given = list(conditions(tree))
        types = _values(given, "type", [item.name for item in EventType])
        key = self.caller.key
        own = connection.id if connection is not None else key.connection_id
        connection_ids = _values(given, "connectionId", [str(own)] if own is not None else None)
        customer_ids = _values(given, "customerId", [key.customer_id] if key.customer_id is not None else None)
        chosen = (types, connection_ids, customer_ids)
        if any(among is not None and not among.values and not among.excluded for among in chosen):
            return None
        since, until = _bounds(given)
        return EventQuery(
            types=types, connection_ids=connection_ids, customer_ids=customer_ids, since=since, until=until
        )

    async def credit_pool(self) -> CreditPool:
        """The credits; only an operator may see them."""
        self._require_operator()
        pool = await self.store.credits.pool()
        return CreditPool(
            id=strawberry.ID(POOL_ID),
            is_unlimited=pool.granted is None,
            granted=pool.granted,
            used=pool.used,
            balance=pool.balance,
        )

    async def ledger(self, first: int | None, after: str | None) -> Any:
        """A page of the ledger, the latest entry first."""
        self._require_operator()
        size, before = checked_first(first), None
        if after is not None:
            before = rows.entry_number(read_row_cursor(after))
            if before is None:
                raise failure(ErrorCode.INVALID_CURSOR, "The cursor is not one of ours.", field="after")
        found = await self.store.credits.ledger(first=size + 1, before=before)
        return page_of_part(CreditLedgerEntryConnection, await self._shown_entries(found), size, after)

    async def entry(self, entry_id: str) -> CreditLedgerEntry | None:
        """An entry of the ledger by id; null for whoever is no operator."""
        number = rows.entry_number(entry_id)
        if number is None or not self._is_operator:
            return None
        found = await self.store.credits.find(number)
        return None if found is None else (await self._shown_entries([found]))[0]

    async def pool_node(self) -> CreditPool | None:
        """The credits as a node; null for whoever is no operator."""
        return await self.credit_pool() if self._is_operator else None

    async def _shown_entries(self, found: Collection[rows.CreditEntry]) -> list[CreditLedgerEntry]:
        known = await self.view.several({row.connection_id for row in found if row.connection_id is not None})
        return [
            CreditLedgerEntry(
                id=strawberry.ID(row.id),
                kind=CreditLedgerEntryKind[row.kind],
                amount=row.amount,
                balance_after=row.balance_after,
                connection=known.get(row.connection_id or ""),
                actor=row.actor,
                created_at=row.created_at,
            )
            for row in found
        ]

    @property
    def _is_operator(self) -> bool:
        return self.caller.key.kind is tokens.TokenKind.ADMIN

    def _require_operator(self) -> None:
        if not self._is_operator:
            raise failure(ErrorCode.FORBIDDEN, "Only the admin token can see the credits.")


def _values(given: list[Condition], path: str, known: list[str] | None) -> Among | None:
    """The values that all conditions on a path allow, of the `known` ones or of any; None allows every one."""
    allowed, refused = None if known is None else set(known), set()
    for condition in given:
        if condition.path != path:
            continue
        words = {getattr(item, "name", item) for item in _listed(condition.value)}
        match condition.operator:
            case Operator.EQ | Operator.IN:
                allowed = words if allowed is None else allowed & words
            case Operator.NE | Operator.NOT_IN:
                refused |= words
            case Operator.IS_NULL if condition.value:
                allowed = set()
    if allowed is not None:
        return Among(sorted(allowed - refused))
    return Among(sorted(refused), excluded=True) if refused else None


def _listed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _bounds(given: list[Condition]) -> tuple[datetime | None, datetime | None]:
    """From when on, and until before when, events are looked for."""
    since, until = [], []
    for condition in given:
        if condition.path != "occurredAt":
            continue
        value = condition.value
        match condition.operator:
            case Operator.GTE:
                since.append(value)
            case Operator.GT:
                since.append(value + _MOMENT)
            case Operator.LT:
                until.append(value)
            case Operator.LTE:
                until.append(value + _MOMENT)
            case Operator.EQ:
                since.append(value)
                until.append(value + _MOMENT)
            case other:
                raise failure(
                    ErrorCode.VALIDATION_FAILED,
                    f"Events are found by a time's bounds; `{other.word}` is not offered here.",
                    field=f"filter.occurredAt.{other.word}",
                )
    return max(since, default=None), min(until, default=None)
