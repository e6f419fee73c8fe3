"""What changes the life of a connection, each in one transaction with its state, credits, event and audit line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.stores.audit import Audit
from gateway.stores.changes import Changed, Changes
from gateway.stores.credits import Credits
from gateway.stores.database import Database, Transaction
from gateway.stores.due import Due
from gateway.stores.errors import Missing, WrongLifecycle
from gateway.stores.events import Events
from gateway.stores.mapping import connection_from, of_customer, values_of
from gateway.stores.rows import (
    DISCONNECTED,
    ENABLED,
    OK,
    PAUSED,
    PENDING_AUTH,
    UNKNOWN,
    VALIDATING,
    Actor,
    ApiKey,
    Checked,
    Connection,
    NewEvent,
    NewSession,
    NewWork,
    Reason,
    Standing,
    State,
)
from gateway.stores.sessions import Sessions
from gateway.stores.states import States
from gateway.stores.tables import api_keys, connection_schemas, connections, credentials

_OTHERS_KEPT = frozenset({"name", "tags", "metadata", "settings"})


class Disconnected(NamedTuple):
    """A connection that has ended, and the credits that went back to the pool."""

    connection: Connection
    credits_returned: int


class Resealed(NamedTuple):
    """What is sealed from now on, and when that expires."""

    sealed: str
    expires_at: datetime | None


Reseal = Callable[[Connection, str], Resealed]
"""Makes what is sealed from now on, from the connection as it was and from what was sealed."""


class Lifecycle:
    """The life of connections.

    Each method raises the epoch. The state's version rises too, so that no change of the state that was
    decided before comes after it. A `session` is what the check has logged in with; it ends with the credentials.
    `customer_id` narrows to one customer, None sees all; an unknown connection
    is Missing, one that is at the wrong place in its life is WrongLifecycle. `due` is work that begins with
    the change; where its key is the connection's id, it ends with a pause or a disconnect.
    """

    def __init__(
        self,
        database: Database,
        states: States,
        events: Events,
        credit: Credits,
        audit: Audit,
        due: Due,
        sessions: Sessions,
        changes: Changes,
    ) -> None:
        self._database = database
        self._states = states
        self._events = events
        self._credits = credit
        self._audit = audit
        self._due = due
        self._sessions = sessions
        self._changes = changes

    async def connect(
        self,
        connection: Connection,
        sealed: str,
        key: ApiKey,
        *,
        by: Actor,
        cost: int = 0,
        checked: Checked | None = None,
        session: NewSession | None = None,
        due: Sequence[NewWork] = (),
    ) -> None:
        """Add a connection with its sealed credentials and its API key, all or nothing.

        Its health is OK if the credentials were `checked`, else unknown. An unknown customer is Missing, and
        too small a pool of credits is InsufficientCredits.
        """
        if (key.customer_id, key.connection_id) != (connection.customer_id, connection.id):
            raise ValueError("the key is not for this connection")
        async with self._database.changing() as transaction:
            try:
                await transaction.execute(insert(connections).values(values_of(connection)))
            except IntegrityError:
                raise Missing("customer") from None
            await self._changes.note(transaction, Changed.CONNECTION, connection.id)
            await transaction.execute(insert(credentials).values(connection_id=connection.id, sealed=sealed))
            await self._sessions.replace(transaction, connection.id, session)
            await transaction.execute(insert(api_keys).values(values_of(key)))
            await self._begin(transaction, due)
            await self._credits.take(transaction, cost, connection.id, by)
            state = _checked(_unknown(connection), checked)
            await self._states.add(transaction, state)
            await self._note(transaction, by, "connection.connect", connection, {"credits": cost})
            if connection.lifecycle == ENABLED:
                # The check came before; whoever follows events sees it pass all the same.
                begun = Standing.of(VALIDATING, UNKNOWN)
                await self._tell(transaction, "CONNECTION_CREATED", by, state, current=begun)
                await self._tell(transaction, "CONNECTION_ACTIVATED", by, state, previous=begun)
            else:
                await self._tell(transaction, "CONNECTION_CREATED", by, state)

    async def pause(self, connection_id: str, reason: str | None, *, customer_id: str | None, by: Actor) -> Connection:
        """Stop the use of a connection that is enabled; for one that is paused, nothing changes."""
        async with self._database.changing() as transaction:
            connection = await self._locked(transaction, connection_id, customer_id)
            if connection.lifecycle == PAUSED:
                return connection
            _require(connection, ENABLED)
            now = datetime.now(UTC)
            paused = await _keep(transaction, replace(connection, lifecycle=PAUSED, paused_at=now, pause_reason=reason))
            await self._due.cancel(transaction, connection_id)
            why = Reason(code="PAUSED_BY_USER", message=reason or "Someone paused it.", since=now)
            await self._note(transaction, by, "connection.pause", paused, {"reason": reason})
            await self._turn(transaction, "CONNECTION_PAUSED", by, connection, reason=why)
        return paused

    async def resume(
        self, connection_id: str, *, customer_id: str | None, by: Actor, due: Sequence[NewWork] = ()
    ) -> Connection:
        """End a pause; the health is what it was before. For a connection that is enabled, nothing changes."""
        async with self._database.changing() as transaction:
            connection = await self._locked(transaction, connection_id, customer_id)
            if connection.lifecycle == ENABLED:
                return connection
            _require(connection, PAUSED)
            resumed = await _keep(
                transaction, replace(connection, lifecycle=ENABLED, paused_at=None, pause_reason=None)
            )
            await self._begin(transaction, due)
            await self._note(transaction, by, "connection.resume", resumed)
            await self._turn(transaction, "CONNECTION_RESUMED", by, connection)
        return resumed

    async def reconnect(
        self,
        connection_id: str,
        reseal: Callable[[str], str],
        *,
        customer_id: str | None,
        by: Actor,
        checked: Checked,
        session: NewSession | None = None,
        key: ApiKey | None = None,
        changes: Mapping[str, Any] | None = None,
        due: Sequence[NewWork] = (),
    ) -> Connection:
        """Give a connection new credentials, which were `checked`, and a new API token in place of all it has.

        `reseal` makes the sealed text from the present one. Without a `key` its tokens stay. `changes` are new values
        of `auth_method`, `base_url` and `settings`. What was not enabled yet is enabled, what is paused stays so.
        """
        async with self._database.changing() as transaction:
            connection = await self._locked(transaction, connection_id, customer_id)
            _require(connection, PENDING_AUTH, VALIDATING, ENABLED, PAUSED)
            lifecycle = PAUSED if connection.lifecycle == PAUSED else ENABLED
            renewed = replace(connection, lifecycle=lifecycle, authorized_at=checked.at, **(changes or {}))
            await _keep(transaction, renewed)
            await _seal(transaction, connection_id, reseal(await _sealed(transaction, connection_id)))
            await self._sessions.replace(transaction, connection_id, session)
            if key is not None:
                await _revoke_keys(transaction, connection_id)
                await transaction.execute(insert(api_keys).values(values_of(key)))
            await self._begin(transaction, due)
            data = {"isTokenKept": key is None}
            await self._note(transaction, by, "connection.reconnect", renewed, data)
            await self._turn(transaction, "CONNECTION_REAUTHORIZED", by, connection, checked=checked, data=data)
        return renewed

    async def update(
        self,
        connection_id: str,
        change: Callable[[Connection], Connection],
        *,
        customer_id: str | None,
        by: Actor,
        account: Callable[[Connection], str | None] = lambda connection: None,
        reseal: Reseal | None = None,
        due: Sequence[NewWork] = (),
    ) -> Connection:
        """Change name, tags, metadata and settings as `change` says, which sees the present ones.

        `account` tells to which account it belongs from then on; None leaves what is kept. `reseal` changes what is
        secret of the settings with them.
        """
        async with self._database.changing() as transaction:
            connection = await self._locked(transaction, connection_id, customer_id)
            _require(connection, PENDING_AUTH, VALIDATING, ENABLED, PAUSED)
            changed = change(connection)
            before, after = values_of(connection), values_of(changed)
            names = sorted(name for name in before if before[name] != after[name])
            if not _OTHERS_KEPT.issuperset(names):
                raise ValueError(f"an update cannot change {', '.join(names)}")
            await _keep(transaction, changed)
            resealed = None
            if reseal is not None:
                names.append("secrets")
                resealed = reseal(connection, await _sealed(transaction, connection_id))
                await _seal(transaction, connection_id, resealed.sealed)
                await self._sessions.forgive(transaction, connection_id)
            if changed.lifecycle == ENABLED:
                await self._begin(transaction, due)
            await self._note(transaction, by, "connection.update", changed, {"changed": names})
            state = await self._states.lock(transaction, connection_id)
            known = replace(state, account=account(changed) or state.account)
            if resealed is not None:
                known = replace(known, credential_expires_at=resealed.expires_at)
            if resealed is not None or known != state:
                await self._states.change(transaction, known)
        return changed

    async def disconnect(
        self, connection_id: str, reason: str | None, *, customer_id: str | None, by: Actor
    ) -> Disconnected:
        """End a connection: its keys are revoked, its credentials deleted, its credits returned.

        A second time changes nothing.
        """
        async with self._database.changing() as transaction:
            connection = await self._locked(transaction, connection_id, customer_id)
            if connection.lifecycle == DISCONNECTED:
                return Disconnected(connection, 0)
            now = await _revoke_keys(transaction, connection_id)
            ended = await _keep(
                transaction,
                replace(connection, lifecycle=DISCONNECTED, disconnected_at=now, disconnect_reason=reason),
            )
            await transaction.execute(delete(credentials).where(credentials.c.connection_id == connection_id))
            await self._sessions.replace(transaction, connection_id, None)
            await self._due.cancel(transaction, connection_id)
            kept = connection_schemas.c.connection_id == connection_id
            await transaction.execute(delete(connection_schemas).where(kept))
            returned = await self._credits.give_back(transaction, connection_id, by)
            why = Reason(code="DISCONNECTED_BY_USER", message=reason or "Someone disconnected it.", since=now)
            data = {"creditsReturned": returned}
            await self._note(transaction, by, "connection.disconnect", ended, {"reason": reason, **data})
            await self._turn(transaction, "CONNECTION_DISCONNECTED", by, connection, reason=why, data=data)
        return Disconnected(ended, returned)

    async def delete_data(self, connection_id: str, *, customer_id: str | None, by: Actor) -> Connection:
        """Note that what was kept of a disconnected connection's records is deleted."""
        async with self._database.changing() as transaction:
            connection = await self._locked(transaction, connection_id, customer_id)
            _require(connection, DISCONNECTED)
            data = {"recordsDeleted": 0}
            await self._note(transaction, by, "connection.delete_data", connection, data)
            await self._turn(transaction, "CONNECTION_DATA_DELETED", by, connection, data=data)
        return connection

    async def _locked(self, transaction: Transaction, connection_id: str, customer_id: str | None) -> Connection:
        """Read a connection that is to be changed; nobody else changes it before the transaction ends."""
        query = select(connections).where(connections.c.id == connection_id, *of_customer(connections, customer_id))
        row = (await transaction.execute(query.with_for_update())).one_or_none()
        if row is None:
            raise Missing("connection")
        await self._changes.note(transaction, Changed.CONNECTION, connection_id)
        return connection_from(row)

    async def _begin(self, transaction: Transaction, due: Sequence[NewWork]) -> None:
        for work in due:
            await self._due.schedule(transaction, work)

    async def _note(
        self, transaction: Transaction, by: Actor, action: str, connection: Connection, details: Any = None
    ) -> None:
        of = {"customer_id": connection.customer_id, "connection_id": connection.id}
        await self._audit.append(transaction, by, action, details=details, **of)

    async def _turn(
        self,
        transaction: Transaction,
        event_type: str,
        by: Actor,
        before: Connection,
        *,
        checked: Checked | None = None,
        reason: Reason | None = None,
        data: Any = None,
    ) -> None:
        """Raise the state's version after the connection was changed, and tell of it."""
        state = await self._states.lock(transaction, before.id)
        await self._states.change(transaction, _checked(state, checked))
        previous = Standing.of(before.lifecycle, state.health)
        await self._tell(
            transaction, event_type, by, _checked(state, checked), previous=previous, reason=reason, data=data
        )

    async def _tell(
        self,
        transaction: Transaction,
        event_type: str,
        by: Actor,
        state: State,
        *,
        previous: Standing | None = None,
        current: Standing | None = None,
        reason: Reason | None = None,
        data: Any = None,
    ) -> None:
        event = NewEvent(
            type=event_type,
            occurred_at=datetime.now(UTC),
            customer_id=state.customer_id,
            connection_id=state.connection_id,
            system=state.system,
            previous=previous,
            current=current or state.standing,
            reason=reason,
            request_id=by.request_id,
            data=data,
        )
        await self._events.append(transaction, event)


