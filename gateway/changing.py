"""Changes the settings of a connection, after a look into its system where they name something there."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from connectors.client import Source
from connectors.errors import Trouble
from connectors.registry import find_system
from gateway.auth import Caller
from gateway.directory import Directory
from gateway.drifting import survey_of
from gateway.finding_out import find_out
from gateway.forms import Refused, check_metadata, check_tags, check_text, invalid
from gateway.refusals import no_connection, refusal_of
from gateway.settings_form import SettingsForm, read_form
from gateway.stores import rows
from gateway.stores.errors import Missing, WrongLifecycle
from schema.absent import given
from schema.administration import UpdateConnectionSettingsInput, UpdateConnectionSettingsPayload
from schema.errors import ConnectionUnavailable, ErrorCode, refusal


async def update_connection(
    caller: Caller, directory: Directory, wanted: UpdateConnectionSettingsInput
) -> UpdateConnectionSettingsPayload:
    """Check everything that is to change, store it, and serve by it from the next request on."""
    caller.require("MANAGE")
    try:
        row = await _row(caller, directory, wanted.id)
        values = _values(wanted)
        settings = await _settings(directory, row, wanted)
        change = merging(settings, values)
        due = [survey_of(row.id)] if settings.keys() & {"customFields", "customObjects"} else []
        by = caller.actor
        await directory.store.lifecycle.update(row.id, change, customer_id=caller.key.customer_id, by=by, due=due)
    except Refused as refused:
        return UpdateConnectionSettingsPayload(errors=refused.errors)
    except (Missing, WrongLifecycle):
        return UpdateConnectionSettingsPayload(errors=[no_connection(wanted.id, "id").error])
    await directory.refresh()
    return UpdateConnectionSettingsPayload(connection=await directory.view(caller).connection(wanted.id))


def merging(settings: Mapping[str, Any], values: Mapping[str, Any]) -> Callable[[rows.Connection], rows.Connection]:
    """A change of these settings and values that leaves the others; a setting that becomes None is taken back."""

    def change(before: rows.Connection) -> rows.Connection:
        merged = {name: value for name, value in {**before.settings, **settings}.items() if value is not None}
        return replace(before, settings=merged, **values)

    return change


async def _row(caller: Caller, directory: Directory, connection_id: str) -> rows.Connection:
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


async def _settings(
    directory: Directory, row: rows.Connection, wanted: UpdateConnectionSettingsInput
) -> dict[str, Any]:
    system = find_system(row.system)
    if system is None:
        raise invalid("id", f"This version does not know the system {row.system!r}.")
    form = read_form(given(wanted.settings), system)
    if not form.names_something:
        return form.plain
    live = directory.live(row.id)
    if live is None:
        message = "The connection is not in use, so that its system cannot be asked."
        raise Refused(refusal(ConnectionUnavailable, ErrorCode.CONNECTION_MISCONFIGURED, message, field="id"))
    return form.plain | await look(_with_options(live.source, form), form)


def _with_options(source: Source, form: SettingsForm) -> Source:
    """The source as it will be asked."""
    return source if form.options is None else replace(source, options=dict(form.options), shapes={})


async def look(source: Source, form: SettingsForm) -> dict[str, Any]:
    """What the settings name, as it was found; a system that cannot be asked is a refusal."""
    try:
        return await find_out(source, form)
    except Trouble as trouble:
        raise Refused(refusal_of(trouble)) from None
