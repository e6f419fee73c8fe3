"""What callers do with a connection that there is: new credentials, tests, pauses, its end."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.registry import find_system
from connectors.spec import System
from gateway.connecting.accounts import account_of
from gateway.connecting.credentials import connection_key, examine_credentials
from gateway.connecting.expiry import check_expiry, credentials_expire_at
from gateway.connecting.forms import Refused, check_text, choose_login, read_answers
from gateway.connecting.refusals import concerning, no_connection, refusal_of
from gateway.directory import Directory
from gateway.keys import tokens
from gateway.keys.keyring import Keyring, SealBroken
from gateway.keys.sealed import Sealed
from gateway.outgoing.sessions import seal_session
from gateway.serving.auth import Caller
from gateway.stores import rows
from gateway.stores.errors import Missing, WrongLifecycle
from gateway.watching.drifting import work_of
from gateway.watching.probing import Pace
from schema import absent
from schema.checks import ConnectionCheck
from schema.connections import ConnectedSystem
from schema.errors import AccountMismatch, ConnectionUnavailable, ErrorCode, MutationError, refusal
from schema.lifecycle import (
    DeleteConnectionDataPayload,
    DisconnectSystemPayload,
    PauseConnectionPayload,
    ReconnectSystemInput,
    ReconnectSystemPayload,
    ResumeConnectionPayload,
    TestConnectionPayload,
)

Forget = Callable[[str, str], Awaitable[None]]
"""Makes everything unreachable that a cache keeps of a customer's connection."""


