"""Reads what a query selects below a field: fragments, aliases, @skip and @include resolved to plain names."""

from collections.abc import Iterable
from typing import Any

import strawberry
from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    SelectionNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_object_type,
    value_from_ast_untyped,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from schema.model import Kind, marker_of
from schema.selection import Selection, Use, merge


def selection_of(info: strawberry.Info[Any, Any], runtime_type: str | None = None) -> Selection:
    """Everything selected below the field being resolved; `runtime_type` is what an interface turns out to be."""
    raw = info._raw_info
    named = raw.schema.type_map[runtime_type] if runtime_type is not None else get_named_type(raw.return_type)
    nodes = [node for field in raw.field_nodes if field.selection_set for node in field.selection_set.selections]
    return _Reader(info).collect(nodes, named)


class _Reader:
    """Reads selections of one document."""

    def __init__(self, info: strawberry.Info[Any, Any]) -> None:
        self._info = info._raw_info
        self._converter = info.schema.schema_converter
        # By the time they come here, they are a plain dictionary, whatever their type says.
        self._variables: Any = self._info.variable_values

    def collect(self, nodes: Iterable[SelectionNode], parent: Any) -> dict[str, Any]:
        """What these nodes select of a type."""
        found: Selection = {}
        for node in nodes:
            if not self._is_included(node):
                continue
            match node:
                case FieldNode():
                    found = merge(found, self._read_field(node, parent))
                case InlineFragmentNode():
                    if node.type_condition is None or self._applies(node.type_condition.name.value, parent):
                        found = merge(found, self.collect(node.selection_set.selections, parent))
                case FragmentSpreadNode():
                    fragment = self._info.fragments[node.name.value]
                    if self._applies(fragment.type_condition.name.value, parent):
                        found = merge(found, self.collect(fragment.selection_set.selections, parent))
        return dict(found)

    def _read_field(self, node: FieldNode, parent: Any) -> Selection:
        name = node.name.value
        if name.startswith("__") or name not in parent.fields:
            return {}
        definition = parent.fields[name]
        inner = None
        if node.selection_set is not None:
            inner = self.collect(node.selection_set.selections, get_named_type(definition.type))
        declared = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if declared is not None and marker_of(declared).is_read_as_asked:
            arguments = self._arguments(definition, node, declared)
            return {name: {repr(arguments): Use(arguments, inner or {})}}
        if inner is None or declared is None or marker_of(declared).kind is not Kind.LINKS:
            return {name: inner}
        alias = node.alias.value if node.alias is not None else name
        return {name: {alias: Use(self._arguments(definition, node, declared), inner)}}

    def _arguments(self, definition: Any, node: FieldNode, declared: StrawberryField) -> dict[str, Any]:
        """The arguments of a field as its resolver would get them."""
        return convert_arguments(
            get_argument_values(definition, node, VariableValues(sources={}, coerced=self._variables)),
            declared.arguments,
            scalar_registry=self._converter.scalar_registry,
            config=self._converter.config,
        )

    def _is_included(self, node: SelectionNode) -> bool:
        conditions = {item.name.value: item.arguments[0].value for item in node.directives or () if item.arguments}
        return not self._is_true(conditions.get("skip"), False) and self._is_true(conditions.get("include"), True)

    def _is_true(self, condition: ValueNode | None, otherwise: bool) -> bool:
        """The value of a directive's only argument, `if`."""
        match condition:
            case None:
                return otherwise
            case VariableNode():
                return bool(self._variables[condition.name.value])
            case _:
                return bool(value_from_ast_untyped(condition))

    def _applies(self, condition: str, parent: Any) -> bool:
        """Whether a fragment on a type concerns the type at hand."""
        if condition == parent.name:
            return True
        conditional = self._info.schema.type_map[condition]
        if is_abstract_type(conditional) and isinstance(parent, GraphQLObjectType):
            return self._info.schema.is_sub_type(conditional, parent)
        return is_abstract_type(parent) and is_object_type(conditional)
