"""The words that a system is described in: the system, its resources, its logins; checked whole, at import."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import httpx

from connectors.composites import EachChild, Many, PartOfAll, Parts
from connectors.fields import FieldSpec
from connectors.keys import TEXT, KeyForm
from connectors.protection.limits import UNPUBLISHED, Limits
from connectors.protocols.base import WireProtocol
from connectors.query import ALWAYS, Compare, Comparison, OrderBy, Where
from schema.filters import shape_of
from schema.model import Entity, FieldModel, Kind, entity_of, fields_of
from schema.systems import Deployment, FormField, GuideStep, SystemCategory


class SpecError(Exception):
    """A system is described wrongly; the message lists every mistake."""

    def __init__(self, system: str, mistakes: list[str]) -> None:
        super().__init__(f"{system} is described wrongly:\n" + "\n".join(f"  - {item}" for item in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, eq=False)
class Places:
    """The places at which a source works out the values of a collection beside, when its question names them.

    They are read first, from a collection of their own; `name` is the word of the question's context that takes their
    keys. Those that are `apart` are asked about one by one, and words reach the place of a row under `@place`; more
    than `most` of them would be too many questions. Otherwise one question is about all of them together.
    """

    name: str
    source: str
    where: Where = ALWAYS
    key: str = "id"
    apart: bool = False
    most: int = 100


@dataclass(frozen=True, eq=False)
class Beside:
    """Rows of another collection that belong to a resource's rows, read for all of them together when needed.

    Words reach them under `@name`. `key` is the path, in these rows, of the key of the row that they belong to.
    `order` is the path, or the paths, that put the rows of one key in an order without ties, since a source may cut
    its answer anywhere. `context` is what the source has to know to work its values out, and `places` where it does.
    """

    source: str
    key: str
    order: str | tuple[str, ...]
    where: Where = ALWAYS
    context: Mapping[str, Any] = field(default_factory=dict)
    places: Places | None = None

    @property
    def order_paths(self) -> tuple[str, ...]:
        """The paths of the order."""
        return (self.order,) if isinstance(self.order, str) else self.order


@dataclass(frozen=True, eq=False)
class Resource:
    """One entity in one system: where its rows are, their key, and a word for each field.

    Every field of the entity is named exactly once: in `fields`, in `unsupported` (the system has no such thing)
    or in `unmapped` (it may have it, but nobody has mapped it yet). `key` is the path of the key, and `key_form`
    how keys are written. `title` is the field that names a record to people. `max_keys` is how many keys the
    source takes in one question. `is_asked_by_address` says that questions are part of the address, so that
    conditions can list only so much before servers refuse it. `where` is what makes a row of the source a record of
    this entity. Where several resources of a system fill one entity, a `prefix` tells their keys apart. `beside` are
    collections whose rows belong to the rows of this one.
    """

    entity: type[Any]
    source: str
    key: str
    fields: Mapping[str, FieldSpec]
    unsupported: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    key_form: KeyForm = TEXT
    title: str = "number"
    max_keys: int = 100
    page_size: int = 200
    is_asked_by_address: bool = False
    where: Where = ALWAYS
    prefix: str = ""
    beside: Mapping[str, Beside] = field(default_factory=dict)

    @property
    def key_order(self) -> tuple[OrderBy, ...]:
        """The order of keys, in which rows are read."""
        return (OrderBy(self.key),)

    def behind(self, key: str) -> Where:
        """What rows meet that come after this key in their order."""
        return Compare(self.key, Comparison.GT, self.key_form.kind(key), self.key_form.kind)

    def owns(self, reference: str) -> bool:
        """Whether a reference to the entity is to a record of this resource."""
        return reference.startswith(self.prefix)

    def own_key(self, reference: str) -> str:
        """The key that the source itself has for what a reference is to."""
        return reference.removeprefix(self.prefix)

    @property
    def model(self) -> Entity:
        """The entity as the schema declares it."""
        return entity_of(self.entity)

    def filter_name(self, path: str) -> str:
        """The filter on a path as clients spell it."""
        entries = shape_of(self.model).entries
        return next((entry.name for entry in entries if entry.path == path), path.partition(".")[0])

    def find(self, path: str) -> tuple[FieldSpec, FieldModel] | None:
        """The word and the model of a dotted path such as total.amount; None where nothing is mapped."""
        name, _, part = path.partition(".")
        spec, model = self.fields.get(name), self.model.fields.get(name)
        if spec is None or model is None:
            return None
        if not part:
            return spec, model
        inner, models = spec.part(part), fields_of(model.type)
        if inner is not None and isinstance(spec, Parts) and spec.may_lack_others(part, models):
            inner = PartOfAll(inner)
        return None if inner is None else (inner, models[part])


@dataclass(frozen=True, eq=False)
class AuthMethod:
    """A way of logging in: the form that asks for it, and how its answers become an httpx.Auth.

    `expiry` is the field that asks for the day on which the credentials expire, where they do.
    """

    key: str
    title: str
    fields: tuple[FormField, ...]
    flow: Callable[[Mapping[str, str]], httpx.Auth]
    description: str | None = None
    expiry: str | None = None


@dataclass(frozen=True, eq=False)
class System:
    """A kind of system: everything that the product says and does about it follows from this.

    `address` makes the base address of all calls from the answers of the form. `limits` is what its maker says that
    it bears. `revision` changes with a description that changes while the product stays the same, so that nothing kept
    under one is read under another.
    """

    key: str
    title: str
    vendor: str
    category: SystemCategory
    tier: int
    deployments: tuple[Deployment, ...]
    protocol: WireProtocol
    resources: tuple[Resource, ...]
    auth_methods: tuple[AuthMethod, ...]
    guide: tuple[GuideStep, ...]
    address: Callable[[Mapping[str, str]], str]
    options: tuple[FormField, ...] = field(default=())
    limits: Limits = UNPUBLISHED
    revision: str = ""

    def __post_init__(self) -> None:
        """Refuse a wrong description at import, with all of its mistakes at once."""
        mistakes = [mistake for resource in self.resources for mistake in _mistakes(resource)]
        mistakes += _prefix_mistakes(self.resources)
        mistakes += _login_mistakes(self.auth_methods)
        if mistakes:
            raise SpecError(self.key, mistakes)

    def resource(self, entity: type[Any]) -> Resource | None:
        """The resource that fills an entity; None where the system has no such records."""
        return next((item for item in self.resources if item.entity is entity), None)

    def resources_of(self, entity: type[Any]) -> tuple[Resource, ...]:
        """The resources that fill an entity; none where the system has no such records."""
        return tuple(item for item in self.resources if item.entity is entity)

    def auth_method(self, key: str) -> AuthMethod | None:
        """A way of logging in by its key."""
        return next((item for item in self.auth_methods if item.key == key), None)


def _login_mistakes(methods: tuple[AuthMethod, ...]) -> Iterator[str]:
    for method in methods:
        if method.expiry is not None and method.expiry not in {item.name for item in method.fields}:
            yield f"login {method.key}: `expiry` names {method.expiry!r}, which its form does not ask for"


def _prefix_mistakes(resources: tuple[Resource, ...]) -> Iterator[str]:
    """Where several resources fill one entity, each reference has to lead to exactly one of them."""
    for place, resource in enumerate(resources):
        for other in resources[place + 1 :]:
            shorter, longer = sorted((resource.prefix, other.prefix), key=len)
            if resource.entity is other.entity and longer.startswith(shorter):
                sources = f"{resource.source} and {other.source}"
                yield f"{resource.model.name}: `prefix` does not tell the keys of {sources} apart"


def _mistakes(resource: Resource) -> Iterator[str]:
    known = {item.name: item for item in resource.model.mapped_fields()}
    where = resource.model.name
    yield from _name_mistakes(where, known, resource.fields, resource.unsupported, resource.unmapped)
    filters = {entry.path for entry in shape_of(resource.model).entries}
    for name, spec in resource.fields.items():
        if name in known:
            yield from _field_mistakes(f"{where}.{name}", known[name], spec)
            yield from _ability_mistakes(f"{where}.{name}", name, known[name], spec, filters)
    if resource.title not in resource.fields:
        yield f"{where}: `title` names {resource.title!r}, which is not mapped"
    if not resource.key:
        yield f"{where}: `key` is empty"


def _name_mistakes(
    where: str,
    known: Mapping[str, FieldModel],
    mapped: Mapping[str, FieldSpec],
    unsupported: tuple[str, ...],
    unmapped: tuple[str, ...],
) -> Iterator[str]:
    named = [*mapped, *unsupported, *unmapped]
    for name in named:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            yield f"{where} has no field {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")
    for name in known:
        if named.count(name) == 0:
            yield f"{where}.{name} is forgotten: map it, or name it in `unsupported` or `unmapped`"
        elif named.count(name) > 1:
            yield f"{where}.{name} is named more than once"


def _field_mistakes(where: str, model: FieldModel, spec: FieldSpec) -> Iterator[str]:
    match spec:
        case Many():
            if model.kind is not Kind.CHILDREN:
                yield f"{where} holds no child rows"
                return
            known = {name: item for name, item in fields_of(model.type).items() if name != "id"}
            yield from _name_mistakes(where, known, spec.fields, spec.unsupported, spec.unmapped)
            for name, inner in spec.fields.items():
                if name in known:
                    yield from _field_mistakes(f"{where}.{name}", known[name], inner)
                    yield from _idle_mistakes(f"{where}.{name}", inner)
        case EachChild(_, parts):
            yield from _field_mistakes(where, model, parts)
            for name, inner in parts.fields.items():
                yield from _idle_mistakes(f"{where}.{name}", inner)
        case Parts(parts):
            if model.kind not in (Kind.VALUE, Kind.VALUES):
                yield f"{where} has no parts"
                return
            models = fields_of(model.type)
            for name, inner in parts.items():
                if name not in models:
                    close = get_close_matches(name, models, n=1)
                    yield f"{where} has no part {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")
                else:
                    yield from _field_mistakes(f"{where}.{name}", models[name], inner)
            for name, part in models.items():
                if part.is_required and name not in parts:
                    yield f"{where} lacks its part {name!r}"
        case _:
            yield from spec.mistakes(where, model)


def _idle_mistakes(where: str, spec: FieldSpec) -> Iterator[str]:
    """What is declared for child rows would never be asked of the source."""
    words = spec.fields.values() if isinstance(spec, Parts) else (spec,)
    if any(getattr(word, "filter", None) or getattr(word, "sort", False) for word in words):
        yield f"{where} declares a filter or a sort, which child rows do not have"


def _ability_mistakes(where: str, name: str, model: FieldModel, spec: FieldSpec, filters: set[str]) -> Iterator[str]:
    """What a source can filter or sort is of use only where the contract lets clients ask for it."""
    words = {name: spec}
    if isinstance(spec, Parts):
        words = {f"{name}.{part}": inner for part, inner in spec.fields.items()}
    for path, word in words.items():
        is_filterable = path in filters or (name in filters and path != name)
        if getattr(word, "filter", None) and not is_filterable:
            yield f"{where} declares a filter, which the contract does not offer there"
        if getattr(word, "sort", False) and model.marker.sort is None:
            yield f"{where} declares a sort, which the contract does not offer there"
