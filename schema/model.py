"""From one class the entity: its GraphQL type, its fields, and what may be filtered, sorted and linked."""

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import Enum
from typing import Any, TypeVar, dataclass_transform

import strawberry
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from schema.enums import enumeration
from schema.pages import After, ChildRow, First, child_page_type, page_of_children

Class = TypeVar("Class", bound=type[Any])
_MARKER = "switchgear"


@enumeration
class EntityType(Enum):
    """The kinds of record."""

    PURCHASE_ORDER = "Purchase orders."
    WORK_ORDER = "Work orders."
    ASSET = "Assets."
    VENDOR = "Vendors."
    INVENTORY_ITEM = "Inventory items."


class Kind(Enum):
    """What a field holds."""

    SCALAR = "one plain value"
    VALUE = "one value object, such as money"
    VALUES = "a short list of value objects"
    LINK = "a record of another entity"
    LINKS = "a paged list of the records of another entity that point here"
    CHILDREN = "a paged list of child rows"
    TRAIL = "the names of what lies above a record, from the top"


@dataclass(frozen=True)
class Marker:
    """What a field's declaration says beyond its type."""

    kind: Kind | None = None
    filter: str | None = None
    filter_parts: Mapping[str, tuple[str, str]] = dataclass_field(default_factory=dict)
    sort: str | None = None
    target: str | None = None
    by: str | None = None
    is_read_as_asked: bool = False


@dataclass(frozen=True)
class FieldModel:
    """One field of an entity, a child row or a value object."""

    name: str
    attribute: str
    kind: Kind
    type: Any
    description: str
    marker: Marker
    is_required: bool

    @property
    def plain_type(self) -> type[Any]:
        """The Python type of its values, also where a NewType such as Currency is declared."""
        return typing.cast(type[Any], getattr(self.type, "__supertype__", self.type))

    @property
    def is_enum(self) -> bool:
        """Whether the value is one of a fixed set."""
        return isinstance(self.type, type) and issubclass(self.type, Enum)


@dataclass(frozen=True, eq=False)
class Entity:
    """One entity of the unified model with everything that is derived from its class."""

    cls: type[Any]
    type: EntityType
    plural: str
    fields: Mapping[str, FieldModel]
    deleted_as: Enum | None

    @property
    def name(self) -> str:
        """The name of its GraphQL type."""
        return str(self.cls.__name__)

    @property
    def root(self) -> str:
        """The name of its single root field, such as purchaseOrder."""
        return self.name[0].lower() + self.name[1:]

    @property
    def list_root(self) -> str:
        """The name of its list root field, such as purchaseOrders."""
        first, *rest = self.plural.split()
        return first + "".join(word.capitalize() for word in rest)

    def mapped_fields(self) -> Iterator[FieldModel]:
        """The fields that a connector fills; the others are the product's own, or follow from other records."""
        following = (Kind.LINKS, Kind.TRAIL)
        return (item for item in self.fields.values() if item.name not in OWN_FIELDS and item.kind not in following)


OWN_FIELDS = frozenset({"id", "remoteId", "remoteKey", "displayName", "connection", "meta", "version"})
"""Fields of a record that no connector maps: they follow from its key, its connection and its protocol."""

ENTITIES: dict[EntityType, Entity] = {}
"""Every declared entity, by its type and in the order of the types, whichever module is imported first."""


def field(
    description: str,
    *,
    filter: str | None = None,
    filter_parts: Mapping[str, tuple[str, str]] | None = None,
    sort: str | None = None,
) -> Any:
    """Declare a field; `filter` and `sort` opt it in, and are its descriptions there.

    `filter_parts` gives filters of their own to parts of a value object: by the filter's name, the part and the
    filter's description.
    """
    marker = Marker(filter=filter, filter_parts=filter_parts or {}, sort=sort)
    return strawberry.field(default=None, description=description, metadata={_MARKER: marker})


def link(description: str, *, to: str, filter: str | None = None) -> Any:
    """Declare a link to one record of the entity named `to`; `filter` opts in a filter on its id."""
    marker = Marker(kind=Kind.LINK, filter=filter, target=to)
    return strawberry.field(default=None, description=description, metadata={_MARKER: marker})


def links(description: str, *, to: str, module: str, by: str) -> Any:
    """Declare a paged link to the records of entity `to` (of `module`) that point here with their link `by`."""
    lazily = strawberry.lazy(module)

    def read(
        root: Any,
        info: strawberry.Info,
        first: Any = 50,
        after: Any = strawberry.UNSET,
        filter: Any = strawberry.UNSET,
        order_by: Any = strawberry.UNSET,
    ) -> Any:
        return root.origin.pages.get(info.path.key)

    def argument(annotation: Any, about: str) -> Any:
        return typing.Annotated[annotation | None, strawberry.argument(description=about)]

    filters: Any = typing.Annotated[f"{to}Filter", lazily]
    sorts: Any = typing.Annotated[f"{to}Sort", lazily]
    pages: Any = typing.Annotated[f"{to}Connection", lazily]
    read.__annotations__ |= {
        "first": First,
        "after": After,
        "filter": argument(
            filters,
            "Which rows; without it, all that the token may see and that are not deleted.",
        ),
        "order_by": argument(list[sorts], "The order of the rows, rows without a value last; by default by key."),
        "return": pages | None,
    }
    marker = Marker(kind=Kind.LINKS, target=to, by=by)
    return strawberry.field(resolver=read, description=description, metadata={_MARKER: marker})


