"""What is read of a system: the paths in each of its collections, and what clients see of each path."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.composites import Many
from connectors.effective import AddedObject, EffectiveSystem
from connectors.fields import FieldSpec
from connectors.query import Where, compared
from connectors.spec import Beside, Resource
from schema.model import EntityType

RECORD = "id"
"""Among what clients see it stands for the record itself, which cannot be read without this path."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of one collection for a kind of record, or for an object that the settings add.

    `fields` are the names that clients see, by the paths in the collection that they are made of.
    """

    entity: EntityType | None
    object: str | None
    source: str
    fields: Mapping[str, frozenset[str]]

    @property
    def name(self) -> str:
        """Tells it from the other readings of the system."""
        kind = self.entity.name if self.entity is not None else f"object {self.object}"
        return f"{kind} {self.source}"


def readings_of(system: EffectiveSystem) -> list[Reading]:
    """Everything that is read for one connection."""
    found = [reading for resource in system.system.resources for reading in _of_resource(system, resource)]
    return found + [_of_object(added) for added in system.objects]


def _of_resource(system: EffectiveSystem, resource: Resource) -> Iterator[Reading]:
    names: dict[str, dict[str, set[str]]] = {resource.source: {}}

    def see(source: str, paths: Iterable[str], name: str) -> None:
        for path in paths:
            names.setdefault(source, {}).setdefault(path, set()).add(name)

    see(resource.source, (resource.key, *_compared(resource.where)), RECORD)
    for name, path in _mapped(resource.fields):
        if not path.startswith("@"):
            see(resource.source, [path], name)
            continue
        collection, _, inner = path[1:].partition(".")
        beside = resource.beside.get(collection)
        if beside is not None:
            see(beside.source, _decisive(beside), name)
            see(*_place(beside, inner), name)
    for added in system.fields_of(resource):
        if not added.sources or resource.source in added.sources:
            see(resource.source, [added.path], f"customFields.{added.key}")
    for source, paths in names.items():
        yield Reading(resource.model.type, None, source, {path: frozenset(seen) for path, seen in paths.items()})


def _mapped(fields: Mapping[str, FieldSpec], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The names that clients see, each with a path that it is made of; child rows need their own keys."""
    for name, spec in fields.items():
        if isinstance(spec, Many):
            yield from ((f"{prefix}{name}", f"{spec.path}.{path}") for path in spec.key_paths)
            yield from ((inner, f"{spec.path}.{path}") for inner, path in _mapped(spec.fields, f"{prefix}{name}."))
        else:
            yield from ((f"{prefix}{name}", path) for path in spec.paths())


def _compared(where: Where) -> Iterator[str]:
    return (compare.path for compare in compared(where))


def _decisive(beside: Beside) -> Iterator[str]:
    """The paths that say which rows of a collection beside belong to a record."""
    yield from (beside.key, *beside.order_paths, *_compared(beside.where))


def _place(beside: Beside, inner: str) -> tuple[str, list[str]]:
    """The collection and the path in it of what a word reaches beside a record: in a row, or at the row's place."""
    place = inner.removeprefix("@place.")
    if beside.places is None or place == inner:
        return beside.source, [inner]
    return beside.places.source, [place, beside.places.key, *_compared(beside.places.where)]


def _of_object(added: AddedObject) -> Reading:
    own = {path: frozenset({path}) for path in added.fields}
    return Reading(None, added.object, added.source, own | {path: frozenset({RECORD}) for path in added.shape.key})
