"""The settings of a connection as callers type them: checked whole, and every mistake named with its field."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry
from pydantic import Field, ValidationError
from pydantic.alias_generators import to_camel

from connectors.spec import System
from gateway.connecting.forms import Refused, check_options, invalid
from gateway.connecting.line_form import Form, LineForm
from schema.custom import CustomFieldType
from schema.model import EntityType
from schema.settings import ConnectionSettingsInput

_WORD = r"[A-Za-z0-9_-]+"
Key = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]
Path = Annotated[str, Field(pattern=rf"^{_WORD}(\.{_WORD}){{0,4}}$", max_length=200)]
Collection = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+([./;=-][A-Za-z0-9_]+)*$", max_length=200)]
Label = Annotated[str, Field(min_length=1, max_length=200)]


class CustomFieldForm(Form):
    """A field to add to a kind of record."""

    entity: EntityType
    key: Key
    path: Path
    label: Label | None = None
    type: CustomFieldType | None = None


class CustomObjectForm(Form):
    """A collection to allow."""

    object: Key
    source: Collection
    label: Label | None = None
    fields: Annotated[list[Path], Field(min_length=1, max_length=500)] | None = None


class SettingsForm(LineForm):
    """All settings; what is not set stays as it is, and null takes back what was set."""

    max_age_seconds: Annotated[int, Field(ge=0, le=7 * 24 * 60 * 60)] | None = None
    stale_on_error: bool | None = None
    timeout_ms: Annotated[int, Field(ge=1, le=120_000)] | None = None
    options: Any = None
    custom_fields: Annotated[list[CustomFieldForm], Field(max_length=200)] | None = None
    custom_objects: Annotated[list[CustomObjectForm], Field(max_length=50)] | None = None

    @property
    def names_something(self) -> bool:
        """Whether it names something in the system, which has to be looked for there."""
        return bool(self.custom_fields or self.custom_objects)

    @property
    def plain(self) -> dict[str, Any]:
        """What is set of the settings that need no look into the system, as it is stored."""
        return {
            to_camel(name): value
            for name, value in self
            if name in self.model_fields_set - LineForm.model_fields.keys()
            and not (value and name in ("custom_fields", "custom_objects"))
        }


def read_form(given: ConnectionSettingsInput | None, system: System, now: datetime) -> SettingsForm:
    """Check what was typed; Refused with every mistake in it."""
    try:
        form = SettingsForm.model_validate(_plain(given) if given else {})
    except ValidationError as error:
        raise Refused(*(_mistake(item) for item in error.errors(include_url=False))) from None
    if form.options is not None:
        check_options(form.options, system)
    mistakes = [
        *_repeated("customFields", "key", [(item.entity, item.key) for item in form.custom_fields or ()]),
        *_repeated("customObjects", "object", [item.object for item in form.custom_objects or ()]),
    ]
    if mistakes:
        raise Refused(*mistakes)
    form.check_line(now)
    return form


def _plain(given: Any) -> Any:
    """An input as plain data, without what was left out."""
    if isinstance(given, list):
        return [_plain(item) for item in given]
    if not is_dataclass(given) or isinstance(given, Enum):
        return given
    values = {item.name: getattr(given, item.name) for item in fields(given)}
    return {to_camel(name): _plain(value) for name, value in values.items() if value is not strawberry.UNSET}


_MESSAGES: Mapping[tuple[str, ...], str] = {
    ("key",): "A key has letters, digits and underscores, 64 at most, and does not begin with a digit.",
    ("object",): "A name has letters, digits and underscores, 64 at most, and does not begin with a digit.",
    ("path",): "A path is at most five names joined by dots, such as YY1_Zone or partner_id.ref.",
    ("source",): "An object is named as its system does, such as x_permit or YY1_PERMIT_CDS/YY1_PERMIT.",
    ("timeoutMs",): "The time must lie between 1 and 120000.",
}


def _mistake(error: Any) -> Any:
    place = tuple(map(str, error["loc"]))
    message = _MESSAGES.get(place[-1:], f"{error['msg']}.")
    return invalid(".".join(("settings", *place)), message).error


def _repeated(name: str, part: str, keys: Sequence[Any]) -> list[Any]:
    return [
        invalid(f"settings.{name}.{place}.{part}", "Another one has this name already.").error
        for place, key in enumerate(keys)
        if key in keys[:place]
    ]
