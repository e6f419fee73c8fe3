"""Tells clients what a kind of system is and can do, from its spec."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import strawberry

from connectors import spec
from connectors.composites import Many
from connectors.derived import AsOf, FromWords
from connectors.filling import Filling, filling_of, needs_second_call
from connectors.plan import plan_read
from connectors.pushing import push
from schema.capabilities import (
    EntityCapability,
    FieldCapability,
    Operation,
    OperationCapability,
    OperationSupport,
    filter_operator,
)
from schema.filters import EVERYTHING, Condition, DecimalFilter, MoneyFilter, Operator, shape_of
from schema.model import ENTITIES, Entity, FieldModel
from schema.sorting import SortStep, sort_path
from schema.systems import AuthMethod, Guide, System

_NOT_WRITTEN = "This product only reads so far."
NOT_MAPPED = "It is not mapped yet."
NO_SUCH_FIELD = "The system has no such field."
COMPUTED = "It is computed here from several values, so the system can neither filter nor sort by it."


@cache
def describe_system(system: spec.System) -> System:
    """A system as clients see it."""
    return System(
        id=strawberry.ID(f"sys_{system.key}"),
        key=system.key,
        title=system.title,
        vendor=system.vendor,
        category=system.category,
        tier=system.tier,
        deployments=list(system.deployments),
        auth_methods=[
            AuthMethod(key=method.key, title=method.title, description=method.description, fields=list(method.fields))
            for method in system.auth_methods
        ],
        guide=Guide(steps=list(system.guide)),
        all_capabilities=[_describe_entity(system, entity) for entity in ENTITIES.values()],
    )


def _describe_entity(system: spec.System, entity: Entity) -> EntityCapability:
    resources = system.resources_of(entity.cls)
    nothing = f"{system.title} has no {entity.plural}."
    operations = [
        OperationCapability(operation=Operation.READ, support=OperationSupport.SUPPORTED)
        if resources
        else OperationCapability(operation=Operation.READ, support=OperationSupport.UNSUPPORTED, reason=nothing)
    ]
    for operation in (Operation.CREATE, Operation.UPDATE, Operation.DELETE):
        support = OperationSupport.NOT_IMPLEMENTED if resources else OperationSupport.UNSUPPORTED
        reason = _NOT_WRITTEN if resources else nothing
        operations.append(OperationCapability(operation=operation, support=support, reason=reason))
    fields = [_describe_field(name, resources) for name in _names(entity)] if resources else []
    return EntityCapability(
        entity=entity.type,
        operations=operations,
        supports_total_count=bool(resources) and all(_counts(system, resource) for resource in resources),
        all_fields=[*fields, *(child for resource in resources[:1] for child in _describe_children(resource))],
    )


def _counts(system: spec.System, resource: spec.Resource) -> bool:
    read = plan_read(resource, EVERYTHING).counting
    return read is not None and system.protocol.count(read, {}) is not None


def _names(entity: Entity) -> list[str]:
    return [item.name for item in entity.mapped_fields()]


def _describe_field(name: str, resources: tuple[spec.Resource, ...]) -> FieldCapability:
    """A field of an entity; where several collections fill it, what all of them can do."""
    words = [resource.fields.get(name) for resource in resources]
    found = [word for word in words if word is not None]
    if not found:
        is_known = any(name in resource.unmapped for resource in resources)
        return FieldCapability(path=name, is_readable=False, reason=NOT_MAPPED if is_known else NO_SUCH_FIELD)
    return FieldCapability(
        path=name,
        is_readable=True,
        is_sortable=all(sorts(resource, name) for resource in resources),
        filter_operators=[
            filter_operator(operator)
            for operator in Operator
            if all(pushes(resource, name, operator) for resource in resources)
        ],
        costs_extra_call=any(map(needs_second_call, found)),
        reason=COMPUTED if any(filling_of(word) is Filling.COMPUTED for word in found) else None,
    )


def _describe_children(resource: spec.Resource) -> Iterator[FieldCapability]:
    for name, word in resource.fields.items():
        if isinstance(word, Many):
            for child, inner in word.fields.items():
                yield FieldCapability(
                    path=f"{name}.{child}",
                    is_readable=True,
                    costs_extra_call=needs_second_call(word),
                    reason=COMPUTED if filling_of(inner) is Filling.COMPUTED else None,
                )
            for child in [*word.unsupported, *word.unmapped]:
                reason = NOT_MAPPED if child in word.unmapped else NO_SUCH_FIELD
                yield FieldCapability(path=f"{name}.{child}", is_readable=False, reason=reason)


def sorts(resource: spec.Resource, name: str) -> bool:
    """Whether the source itself makes the order that clients may ask for by a field."""
    item = resource.model.fields[name]
    if item.marker.sort is None:
        return False
    return bool(plan_read(resource, EVERYTHING, (SortStep(name, sort_path(item), descending=False),)).sorters)


_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def pushes(resource: spec.Resource, name: str, operator: Operator) -> bool:
    """Whether the source takes such a condition, tried with a value that every word understands."""
    entries = [entry for entry in shape_of(resource.model).entries if entry.path.partition(".")[0] == name]
    for entry in entries:
        is_money = entry.input is MoneyFilter
        compared = DecimalFilter if is_money else entry.input
        path = f"{entry.path}.amount" if is_money else entry.path
        found = resource.find(path)
        if found is None or f"{operator.word}_" not in compared.__annotations__:
            continue
        word, model = found
        if isinstance(word, FromWords | AsOf):
            continue  # asked for fewer rows at best, it is decided here
        if push(resource, Condition(path, operator, _sample(operator, model))) is not None:
            return True
    return False


def _sample(operator: Operator, model: FieldModel) -> Any:
    """Something that such a condition may compare with."""
    if operator is Operator.IS_NULL:
        return True
    value = next(iter(model.type)) if model.is_enum else _MOMENT if model.plain_type is datetime else "1"
    return (value,) if operator in (Operator.IN, Operator.NOT_IN) else value