async def _keep(transaction: Transaction, connection: Connection) -> Connection:
    values = values_of(connection)
    await transaction.execute(update(connections).where(connections.c.id == connection.id).values(values))
    return connection


async def _sealed(transaction: Transaction, connection_id: str) -> str:
    query = select(credentials.c.sealed).where(credentials.c.connection_id == connection_id)
    return str((await transaction.execute(query)).scalar_one())


async def _seal(transaction: Transaction, connection_id: str, sealed: str) -> None:
    mine = credentials.c.connection_id == connection_id
    await transaction.execute(update(credentials).where(mine).values(sealed=sealed))


async def _revoke_keys(transaction: Transaction, connection_id: str) -> datetime:
    now = datetime.now(UTC)
    valid = (api_keys.c.connection_id == connection_id, api_keys.c.revoked_at.is_(None))
    await transaction.execute(update(api_keys).where(*valid).values(revoked_at=now))
    return now


def _require(connection: Connection, *lifecycles: str) -> None:
    if connection.lifecycle not in lifecycles:
        raise WrongLifecycle(connection.lifecycle)


def _unknown(connection: Connection) -> State:
    return State(
        connection_id=connection.id,
        customer_id=connection.customer_id,
        system=connection.system,
        lifecycle=connection.lifecycle,
        version=0,
        sequence=0,
        updated_at=connection.created_at,
    )


def _checked(state: State, checked: Checked | None) -> State:
    """Begin well after a check, and forget what was before; nothing changes without one."""
    if checked is None:
        return state
    return State(
        connection_id=state.connection_id,
        customer_id=state.customer_id,
        system=state.system,
        lifecycle=state.lifecycle,
        version=state.version,
        sequence=state.sequence,
        health=OK,
        credential_expires_at=checked.credential_expires_at,
        entity_health=checked.entity_health,
        account=checked.account,
        last_success_at=checked.at,
        last_failure_at=state.last_failure_at,
        updated_at=checked.at,
    )
