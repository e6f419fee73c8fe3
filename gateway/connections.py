"""What callers change: connections with a live check of their credentials, customers and keys."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.client import Source
from connectors.errors import (
    NoSuchRecords,
    Trouble,
)
from connectors.errors import (
    PermissionDenied as RightsMissing,
)
from connectors.query import OrderBy, Read
from connectors.spec import AuthMethod, System
from connectors.tally import Tally
from gateway import tokens
from gateway.auth import Caller
from gateway.changing import look, update_connection
from gateway.directory import CHECKED, Directory, describe_connection, describe_customer
from gateway.egress import UrlRefused
from gateway.forms import (
    Refused,
    check_metadata,
    check_text,
    check_texts,
    choose,
    invalid,
    no_customer,
    read_answers,
)
from gateway.keyring import Keyring
from gateway.refusals import no_connection, refusal_of
from gateway.settings_form import SettingsForm, read_form
from gateway.stores import rows
from gateway.stores.errors import Conflict, Missing
from schema import absent
from schema.administration import (
    ConnectSystemInput,
    ConnectSystemPayload,
    CreateApiKeyInput,
    CreateApiKeyPayload,
    CreateCustomerInput,
    CreateCustomerPayload,
    DisconnectSystemPayload,
    RevokeApiKeyPayload,
    UpdateConnectionSettingsInput,
    UpdateConnectionSettingsPayload,
)
from schema.connections import ApiKeyKind, Environment
from schema.errors import (
    ConnectionUnavailable,
    ErrorCode,
    NotFound,
    PermissionDenied,
    refusal,
)

_PROBE_SECONDS = 15.0


@dataclass(eq=False)
class CallerAdministration:
    """The administration as one caller may use it."""

    caller: Caller
    directory: Directory
    keyring: Keyring

    async def connect_system(self, given: ConnectSystemInput) -> ConnectSystemPayload:
        """Check everything, ask the system itself, and only then store the connection and make its token."""
        self.caller.require("MANAGE")
        try:
            customer_id = await self._customer_of(given)
            system, method = choose(given)
            answers = read_answers(given, method)
            form = read_form(given.settings or None, system)
            check_texts(given, system)
            settings = await self._probe(system, method, answers, form, customer_id)
            if given.dry_run:
                return ConnectSystemPayload()
            return await self._store(given, customer_id, system, answers, settings)
        except Refused as refused:
            return ConnectSystemPayload(errors=refused.errors)

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

    async def _probe(
        self,
        system: System,
        method: AuthMethod,
        answers: Mapping[str, str],
        form: SettingsForm,
        customer_id: str,
    ) -> dict[str, Any]:
        """Ask the system itself; the settings, with what was found of what they name."""
        settings = {name: value for name, value in form.plain.items() if value is not None}
        try:
            source = self.directory.open_source(system.key, method.key, CHECKED, answers, settings, customer_id)
        except UrlRefused as error:
            raise invalid("credentials.url", f"This address cannot be used: {error.reason}.") from None
        if source is None:
            raise invalid("authMethod", "This way of logging in is not known.")
        try:
            await probe(source)
            return settings | await look(source, form)
        except Trouble as trouble:
            raise Refused(refusal_of(trouble)) from None
        finally:
            await source.close()

    async def _store(
        self,
        given: ConnectSystemInput,
        customer_id: str,
        system: System,
        answers: Mapping[str, str],
        settings: Mapping[str, Any],
    ) -> ConnectSystemPayload:
        now = datetime.now(UTC)
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
            base_url=system.address(answers),
            lifecycle="ENABLED",
            created_at=now,
            authorized_at=now,
        )
        token = tokens.mint(tokens.TokenKind.CONNECTION)
        key = self._key_row(
            token, name=connection.name, scopes=("READ", "WRITE"), customer_id=customer_id, connection_id=connection.id
        )
        sealed = self.keyring.seal(json.dumps(answers).encode(), tenant=customer_id, row=connection.id)
        try:
            await self.directory.store.lifecycle.connect(
                connection, sealed, key, by=self.caller.actor, checked=rows.Checked(at=now)
            )
        except Missing:
            raise no_customer(customer_id, "customerId") from None
        await self.directory.refresh()
        customer = await self.directory.store.customer(customer_id)
        described = describe_connection(connection, describe_customer(customer) if customer else None, token.preview)
        return ConnectSystemPayload(connection=described, api_token=token.secret.get_secret_value())

    async def update_connection_settings(self, given: UpdateConnectionSettingsInput) -> UpdateConnectionSettingsPayload:
        """Change a connection's name or settings."""
        return await update_connection(self.caller, self.directory, given)

    async def disconnect_system(self, connection_id: str, reason: str | None) -> DisconnectSystemPayload:
        """End a connection: its tokens die, its credentials are deleted, its history stays."""
        self.caller.require("MANAGE")
        view = self.directory.view(self.caller)
        try:
            if reason is not None:
                check_text("reason", reason)
            if await view.connection(connection_id) is None:
                raise no_connection(connection_id, "id")
        except Refused as refused:
            return DisconnectSystemPayload(errors=[refused.error])
        await self.directory.store.lifecycle.disconnect(
            connection_id, reason, customer_id=self.caller.key.customer_id, by=self.caller.actor
        )
        await self.directory.refresh()
        return DisconnectSystemPayload(connection=await view.connection(connection_id))

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
        key = self._key_row(
            token,
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

    def _key_row(self, token: tokens.Token, **values: Any) -> rows.ApiKey:
        return rows.ApiKey(
            id=rows.new_id("key"),
            kind=token.kind,
            digest=tokens.digest(token.secret.get_secret_value(), self.keyring.pepper),
            preview=token.preview,
            created_at=datetime.now(UTC),
            **values,
        )


async def probe(source: Source) -> None:
    """Read one row of every kind of record; some may be missing or forbidden, but not all of them."""
    deadline = asyncio.get_running_loop().time() + _PROBE_SECONDS
    refused: list[Trouble] = []
    for resource in source.system.resources:
        read = Read(resource.source, frozenset({resource.key}), resource.where, (OrderBy(resource.key),), 1)
        try:
            await source.fetch(read, Tally(), deadline)
        except (RightsMissing, NoSuchRecords) as trouble:
            refused.append(trouble)
    if len(refused) == len(source.system.resources):
        raise next((trouble for trouble in refused if isinstance(trouble, RightsMissing)), refused[0])
