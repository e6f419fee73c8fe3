"""Rows of objects that a connection's settings have added: their type, their page and their filter."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from graphql import GraphQLError

from schema.absent import given
from schema.capabilities import FilterOperator
from schema.custom import CustomField, CustomFieldType
from schema.errors import ErrorCode, failure
from schema.filters import And, Condition, Not, Operator, Or, Tree
from schema.model import as_asked, described_input, described_type
from schema.pages import page_type
from schema.records import Keys, Node, Origin
from schema.scalars import JSON, parse_date, parse_datetime, parse_decimal
from schema.sources import SourcedPage

if TYPE_CHECKING:
    from schema.connections import ConnectedSystem

_MAX_DEPTH = 10
_MAX_CONDITIONS = 100


@described_type
class CustomObject(Node):
    """A row of an object that a connection's settings have added."""

    id: strawberry.ID = strawberry.field(description="The global id.")
    object: str = strawberry.field(description="The name of the object.")
    remote_id: str = strawberry.field(description="The row's own key in its system.")
    display_name: str = strawberry.field(description="A name to show to people.")
    connection: Annotated["ConnectedSystem", strawberry.lazy("schema.connections")] = strawberry.field(
        description="The connection that it comes from."
    )
    origin: strawberry.Private[Origin]

    @as_asked("Its fields.")
    def fields(self, keys: Keys = strawberry.UNSET) -> list[CustomField]:
        """Give what was read of them."""
        wanted = given(keys)
        return [item for item in self.origin.custom if wanted is None or item.key in wanted]

    @as_asked("The row as the system sent it.")
    def raw(self) -> JSON | None:
        """Give the whole row."""
        return self.origin.raw.get(None)


CustomObjectConnection = page_type(CustomObject, "rows", SourcedPage)


@described_input
class CustomObjectFilter:
    """Which rows; either one condition, or several put together."""

    and_: list[Annotated["CustomObjectFilter", strawberry.lazy("schema.custom_objects")]] | None = strawberry.field(
        name="and", default=strawberry.UNSET, description="All of these."
    )
    or_: list[Annotated["CustomObjectFilter", strawberry.lazy("schema.custom_objects")]] | None = strawberry.field(
        name="or", default=strawberry.UNSET, description="At least one of these."
    )
    not_: Annotated["CustomObjectFilter", strawberry.lazy("schema.custom_objects")] | None = strawberry.field(
        name="not", default=strawberry.UNSET, description="Not this."
    )
    field: str | None = strawberry.field(default=strawberry.UNSET, description="The field of the condition.")
    operator: FilterOperator | None = strawberry.field(default=strawberry.UNSET, description="The condition.")
    value: JSON | None = strawberry.field(default=strawberry.UNSET, description="The value, or a list of them.")


_LISTS = (Operator.IN, Operator.NOT_IN)
_EQUALITIES = frozenset({Operator.EQ, Operator.NE, *_LISTS})
_RANGES = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE})
_SEARCHES = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})
_OPERATORS = {
    CustomFieldType.TEXT: _EQUALITIES | _SEARCHES,
    CustomFieldType.NUMBER: _EQUALITIES | _RANGES,
    CustomFieldType.BOOLEAN: frozenset({Operator.EQ, Operator.NE}),
    CustomFieldType.DATE: _EQUALITIES | _RANGES,
    CustomFieldType.DATE_TIME: _EQUALITIES | _RANGES,
}


class FilterReader:
    """Reads a filter on the fields of one object into a tree, with every value as its field's type has it."""

    def __init__(self, types: dict[str, CustomFieldType], suggest: Any) -> None:
        self._types = types
        self._suggest = suggest
        self._count = 0

    def read(self, wanted: CustomObjectFilter | None, where: str = "filter", depth: int = 0) -> Tree:
        """The tree; what cannot be meant is refused with its place."""
        if not wanted:
            return And()
        if depth > _MAX_DEPTH:
            raise failure(ErrorCode.QUERY_TOO_DEEP, f"A filter may be {_MAX_DEPTH} levels deep.", field="filter")
        terms: list[Tree] = [
            self.read(group, f"{where}.and.{place}", depth + 1) for place, group in enumerate(given(wanted.and_) or ())
        ]
        if isinstance(wanted.or_, list):
            groups = (self.read(group, f"{where}.or.{place}", depth + 1) for place, group in enumerate(wanted.or_))
            terms.append(Or(tuple(groups)))
        if wanted.not_:
            terms.append(Not(self.read(wanted.not_, f"{where}.not", depth + 1)))
        field, operator = given(wanted.field), given(wanted.operator)
        if (field is None) != (operator is None) or (field is None and given(wanted.value) is not None):
            raise _wrong(where, "A condition has a `field`, an `operator` and a `value`.")
        if field is not None:
            terms.append(self._condition(field, Operator[operator.name], given(wanted.value), where))
        return And(tuple(terms))

    def _condition(self, field: str, operator: Operator, value: Any, where: str) -> Condition:
        self._count += 1
        if self._count > _MAX_CONDITIONS:
            raise failure(
                ErrorCode.QUERY_TOO_COMPLEX, f"A filter may have {_MAX_CONDITIONS} conditions.", field="filter"
            )
        kind = self._types.get(field)
        if kind is None:
            raise _wrong(f"{where}.field", f"The object has no field {field!r}{self._suggest(field, self._types)}")
        if operator is Operator.IS_NULL:
            if not isinstance(value, bool):
                raise _wrong(f"{where}.value", "`IS_NULL` takes true or false.")
            return Condition(field, operator, value)
        if operator not in _OPERATORS.get(kind, ()):
            known = ", ".join(item.name for item in Operator if item in _OPERATORS.get(kind, ()))
            possible = f"{known}, IS_NULL" if known else "IS_NULL"
            message = f"{field!r} holds {kind.name}, which takes: {possible}; not {operator.name}."
            raise _wrong(f"{where}.operator", message)
        if operator in _LISTS:
            if not isinstance(value, list):
                raise _wrong(f"{where}.value", f"`{operator.name}` takes a list.")
            return Condition(field, operator, tuple(_read_value(kind, item, where) for item in value))
        return Condition(field, operator, _read_value(kind, value, where))


def _read_value(kind: CustomFieldType, value: Any, where: str) -> str | bool | Decimal | date | datetime:
    """A value as its type has it; null is never one."""
    found: Any = value
    try:
        match kind:
            case CustomFieldType.NUMBER:
                return parse_decimal(value)
            case CustomFieldType.DATE:
                return parse_date(value)
            case CustomFieldType.DATE_TIME:
                return parse_datetime(value)
            case CustomFieldType.BOOLEAN if isinstance(value, bool):
                return value
            case CustomFieldType.TEXT if isinstance(value, str):
                return value
    except GraphQLError as error:
        raise _wrong(f"{where}.value", error.message) from None
    raise _wrong(f"{where}.value", f"This field is compared with {kind.name}, not with {found!r}.")


def _wrong(field: str, message: str) -> GraphQLError:
    return failure(ErrorCode.VALIDATION_FAILED, message, field=field)