@dataclass(eq=False)
class CallerLife:
    """The life of connections as one caller may change it; every refusal is an error in the payload."""

    caller: Caller
    directory: Directory
    keyring: Keyring
    forget: Forget
    pace: Pace = field(default_factory=Pace)

    async def reconnect(self, given: ReconnectSystemInput) -> ReconnectSystemPayload:
        """Check new credentials live; they must be of the same account, and the API token is a new one by default."""
        self.caller.require("MANAGE")
        checks: list[ConnectionCheck] = []
        try:
            row, system = await self._found(given.id)
            method = choose_login(system, absent.given(given.auth_method) or row.auth_method)
            answers = read_answers(given.credentials, method)
            check_expiry(method, answers, self.directory.watch.clock())
            secrets = replace(self.directory.secrets_of(row) or Sealed(), answers=answers)
            account = account_of(system, method, answers, row.settings)
            expected = await self._account(row)
            if expected is not None and expected != account:
                raise _mismatch(expected, account)
            found, session = await examine_credentials(
                self.directory, row.customer_id, system, method, secrets, row.settings
            )
            checks = found.checks
            if found.trouble is not None:
                raise Refused(refusal_of(found.trouble))
            token = None if given.keep_token else tokens.mint(tokens.TokenKind.CONNECTION)
            now = self.directory.watch.clock()
            await self.directory.store.lifecycle.reconnect(
                row.id,
                self._resealing(row, answers),
                customer_id=self.caller.key.customer_id,
                by=self.caller.actor,
                session=None if session is None else seal_session(self.keyring, session, row.customer_id, row.id),
                checked=rows.Checked(
                    at=now,
                    account=account,
                    credential_expires_at=credentials_expire_at(method, answers, row.settings),
                    entity_health=found.entity_health(now),
                ),
                key=connection_key(token, row, self.keyring) if token is not None else None,
                changes={"auth_method": method.key, "base_url": system.address(answers)},
                due=self._probes(row),
            )
        except Refused as refused:
            return ReconnectSystemPayload(errors=concerning(refused.errors, given.id), checks=checks)
        except WrongLifecycle as wrong:
            return ReconnectSystemPayload(errors=concerning([_wrong(wrong.lifecycle)], given.id), checks=checks)
        self.directory.watch.let_try(row.id)
        secret = token.secret.get_secret_value() if token is not None else None
        return ReconnectSystemPayload(connection=await self._now(row.id), api_token=secret, checks=checks)

    def _resealing(self, row: rows.Connection, answers: Mapping[str, str]) -> Callable[[str], str]:
        """Put other answers in the place of the sealed ones; what else is sealed stays, if it can be read."""

        def reseal(present: str) -> str:
            try:
                before = Sealed.read(self.keyring.unseal(present, tenant=row.customer_id, row=row.id))
            except SealBroken:
                before = Sealed()
            return self.keyring.seal(replace(before, answers=answers).written(), tenant=row.customer_id, row=row.id)

        return reseal

    async def _account(self, row: rows.Connection) -> str | None:
        """The account of the stored credentials with the present settings, or as it was kept where they are lost."""
        account = self.directory.account_of(row)
        if account is not None:
            return account
        state = await self.directory.store.states.read(row.id)
        return state.account if state is not None else None

    def _probes(self, row: rows.Connection) -> list[rows.NewWork]:
        return [] if row.lifecycle == rows.PAUSED else work_of(row.id, self.pace.usual())

    async def test(self, connection_id: str) -> TestConnectionPayload:
        """Check a connection in stages; what a connection in use is found to be counts like any other call."""
        self.caller.require("MANAGE")
        try:
            row, system = await self._found(connection_id)
            secrets = self.directory.secrets_of(row)
            if secrets is None:
                message = "The stored credentials cannot be read with the present keys."
                raise Refused(refusal(ConnectionUnavailable, ErrorCode.REAUTHORIZATION_REQUIRED, message))
            vitals = self.directory.watch.vitals.get(row.id)
            observer = self.directory.watch.tester(vitals) if vitals is not None else None
            generation = vitals.generation if vitals is not None else 0
            method = choose_login(system, row.auth_method)
            sessions = self.directory.sessions_of(row)
            found, _ = await examine_credentials(
                self.directory, row.customer_id, system, method, secrets, row.settings, observer, sessions
            )
        except Refused as refused:
            return TestConnectionPayload(errors=concerning(refused.errors, connection_id))
        is_well = found.trouble is None
        if is_well and vitals is not None:
            self.directory.watch.examined(vitals, generation)
        await self.directory.watch.settle()
        if is_well:
            self.directory.watch.let_try(row.id)
        return TestConnectionPayload(connection=await self._now(row.id), checks=found.checks)

    async def pause(self, connection_id: str, reason: str | None) -> PauseConnectionPayload:
        """Stop all calls; the credits stay taken."""
        connection, error = await self._change(
            connection_id, reason, lambda by: self._lifecycle.pause(connection_id, reason, **by)
        )
        return PauseConnectionPayload(connection=connection, errors=[error] if error else [])

    async def resume(self, connection_id: str) -> ResumeConnectionPayload:
        """Let calls go on; how the system is now is looked at soon."""
        soon = work_of(connection_id, self.pace.first())
        connection, error = await self._change(
            connection_id, None, lambda by: self._lifecycle.resume(connection_id, due=soon, **by)
        )
        return ResumeConnectionPayload(connection=connection, errors=[error] if error else [])

    async def disconnect(self, connection_id: str, reason: str | None) -> DisconnectSystemPayload:
        """End a connection: its tokens die, its credentials are deleted, its history stays."""
        returned = 0

        async def end(by: dict[str, Any]) -> None:
            nonlocal returned
            returned = (await self._lifecycle.disconnect(connection_id, reason, **by)).credits_returned

        connection, error = await self._change(connection_id, reason, end)
        return DisconnectSystemPayload(
            connection=connection, credits_returned=returned, errors=[error] if error else []
        )

    async def delete_data(self, connection_id: str) -> DeleteConnectionDataPayload:
        """Forget the answers that were cached; nothing else of a system's records is kept so far."""

        async def delete(by: dict[str, Any]) -> None:
            row = await self._lifecycle.delete_data(connection_id, **by)
            await self.forget(row.customer_id, row.id)

        connection, error = await self._change(connection_id, None, delete)
        return DeleteConnectionDataPayload(connection=connection, errors=[error] if error else [])

    async def _change(
        self, connection_id: str, reason: str | None, change: Callable[[dict[str, Any]], Awaitable[Any]]
    ) -> tuple[ConnectedSystem | None, MutationError | None]:
        """Change the life of a connection that the key reaches; the connection as it is then, or why not."""
        self.caller.require("MANAGE")
        try:
            if reason is not None:
                check_text("reason", reason)
            await self._seen(connection_id)
            await change({"customer_id": self.caller.key.customer_id, "by": self.caller.actor})
        except Refused as refused:
            return None, refused.error
        except Missing:
            return None, no_connection(connection_id, "id").error
        except WrongLifecycle as wrong:
            return None, concerning([_wrong(wrong.lifecycle)], connection_id)[0]
        return await self._now(connection_id), None

    @property
    def _lifecycle(self) -> Any:
        return self.directory.store.lifecycle

    async def _seen(self, connection_id: str) -> rows.Connection:
        row = await self.directory.store.connection(connection_id, customer_id=self.caller.key.customer_id)
        if row is None or not self.caller.sees(row.customer_id, row.id):
            raise no_connection(connection_id, "id")
        return row

    async def _found(self, connection_id: str) -> tuple[rows.Connection, System]:
        """A connection that the key reaches and that has not ended, with its system; what is served is as new as it."""
        await self.directory.refresh()
        row = await self._seen(connection_id)
        system = find_system(row.system)
        if system is None:
            raise no_connection(connection_id, "id")
        if row.lifecycle == rows.DISCONNECTED:
            raise Refused(_wrong(row.lifecycle))
        return row, system

    async def _now(self, connection_id: str) -> ConnectedSystem | None:
        await self.directory.refresh()
        return await self.directory.view(self.caller).connection(connection_id)


_WRONG: dict[str, tuple[ErrorCode, str, dict[str, str]]] = {
    rows.DISCONNECTED: (ErrorCode.CONNECTION_DISCONNECTED, "The connection was disconnected.", {}),
    rows.PAUSED: (ErrorCode.CONNECTION_PAUSED, "The connection is paused.", {}),
    rows.ENABLED: (
        ErrorCode.VALIDATION_FAILED,
        "The connection is in use.",
        {"remediation": "Disconnect it first with `disconnectSystem`."},
    ),
}


def _wrong(lifecycle: str) -> MutationError:
    """The refusal for a connection that cannot do this where it is in its life."""
    code, message, advice = _WRONG[lifecycle]
    error: MutationError = refusal(ConnectionUnavailable, code, message, field="id", **advice)
    return error


def _mismatch(expected: str, actual: str) -> Refused:
    return Refused(
        refusal(
            AccountMismatch,
            ErrorCode.ACCOUNT_MISMATCH,
            f"The connection belongs to {expected}, and these credentials to {actual}.",
            field="credentials",
            expected_account=expected,
            actual_account=actual,
        )
    )
