"""What callers add: connections after a live check of their credentials, customers and keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.ports import Session
from connectors.spec import AuthMethod, System
from gateway.connecting.accounts import account_of
from gateway.connecting.changing import look, update_connection
from gateway.connecting.credentials import connection_key, key_row, session_of, trial
from gateway.connecting.examining import examine
from gateway.connecting.expiry import check_expiry, credentials_expire_at
from gateway.connecting.forms import (
    Refused,
    check_metadata,
    check_text,
    check_texts,
    choose,
    invalid,
    no_customer,
    read_answers,
)
from gateway.connecting.line_form import check_fit
from gateway.connecting.refusals import no_connection, refusal_of
from gateway.connecting.settings_form import SettingsForm, read_form
from gateway.directory import Directory
from gateway.keys import tokens
from gateway.keys.keyring import Keyring
from gateway.keys.sealed import Sealed
from gateway.outgoing.lines import line_of
from gateway.outgoing.sessions import seal_session
from gateway.serving.auth import Caller
from gateway.showing import describe_customer
from gateway.stores import rows
from gateway.stores.errors import Conflict, Missing
from gateway.stores.errors import InsufficientCredits as TooFewCredits
from gateway.watching.drifting import work_of
from gateway.watching.probing import Pace
from schema import absent
from schema.administration import (
    ConnectSystemInput,
    ConnectSystemPayload,
    CreateApiKeyInput,
    CreateApiKeyPayload,
    CreateCustomerInput,
    CreateCustomerPayload,
    RevokeApiKeyPayload,
    UpdateConnectionSettingsInput,
    UpdateConnectionSettingsPayload,
)
from schema.checks import ConnectionCheck, ConnectionCheckName, ConnectionCheckStatus
from schema.connections import ApiKeyKind, Environment
from schema.credits import credits_of
from schema.errors import (
    ConnectionUnavailable,
    ErrorCode,
    InsufficientCredits,
    NotFound,
    PermissionDenied,
    refusal,
)


@dataclass(eq=False)
class CallerAdministration:
    """The administration as one caller may use it."""

    caller: Caller
    directory: Directory
    keyring: Keyring
    pace: Pace = field(default_factory=Pace)

    async def connect_system(self, given: ConnectSystemInput) -> ConnectSystemPayload:
        """Check everything, ask the system itself, and only then store the connection and make its token."""
        self.caller.require("MANAGE")
        try:
            customer_id = await self._customer_of(given)
            system, method = choose(given)
            now = self.directory.watch.clock()
            answers = read_answers(given.credentials, method)
            check_expiry(method, answers, now)
            form = read_form(given.settings or None, system, now)
            check_texts(given, system)
        except Refused as refused:
            return ConnectSystemPayload(errors=refused.errors)
        return await self._check_and_store(given, customer_id, system, method, answers, form)

    async def _check_and_store(
        self,
        given: ConnectSystemInput,
        customer_id: str,
        system: System,
        method: AuthMethod,
        answers: Mapping[str, str],
        form: SettingsForm,
    ) -> ConnectSystemPayload:
        checks: list[ConnectionCheck] = []
        cost = credits_of(system.tier, given.deployment).cost
        wanted = {**form.plain, **form.line_settings({})}
        settings = {name: value for name, value in wanted.items() if value is not None}
        secrets = form.secrets(Sealed(answers))
        try:
            check_fit(settings, secrets)
            balance = (await self.directory.store.credits.pool()).balance
            if balance is not None and balance < cost and not given.dry_run:
                # Said before the system is asked: a login may use up what it was given.
                checks.append(_credits_check(cost, balance))
                raise _too_few_credits(cost, max(0, balance))
            async with trial(self.directory, customer_id, system, method, secrets, settings) as source:
                line = line_of(settings, secrets)
                found = await examine(source, self.directory.egress, system.address(answers), line)
                checks = found.checks
                if found.trouble is not None:
                    raise Refused(refusal_of(found.trouble))
                settings |= await look(source, form)
                session = session_of(source)
            checks.append(_credits_check(cost, balance))
            if given.dry_run:
                return ConnectSystemPayload(checks=checks)
            now = self.directory.watch.clock()
            checked = rows.Checked(
                at=now,
                account=account_of(system, method, answers, settings),
                credential_expires_at=credentials_expire_at(method, answers, settings),
                entity_health=found.entity_health(now),
            )
            connection, token = await self._store(given, customer_id, system, secrets, settings, checked, session, cost)
        except Refused as refused:
            return ConnectSystemPayload(errors=refused.errors, checks=checks)
        await self.directory.refresh()
        described = await self.directory.view(self.caller).connection(connection.id)
        return ConnectSystemPayload(connection=described, api_token=token.secret.get_secret_value(), checks=checks)

    async def _customer_of(self, given: ConnectSystemInput) -> str:
        if self.caller.key.kind is tokens.TokenKind.CONNECTION:
            raise Refused(
                refusal(PermissionDenied, ErrorCode.FORBIDDEN, "A connection's key cannot connect another system.")
            )
        customer_id = given.customer_id or self.caller.key.customer_id
        if not customer_id:
            raise invalid("customerId", "The admin token has to say which customer the connection is for.")
        if not self.caller.sees(customer_id) or await self.directory.store.customer(customer_id) is None:
            raise no_customer(customer_id, "customerId")
        return str(customer_id)

    async def _store(
        self,
        given: ConnectSystemInput,
        customer_id: str,
        system: System,
        secrets: Sealed,
        settings: Mapping[str, Any],
        checked: rows.Checked,
        session: Session | None,
        cost: int,
    ) -> tuple[rows.Connection, tokens.Token]:
        store = self.directory.store
        connection = rows.Connection(
            id=rows.new_id("con"),
            customer_id=customer_id,
            name=given.name.strip(),
            system=system.key,
            auth_method=given.auth_method,
            deployment=given.deployment.name,
            environment=(given.environment or Environment.PRODUCTION).name,
            tags=tuple(given.tags or ()),
            metadata=absent.given(given.metadata),
            settings=settings,
            base_url=system.address(secrets.answers),
            lifecycle=rows.ENABLED,
            predecessor_id=await store.predecessor(customer_id, system.key, checked.account or ""),
            created_at=checked.at,
            authorized_at=checked.at,
        )
        token = tokens.mint(tokens.TokenKind.CONNECTION)
        key = connection_key(token, connection, self.keyring)
        sealed = self.keyring.seal(secrets.written(), tenant=customer_id, row=connection.id)
        try:
            await store.lifecycle.connect(
                connection,
                sealed,
                key,
                by=self.caller.actor,
                cost=cost,
                checked=checked,
                session=None if session is None else seal_session(self.keyring, session, customer_id, connection.id),
                due=work_of(connection.id, self.pace.usual()),
            )
        except Missing:
            raise no_customer(customer_id, "customerId") from None
        except TooFewCredits as short:
            raise _too_few_credits(short.required, short.available) from None
        return connection, token

    async def update_connection_settings(self, given: UpdateConnectionSettingsInput) -> UpdateConnectionSettingsPayload:
        """Change a connection's name or settings."""
        return await update_connection(self.caller, self.directory, self.keyring, given)

    async def create_customer(self, given: CreateCustomerInput) -> CreateCustomerPayload:
        """Add a customer; only an operator can."""
        self.caller.require("MANAGE")
        try:
            self._require_admin("Only the admin token can add customers.")
            check_text("name", given.name)
            if given.external_id:
                check_text("externalId", given.external_id)
            check_metadata(given.metadata)
            customer = await self.directory.store.create_customer(
                name=given.name.strip(),
                external_id=given.external_id or None,
                metadata=absent.given(given.metadata),
                by=self.caller.actor,
            )
        except Refused as refused:
            return CreateCustomerPayload(errors=[refused.error])
        except Conflict:
            taken = invalid("externalId", "Another customer has this external id.", given.external_id)
            return CreateCustomerPayload(errors=[taken.error])
        await self.directory.refresh()
        return CreateCustomerPayload(customer=describe_customer(customer))

    async def create_api_key(self, given: CreateApiKeyInput) -> CreateApiKeyPayload:
        """Make a key that reaches no more, and may do no more, than the caller's own."""
        self.caller.require("MANAGE")
        try:
            check_text("name", given.name)
            customer_id, connection_id = await self._reach_of(given)
            scopes = tuple(dict.fromkeys(scope.name for scope in given.scopes))
            if not scopes:
                raise invalid("scopes", "A key needs at least one scope.")
            missing = [scope for scope in scopes if not self.caller.has(scope)]
            if missing:
                raise Refused(
                    refusal(
                        PermissionDenied,
                        ErrorCode.SCOPE_MISSING,
                        "A key cannot have scopes that yours lacks.",
                        field="scopes",
                        missing_rights=missing,
                    )
                )
            if given.expires_at and given.expires_at <= datetime.now(UTC):
                raise invalid("expiresAt", "The key would have expired already.")
        except Refused as refused:
            return CreateApiKeyPayload(errors=[refused.error])
        token = tokens.mint(tokens.TokenKind[given.kind.name])
        key = key_row(
            token,
            self.keyring,
            name=given.name.strip(),
            scopes=scopes,
            customer_id=customer_id,
            connection_id=connection_id,
            expires_at=given.expires_at or None,
        )
        await self.directory.store.create_api_key(key, by=self.caller.actor)
        await self.directory.refresh()
        described = await self.directory.view(self.caller).key(key.id)
        return CreateApiKeyPayload(api_key=described, api_token=token.secret.get_secret_value())

    async def _reach_of(self, given: CreateApiKeyInput) -> tuple[str | None, str | None]:
        if given.kind is ApiKeyKind.ADMIN:
            self._require_admin("Only the admin token can make another one.")
            return None, None
        if given.kind is ApiKeyKind.CUSTOMER:
            customer_id = given.customer_id or self.caller.key.customer_id
            known = await self.directory.store.customer(str(customer_id)) if customer_id else None
            if known is None or not self.caller.sees(known.id):
                raise no_customer(customer_id, "customerId")
            return known.id, None
        if not given.connection_id:
            raise invalid("connectionId", "A connection's key has to say which connection it reaches.")
        connection = await self.directory.store.connection(given.connection_id, customer_id=self.caller.key.customer_id)
        if connection is None or not self.caller.sees(connection.customer_id, connection.id):
            raise no_connection(given.connection_id, "connectionId")
        if connection.lifecycle == rows.DISCONNECTED:
            raise Refused(
                refusal(
                    ConnectionUnavailable,
                    ErrorCode.CONNECTION_DISCONNECTED,
                    "The connection was disconnected.",
                    field="connectionId",
                    connection_id=connection.id,
                )
            )
        return connection.customer_id, connection.id

    async def revoke_api_key(self, key_id: str) -> RevokeApiKeyPayload:
        """Make a key invalid at once."""
        self.caller.require("MANAGE")
        view = self.directory.view(self.caller)
        if await view.key(key_id) is None:
            error = refusal(
                NotFound, ErrorCode.VALIDATION_FAILED, f"There is no key {key_id!r}.", field="id", missing_id=key_id
            )
            return RevokeApiKeyPayload(errors=[error])
        row = await self.directory.store.revoke_api_key(
            key_id, customer_id=self.caller.key.customer_id, by=self.caller.actor
        )
        await self.directory.refresh()
        return RevokeApiKeyPayload(api_key=await view.described_key(row))

    def _require_admin(self, message: str) -> None:
        if self.caller.key.kind is not tokens.TokenKind.ADMIN:
            raise Refused(refusal(PermissionDenied, ErrorCode.FORBIDDEN, message))


def _credits_check(cost: int, balance: int | None) -> ConnectionCheck:
    """Say whether there are enough; they are taken only later, and may be gone by then."""
    is_enough = balance is None or balance >= cost
    left = "credits do not matter here" if balance is None else f"{max(0, balance)} are left"
    return ConnectionCheck(
        name=ConnectionCheckName.CREDITS,
        status=ConnectionCheckStatus.PASSED if is_enough else ConnectionCheckStatus.FAILED,
        message=f"It costs {cost}; {left}.",
    )


def _too_few_credits(required: int, available: int) -> Refused:
    return Refused(
        refusal(
            InsufficientCredits,
            ErrorCode.INSUFFICIENT_CREDITS,
            f"This connection costs {required} credits, and {available} are left.",
            required=required,
            available=available,
        )
    )
