"""Looks into a system for the fields and objects that settings name, so that a mistake is told at once."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from connectors.client import Source
from connectors.custom_objects import KEY_FORMS, resource_of
from connectors.discovery import NoSuchPath, did_you_mean, find_path
from connectors.effective import AddedField, AddedObject
from connectors.errors import NoSuchRecords, PermissionDenied, Rejected
from connectors.protocols.base import Row
from connectors.protocols.shapes import EVERYTHING, Shape
from connectors.query import Read
from connectors.secret_names import says_secret
from connectors.spec import Resource
from connectors.tally import Tally
from gateway.connecting.forms import Refused, invalid
from gateway.connecting.settings_form import CustomFieldForm, CustomObjectForm, SettingsForm
from gateway.connecting.stored_settings import write_field, write_object
from schema.custom import CustomFieldType
from schema.errors import MutationError
from schema.model import ENTITIES

Answered = TypeVar("Answered")
_SECONDS = 30.0
_LOOKED_AT = 20
"""How many rows are looked at where a system does not describe itself."""


async def find_out(source: Source, form: SettingsForm) -> dict[str, Any]:
    """The fields and objects of a form as they are stored; Refused with every mistake, or the source's trouble."""
    inquiry = _Inquiry(source, asyncio.get_running_loop().time() + _SECONDS)
    settings: dict[str, Any] = {}
    mistakes: list[MutationError] = []
    if form.custom_fields:
        fields = [inquiry.field(place, item) for place, item in enumerate(form.custom_fields)]
        settings["customFields"] = [write_field(item) for item in await _each(fields, mistakes)]
    if form.custom_objects:
        objects = [inquiry.object(place, item) for place, item in enumerate(form.custom_objects)]
        settings["customObjects"] = [write_object(item) for item in await _each(objects, mistakes)]
    if mistakes:
        raise Refused(*mistakes)
    return settings


async def _each(questions: Sequence[Coroutine[Any, Any, Answered]], mistakes: list[MutationError]) -> list[Answered]:
    """The answers one after the other, so that a system is not asked everything at once."""
    found: list[Answered] = []
    for question in questions:
        try:
            found.append(await question)
        except Refused as refused:
            mistakes.extend(refused.errors)
    return found


class _Inquiry:
    """Questions to one source; each collection is asked about once. What is not there is Refused."""

    def __init__(self, source: Source, deadline: float) -> None:
        self._source = source
        self._deadline = deadline
        self._tally = Tally()
        self._shapes: dict[str, Shape | None] = {}

    async def field(self, place: int, form: CustomFieldForm) -> AddedField:
        """The field as it was found in at least one of the collections that fill the kind of record."""
        where = f"settings.customFields.{place}"
        entity = ENTITIES[form.entity]
        resources = self._source.system.resources_of(entity.cls)
        if not resources:
            raise invalid(f"{where}.entity", f"{self._source.system.title} has no {entity.plural}.")
        found: dict[str, tuple[CustomFieldType, str | None]] = {}
        reasons: list[str] = []
        for resource in resources:
            try:
                found[resource.source] = await self._look(resource, form)
            except NoSuchPath as mistake:
                reasons.append(str(mistake))
        if not found:
            raise invalid(f"{where}.path", reasons[0])
        kind, label = next(iter(found.values()))
        return AddedField(form.entity, form.key, form.path, form.type or kind, form.label or label, tuple(found))

    async def _look(self, resource: Resource, form: CustomFieldForm) -> tuple[CustomFieldType, str | None]:
        shape = await self._shape(resource.source)
        if shape is None:
            return await self._look_at_rows(resource, form), None
        found = await find_path(self._source, shape, form.path, self._tally, self._deadline)
        if found.field.is_pure:
            raise NoSuchPath(f"{form.path!r} is a link; name a field behind it, such as {form.path}.Name.")
        if found.is_many and not found.field.is_many:
            raise NoSuchPath(f"{form.path!r} leads to several rows, of which a field can show only one.")
        return found.field.form.type, found.field.label

    async def _look_at_rows(self, resource: Resource, form: CustomFieldForm) -> CustomFieldType:
        """Where a system does not describe itself, its rows do; who names the type need not be right about them."""
        read = Read(resource.source, frozenset({EVERYTHING, form.path}), resource.where, (), _LOOKED_AT)
        rows = (await self._source.fetch(read, self._tally, self._deadline)).rows[:_LOOKED_AT]
        get = self._source.system.protocol.getter(form.path)
        values = [value for row in rows if (value := get(row)) is not None]
        if not values and form.type is None and not any(_has(row, form.path) for row in rows):
            known = sorted({path for row in rows for path in _paths(row)})
            seen = f"None of {len(rows)} rows has {form.path!r}{did_you_mean(form.path, known)}"
            raise NoSuchPath(f"{seen} If it is there all the same, name its `type`.")
        return next(map(_type_of, values), CustomFieldType.UNKNOWN)

    async def object(self, place: int, form: CustomObjectForm) -> AddedObject:
        """The object as its system describes it, once one row of it was read."""
        where = f"settings.customObjects.{place}"
        shape = await self._shape(form.source)
        title = self._source.system.title
        if shape is None:
            hint = did_you_mean(form.source, self._source.shapes)
            raise invalid(f"{where}.source", f"{title} describes no object {form.source!r}{hint}")
        forms = [shape.fields[name].form for name in shape.key if name in shape.fields]
        if not forms or len(forms) != len(shape.key) or not all(item in KEY_FORMS for item in forms):
            key = ", ".join(shape.key) or "nothing"
            raise invalid(f"{where}.source", f"{form.source!r} has as its key {key}, by which it cannot be paged.")
        behind_links: dict[str, CustomFieldType] = {}
        for index, path in enumerate(form.fields or ()):
            try:
                found = await find_path(self._source, shape, path, self._tally, self._deadline)
            except NoSuchPath as mistake:
                raise invalid(f"{where}.fields.{index}", str(mistake)) from None
            if found.field.is_pure or found.is_many:
                raise invalid(f"{where}.fields.{index}", f"{path!r} leads to other rows, not to one value.")
            if "." in path:
                behind_links[path] = found.field.form.type
        plain = (name for name in shape.plain_names() if not says_secret(name))
        names = tuple(dict.fromkeys(form.fields or plain))
        added = AddedObject(form.object, form.source, shape, names, form.label, behind_links)
        read = Read(form.source, frozenset({*names, *shape.key}), order=self._order(added), limit=1)
        try:
            await self._source.fetch(read, self._tally, self._deadline)
        except (PermissionDenied, Rejected, NoSuchRecords) as trouble:
            raise invalid(f"{where}.source", f"A row could not be read: {trouble.message}") from None
        return added

    def _order(self, added: AddedObject) -> Any:
        return resource_of(added, self._source.system.protocol).key_order

    async def _shape(self, collection: str) -> Shape | None:
        if collection not in self._shapes:
            found = await self._source.shape(collection, self._tally, self._deadline, is_fresh=True)
            self._shapes[collection] = found
        return self._shapes[collection]


def _type_of(value: Any) -> CustomFieldType:
    match value:
        case bool():
            return CustomFieldType.BOOLEAN
        case str():
            return CustomFieldType.TEXT
        case Mapping() | list():
            return CustomFieldType.JSON
        case _:
            return CustomFieldType.NUMBER


def _has(row: Row, path: str) -> bool:
    return any(path == known for known in _paths(row))


def _paths(row: Row, prefix: str = "") -> Iterator[str]:
    """The paths of everything in a row that is not within a list."""
    for name, value in row.items():
        yield f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{name}.")
