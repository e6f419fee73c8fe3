"""Contract facts as objects: services, entity sets, properties and how they hang together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Property:
    """One property of an entity type, with the flags of its metadata."""

    name: str
    type: str
    max_length: int | None = None
    precision: int | None = None
    scale: int | None = None
    required: bool = False
    unit: str | None = None
    semantics: str | None = None
    label: str | None = None
    format: str | None = None
    conversion: str | None = None
    """ALPHA (digits are padded to the length inside, shown without zeros) or NUMC (digits only)."""
    creatable: bool = True
    updatable: bool = True
    filterable: bool = True
    sortable: bool = True
    is_amount: bool = False
    """Whether `unit` names a currency, so that its decimals decide how the value is written."""
    whole_units: frozenset[str] | None = None
    """Units that a quantity counts whole, so that it is written without decimals; None: decimals as declared."""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By language: what the service writes instead of the English words that the row holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Navigation:
    """A way from one entity set to another, joined on `on` (own property → property of the target).

    `where` narrows the target further: property → the texts that it may have.
    """

    name: str
    target: str
    many: bool
    on: Mapping[str, str]
    where: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Parent:
    """The entity that owns this one: it is changed with it, and lends it `inherits` on creation."""

    entity_set: str
    on: Mapping[str, str]
    inherits: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EntitySet:
    """An entity set with its type and the rules for writing to it."""

    name: str
    type: str
    namespace: str
    key: tuple[str, ...]
    properties: Mapping[str, Property]
    navigation: Mapping[str, Navigation]
    creatable: bool = True
    updatable: bool = True
    deletable: bool = True
    etag: str | None = None
    parent: Parent | None = None
    numbering: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    required_on_create: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    created_stamps: Mapping[str, str] = field(default_factory=dict)
    changed_stamps: Mapping[str, str] = field(default_factory=dict)
    deletion_flag: Mapping[str, str] = field(default_factory=dict)
    closed_when: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """One service: its entity sets and the filter functions that it takes."""

    name: str
    version: str
    namespace: str
    functions: frozenset[str]
    entity_sets: Mapping[str, EntitySet]

    @property
    def segment(self) -> str:
        """The part of the address that names the service: later versions than the first say so."""
        return self.name if int(self.version) == 1 else f"{self.name};v={int(self.version)}"


def read_services(facts: Mapping[str, Any]) -> dict[str, Service]:
    """Read the services of a facts file; ValueError with every mistake in it."""
    services = {name: _service(name, said) for name, said in facts["services"].items()}
    mistakes = [mistake for service in services.values() for mistake in mistakes_in(service)]
    names = [name for service in services.values() for name in service.entity_sets]
    mistakes += [f"{name}: in two services" for name in sorted({n for n in names if names.count(n) > 1})]
    if mistakes:
        raise ValueError("facts contradict themselves:\n" + "\n".join(mistakes))
    return services


def _service(name: str, said: Mapping[str, Any]) -> Service:
    namespace = said.get("namespace", name)
    return Service(
        name=name,
        version=said.get("version", "0001"),
        namespace=namespace,
        functions=frozenset(said.get("functions", ())),
        entity_sets={each: _entity_set(each, namespace, facts, said) for each, facts in said["entitySets"].items()},
    )


def _entity_set(name: str, namespace: str, said: Mapping[str, Any], service: Mapping[str, Any]) -> EntitySet:
    denied = said.get("not", ())
    parent = said.get("parent")
    units = {each for each, facts in said["properties"].items() if facts.get("semantics") == "currency-code"}
    return EntitySet(
        name=name,
        type=said["type"],
        namespace=namespace,
        key=tuple(said["key"]),
        properties={each: _property(each, facts, units, service) for each, facts in said["properties"].items()},
        navigation={
            each: Navigation(each, facts["to"], facts["many"], facts["on"], facts.get("where", {}))
            for each, facts in said.get("navigation", {}).items()
        },
        creatable="creatable" not in denied,
        updatable="updatable" not in denied,
        deletable="deletable" not in denied,
        etag=said.get("etag"),
        parent=Parent(parent["entitySet"], parent["on"], tuple(parent.get("inherits", ()))) if parent else None,
        numbering=said.get("numbering", {}),
        required_on_create=tuple(said.get("requiredOnCreate", ())),
        defaults=said.get("defaults", {}),
        created_stamps=said.get("createdStamps", {}),
        changed_stamps=said.get("changedStamps", {}),
        deletion_flag=said.get("deletionFlag", {}),
        closed_when=said.get("closedWhen", {}),
    )


def _property(name: str, said: Mapping[str, Any], currencies: set[str], service: Mapping[str, Any]) -> Property:
    denied = said.get("not", ())
    unit = said.get("unit")
    counted = unit is not None and unit not in currencies and "wholeUnits" in service
    return Property(
        name=name,
        type=said["type"],
        max_length=said.get("maxLength"),
        precision=said.get("precision"),
        scale=said.get("scale"),
        required=said.get("required", False),
        unit=unit,
        semantics=said.get("semantics"),
        label=said.get("label"),
        format=said.get("format"),
        conversion=said.get("conversion"),
        creatable="creatable" not in denied,
        updatable="updatable" not in denied,
        filterable="filterable" not in denied,
        sortable="sortable" not in denied,
        is_amount=unit in currencies,
        whole_units=frozenset(service["wholeUnits"]) if counted else None,
        words=service.get("words", {}) if said.get("worded") else {},
    )


def redescribed(service: Service, collection: str, fields: Mapping[str, str | None]) -> Service:
    """Return the service with other properties of an entity set; ValueError where they do not fit together."""
    entity_set = service.entity_sets[collection]
    kept = {name: each for name, each in entity_set.properties.items() if name not in fields}
    new = {name: Property(name, kind) for name, kind in fields.items() if kind is not None}
    changed = replace(entity_set, properties=kept | new)
    service = replace(service, entity_sets={**service.entity_sets, collection: changed})
    if mistakes := mistakes_in(service):
        raise ValueError("; ".join(mistakes))
    return service


def mistakes_in(service: Service) -> list[str]:
    """Return what does not fit together in a service."""
    found = []
    for entity_set in service.entity_sets.values():
        own = entity_set.properties
        named = [*entity_set.key, *entity_set.numbering, *entity_set.required_on_create]
        named += [*entity_set.created_stamps, *entity_set.changed_stamps, *entity_set.defaults]
        named += [*entity_set.deletion_flag, *entity_set.closed_when]
        named += [entity_set.etag] if entity_set.etag else []
        joins = [(each.target, each.on, each.where, each.name) for each in entity_set.navigation.values()]
        if entity_set.parent:
            named += entity_set.parent.inherits
            joins.append((entity_set.parent.entity_set, entity_set.parent.on, {}, "parent"))
        found += [f"{entity_set.name}: no property {name}" for name in named if name not in own]
        for target, on, where, link in joins:
            other = service.entity_sets.get(target)
            if other is None:
                found.append(f"{entity_set.name}.{link}: no entity set {target}")
                continue
            found += [f"{entity_set.name}.{link}: no property {name}" for name in on if name not in own]
            found += [
                f"{entity_set.name}.{link}: {target} has no property {name}"
                for name in (*on.values(), *where)
                if name not in other.properties
            ]
    return found
