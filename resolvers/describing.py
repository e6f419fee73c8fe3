"""Tells clients what a kind of system is and can do, from its spec."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import strawberry

from connectors import spec
from connectors.composites import Many, Parts
from connectors.derived import AsOf, FromWords
from connectors.fields import FieldSpec
from connectors.plan import push
from schema.capabilities import (
    EntityCapability,
    FieldCapability,
    Operation,
    OperationCapability,
    OperationSupport,
    filter_operator,
)
from schema.filters import Condition, DecimalFilter, MoneyFilter, Operator, shape_of
from schema.model import ENTITIES, Entity, FieldModel
from schema.systems import AuthMethod, Guide, System

_NOT_WRITTEN = "This product only reads so far."


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
    fields = [_describe_field(entity, name, resources) for name in _names(entity)] if resources else []
    return EntityCapability(
        entity=entity.type,
        operations=operations,
        all_fields=[*fields, *(child for resource in resources[:1] for child in _describe_children(resource))],
    )


def _names(entity: Entity) -> list[str]:
    return [item.name for item in entity.mapped_fields()]


def _describe_field(entity: Entity, name: str, resources: tuple[spec.Resource, ...]) -> FieldCapability:
    """A field of an entity; where several collections fill it, what all of them can do."""
    words = [resource.fields.get(name) for resource in resources]
    found = [word for word in words if word is not None]
    if not found:
        is_known = any(name in resource.unmapped for resource in resources)
        reason = "It is not mapped yet." if is_known else "The system has no such field."
        return FieldCapability(path=name, is_readable=False, reason=reason)
    return FieldCapability(
        path=name,
        is_readable=True,
        is_sortable=len(found) == len(words) and all(_sorts(word) for word in found),
        filter_operators=[
            filter_operator(operator)
            for operator in Operator
            if all(_pushes(entity, name, operator, resource) for resource in resources)
        ],
        costs_extra_call=any(path.startswith("@") for word in found for path in word.paths()),
    )


def _describe_children(resource: spec.Resource) -> Iterator[FieldCapability]:
    for name, word in resource.fields.items():
        if isinstance(word, Many):
            for child in [*word.fields, *word.unsupported, *word.unmapped]:
                is_mapped = child in word.fields
                known = "It is not mapped yet." if child in word.unmapped else "The system has no such field."
                yield FieldCapability(
                    path=f"{name}.{child}",
                    is_readable=is_mapped,
                    costs_extra_call=word.path.startswith("@"),
                    reason=None if is_mapped else known,
                )


def _sorts(word: FieldSpec) -> bool:
    parts = word.fields.values() if isinstance(word, Parts) else (word,)
    return any(getattr(part, "sort", False) for part in parts)


_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def _pushes(entity: Entity, name: str, operator: Operator, resource: spec.Resource) -> bool:
    """Whether the source takes such a condition, tried with a value that every word understands."""
    entries = [entry for entry in shape_of(entity).entries if entry.path.partition(".")[0] == name]
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
