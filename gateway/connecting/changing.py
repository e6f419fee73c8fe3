"""Changes the settings of a connection, after a look into its system where they name something there."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.client import Source
from connectors.errors import Trouble
from connectors.registry import find_system
from connectors.spec import System
from gateway.connecting.expiry import credentials_expire_at
from gateway.connecting.finding_out import find_out
from gateway.connecting.forms import Refused, check_metadata, check_tags, check_text, choose_login, invalid
from gateway.connecting.line_form import check_fit, no_proxy
from gateway.connecting.refusals import concerning, no_connection, refusal_of
from gateway.connecting.settings_form import SettingsForm, read_form
from gateway.directory import Directory
from gateway.keys.keyring import Keyring, SealBroken
from gateway.keys.sealed import Sealed
from gateway.outgoing.urls import ProxyRefused
from gateway.serving.auth import Caller
from gateway.stores import rows
from gateway.stores.errors import Missing, WrongLifecycle
from gateway.stores.lifecycle import Reseal, Resealed
from gateway.watching.drifting import survey_of
from gateway.watching.probing import probe_of
from schema.absent import given
from schema.administration import UpdateConnectionSettingsInput, UpdateConnectionSettingsPayload
from schema.errors import ConnectionUnavailable, ErrorCode, refusal


async def update_connection(
    caller: Caller, directory: Directory, keyring: Keyring, wanted: UpdateConnectionSettingsInput
) -> UpdateConnectionSettingsPayload:
    """Check everything that is to change, store it, and serve by it from the next request on."""
    caller.require("MANAGE")
    try:
        row = await _row(caller, directory, wanted.id)
        values = _values(wanted)
        system = _system(row)
        form = _form(directory, system, wanted)
        settings = form.plain | await _found(directory, row, form)
        reseal = _resealing(keyring, system, form) if form.changes_line else None
        due = [survey_of(row.id)] if settings.keys() & {"customFields", "customObjects"} else []
        if reseal is not None:
            due.append(probe_of(row.id, timedelta()))
        await directory.store.lifecycle.update(
            row.id,
            merging(settings, values, form.line_settings),
            customer_id=caller.key.customer_id,
            by=caller.actor,
            account=directory.account_of,
            reseal=reseal,
            due=due,
        )
    except Refused as refused:
        return UpdateConnectionSettingsPayload(errors=concerning(refused.errors, wanted.id))
    except (Missing, WrongLifecycle):
        return UpdateConnectionSettingsPayload(errors=[no_connection(wanted.id, "id").error])
    await directory.refresh()
    return UpdateConnectionSettingsPayload(connection=await directory.view(caller).connection(wanted.id))


def merging(
    settings: Mapping[str, Any],
    values: Mapping[str, Any],
    derive: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda before: {},
) -> Callable[[rows.Connection], rows.Connection]:
    """A change of these settings and values that leaves the others; a setting that becomes None is taken back.

    `derive` gives settings that depend on the present ones.
    """

    def change(before: rows.Connection) -> rows.Connection:
        changed = {**before.settings, **settings, **derive(before.settings)}
        merged = {name: value for name, value in changed.items() if value is not None}
        return replace(before, settings=merged, **values)

    return change


def _resealing(keyring: Keyring, system: System, form: SettingsForm) -> Reseal:
    """Change what is sealed of the settings with them; Refused where the two do not fit."""

    def resealed(before: rows.Connection, sealed: str) -> Resealed:
        settings = merging({}, {}, form.line_settings)(before).settings
        tenant, method = {"tenant": before.customer_id, "row": before.id}, choose_login(system, before.auth_method)
        try:
            present = Sealed.read(keyring.unseal(sealed, **tenant))
        except SealBroken:
            secrets = form.secrets(Sealed())
            check_fit(settings, secrets)
            if secrets != Sealed():
                message = "The stored credentials cannot be read with the present keys; give new ones first."
                raise Refused(refusal(ConnectionUnavailable, ErrorCode.REAUTHORIZATION_REQUIRED, message)) from None
            return Resealed(sealed, credentials_expire_at(method, {}, settings))
        secrets = form.secrets(present)
        check_fit(settings, secrets)
        expires_at = credentials_expire_at(method, secrets.answers, settings)
        return Resealed(keyring.seal(secrets.written(), **tenant), expires_at)

    return resealed


async def _row(caller: Caller, directory: Directory, connection_id: str) -> rows.Connection:
    await directory.refresh()  # another process may just have changed it
    row = await directory.store.connection(connection_id, customer_id=caller.key.customer_id)
    if row is None or not caller.sees(row.customer_id, row.id):
        raise no_connection(connection_id, "id")
    if row.lifecycle == rows.DISCONNECTED:
        message = "The connection was disconnected."
        raise Refused(refusal(ConnectionUnavailable, ErrorCode.CONNECTION_DISCONNECTED, message, field="id"))
    return row


def _values(wanted: UpdateConnectionSettingsInput) -> dict[str, Any]:
    """What is to change beside the settings; a name and tags cannot be taken back, metadata can."""
    values: dict[str, Any] = {}
    name, tags = given(wanted.name), given(wanted.tags)
    if name is not None:
        check_text("name", name)
        values["name"] = name.strip()
    if tags is not None:
        check_tags(tags)
        values["tags"] = tuple(tags)
    if given(wanted.metadata) is not None or wanted.metadata is None:
        check_metadata(wanted.metadata)
        values["metadata"] = wanted.metadata
    return values


def _system(row: rows.Connection) -> System:
    system = find_system(row.system)
    if system is None:
        raise invalid("id", f"This version does not know the system {row.system!r}.")
    return system


def _form(directory: Directory, system: System, wanted: UpdateConnectionSettingsInput) -> SettingsForm:
    form = read_form(given(wanted.settings), system, directory.watch.clock())
    proxy_url = form.line_settings({}).get("proxyUrl")
    if proxy_url:
        try:
            directory.egress.check_proxy(proxy_url)
        except ProxyRefused as error:
            raise no_proxy(error) from None
    return form


async def _found(directory: Directory, row: rows.Connection, form: SettingsForm) -> dict[str, Any]:
    """What the settings name in the system, as it was found there."""
    if not form.names_something:
        return {}
    live = directory.live(row.id)
    if live is None:
        message = "The connection is not in use, so that its system cannot be asked."
        raise Refused(refusal(ConnectionUnavailable, ErrorCode.CONNECTION_MISCONFIGURED, message, field="id"))
    return await look(_with_options(live.source, form), form)


def _with_options(source: Source, form: SettingsForm) -> Source:
    """The source as it will be asked."""
    return source if form.options is None else replace(source, options=dict(form.options), shapes={})


async def look(source: Source, form: SettingsForm) -> dict[str, Any]:
    """What the settings name, as it was found; a system that cannot be asked is a refusal."""
    try:
        return await find_out(source, form)
    except Trouble as trouble:
        raise Refused(refusal_of(trouble)) from None