def trail(description: str, *, to: str, by: str) -> Any:
    """Declare the names of the records of the same entity `to` that lie above, as its link `by` leads there."""
    return strawberry.field(
        default=None, description=description, metadata={_MARKER: Marker(kind=Kind.TRAIL, target=to, by=by)}
    )


def as_asked(description: str) -> Any:
    """Declare a field, by its resolver, that is read in another way for other arguments."""
    return strawberry.field(description=description, metadata={_MARKER: Marker(is_read_as_asked=True)})


def children(description: str, *, of: type[ChildRow]) -> Any:
    """Declare child rows that come with the record and are paged here."""
    marker = Marker(kind=Kind.CHILDREN, target=of.__name__)
    return strawberry.field(
        resolver=page_of_children(of),
        description=description,
        metadata={_MARKER: marker, "type": of},
        graphql_type=child_page_type(of) | None,
    )


def _description(cls: type[Any]) -> str:
    """Read the docstring before the dataclass decorator writes a signature there."""
    if not cls.__dict__.get("__doc__"):
        raise TypeError(f"{cls.__name__} needs a docstring: it is its description in the schema")
    return inspect.cleandoc(cls.__dict__["__doc__"])


@dataclass_transform(kw_only_default=True, field_specifiers=(field, link, trail, children, strawberry.field))
def described_type(cls: Class) -> Class:
    """Make a GraphQL type of a class; its docstring is its description."""
    return strawberry.type(cls, description=_description(cls))


@dataclass_transform(kw_only_default=True, field_specifiers=(field, link, trail, children, strawberry.field))
def described_interface(cls: Class) -> Class:
    """Make a GraphQL interface of a class; its docstring is its description."""
    return strawberry.interface(cls, description=_description(cls))


@dataclass_transform(kw_only_default=True, field_specifiers=(field, link, trail, children, strawberry.field))
def described_input(cls: Class) -> Class:
    """Make a GraphQL input of a class; its docstring is its description."""
    return strawberry.input(cls, description=_description(cls))


@dataclass_transform(kw_only_default=True, field_specifiers=(field, link, trail, children, strawberry.field))
def entity(entity_type: EntityType, *, plural: str, deleted_as: Enum | None = None) -> Callable[[Class], Class]:
    """Make an entity of a class.

    `plural` is what people call several of them; `deleted_as` is the status that records flagged as deleted show,
    where they show one.
    """

    def decorate(cls: Class) -> Class:
        described_type(cls)
        ENTITIES[entity_type] = Entity(cls, entity_type, plural, fields_of(cls), deleted_as)
        for known in [item for item in EntityType if item in ENTITIES]:
            ENTITIES[known] = ENTITIES.pop(known)
        return cls

    return decorate


def marker_of(declared: StrawberryField) -> Marker:
    """What a field's declaration says beyond its type."""
    marker: Marker = declared.metadata.get(_MARKER, Marker())
    return marker


def entity_named(name: str) -> Entity:
    """An entity by the name of its type."""
    return next(item for item in ENTITIES.values() if item.name == name)


def entity_of(cls: type[Any]) -> Entity:
    """The entity that a class declares."""
    return next(item for item in ENTITIES.values() if item.cls is cls)


def fields_of(cls: type[Any]) -> dict[str, FieldModel]:
    """The fields of an entity, child row or value object by their names in the schema."""
    annotations: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        annotations.update(inspect.get_annotations(base))
    found = {}
    for declared in cls.__strawberry_definition__.fields:
        marker = marker_of(declared)
        name = declared.graphql_name or to_camel_case(declared.python_name)
        if marker.kind is Kind.CHILDREN:
            kind, value_type, is_required = Kind.CHILDREN, declared.metadata["type"], False
        elif marker.kind is Kind.LINKS:
            kind, value_type, is_required = Kind.LINKS, marker.target, False
        elif declared.base_resolver is not None:
            continue
        else:
            value_type, is_required = _unwrap(annotations[declared.python_name])
            kind, value_type = _kind(marker, value_type)
        found[name] = FieldModel(
            name, declared.python_name, kind, value_type, declared.description or "", marker, is_required
        )
    return found


def _unwrap(annotation: Any) -> tuple[Any, bool]:
    """Take the `None` off a type; both spellings of a union have to be seen, or fields silently vanish."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        (inner,) = (item for item in typing.get_args(annotation) if item is not types.NoneType)
        return inner, False
    return annotation, True


def _kind(marker: Marker, value_type: Any) -> tuple[Kind, Any]:
    if marker.kind is Kind.LINK:
        return Kind.LINK, marker.target
    if marker.kind is Kind.TRAIL:
        return Kind.TRAIL, value_type
    if typing.get_origin(value_type) is list:
        (item,) = typing.get_args(value_type)
        return Kind.VALUES, item
    is_class = isinstance(value_type, type) and not issubclass(value_type, Enum)
    is_value = is_class and hasattr(value_type, "__strawberry_definition__")
    return (Kind.VALUE if is_value else Kind.SCALAR), value_type
