"""A system as one connection has it: what the connector says, what was found out, and what the settings add."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from connectors.protocols.shapes import Shape
from connectors.spec import Resource, System
from schema.custom import CustomFieldType
from schema.model import EntityType


@dataclass(frozen=True, slots=True)
class AddedField:
    """A field that the settings add to a kind of record; `sources` are the collections that were found to have it."""

    entity: EntityType
    key: str
    path: str
    type: CustomFieldType
    label: str | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddedObject:
    """A collection that the settings allow to be read; `shape` is what was found out about it at that time.

    `fields` are read by default; those behind links, such as vendor.name, are in `behind_links` as they were found.
    """

    object: str
    source: str
    shape: Shape
    fields: tuple[str, ...]
    label: str | None = None
    behind_links: Mapping[str, CustomFieldType] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class EffectiveSystem:
    """A system with what the settings of one connection add to it, and what was found out for that; it never changes.

    A change of the settings, or of what was found out, makes another one, with another digest.
    """

    system: System
    fields: tuple[AddedField, ...] = ()
    objects: tuple[AddedObject, ...] = ()

    @cached_property
    def digest(self) -> str:
        """What everything that is made for this system, and kept, has to be kept under."""
        return hashlib.sha256(repr((self.system.key, self.fields, self.objects)).encode()).hexdigest()[:16]

    def fields_of(self, resource: Resource) -> tuple[AddedField, ...]:
        """The fields that are added to a kind of record."""
        return tuple(item for item in self.fields if item.entity is resource.model.type)

    def object_named(self, name: str) -> AddedObject | None:
        """A collection by the name that the settings give it."""
        return next((item for item in self.objects if item.object == name), None)
