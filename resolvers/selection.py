"""Reads what a query selects below a field: fragments, aliases, @skip and @include resolved to plain names."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
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


class SelectionReader:
    """Reads the selections of one valid document; `variables` are the values that the schema has made of them."""

    def __init__(
        self,
        schema: GraphQLSchema,
        converter: GraphQLCoreConverter,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._converter = converter
        self._fragments = fragments
        self._variables = variables

    def below(self, nodes: Iterable[FieldNode], parent: Any) -> Selection:
        """Everything selected below the nodes of one field, whose values are of type `parent`."""
        inner = (item for node in nodes if node.selection_set for item in node.selection_set.selections)
        found: Selection = {}
        for answered, same in self.fields(inner, parent).items():
            found = merge(found, self._read_field(answered, same, parent))
        return dict(found)

    def fields(self, nodes: Iterable[SelectionNode], parent: Any) -> dict[str, list[FieldNode]]:
        """The fields that these nodes select of a type, by the names that the answer gives them."""
        found: dict[str, list[FieldNode]] = {}
        for node in self._flatten(nodes, parent, set()):
            found.setdefault(node.alias.value if node.alias is not None else node.name.value, []).append(node)
        return found

    def _flatten(self, nodes: Iterable[SelectionNode], parent: Any, seen: set[str]) -> Iterator[FieldNode]:
        """Open fragments; one that stands in the same place again adds nothing, and would multiply the work."""
        for node in nodes:
            if not self._is_included(node):
                continue
            match node:
                case FieldNode():
                    yield node
                case InlineFragmentNode():
                    if node.type_condition is None or self._applies(node.type_condition.name.value, parent):
                        yield from self._flatten(node.selection_set.selections, parent, seen)
                case FragmentSpreadNode() if node.name.value not in seen:
                    seen.add(node.name.value)
                    fragment = self._fragments[node.name.value]
                    if self._applies(fragment.type_condition.name.value, parent):
                        yield from self._flatten(fragment.selection_set.selections, parent, seen)

    def _read_field(self, answered: str, nodes: list[FieldNode], parent: Any) -> Selection:
        name = nodes[0].name.value
        if name.startswith("__") or name not in parent.fields:
            return {}
        definition = parent.fields[name]
        inner = None
        if nodes[0].selection_set is not None:
            inner = self.below(nodes, get_named_type(definition.type))
        declared = declared_field(definition)
        if declared is not None and marker_of(declared).is_read_as_asked:
            arguments = self.arguments(definition, nodes[0])
            return {name: {repr(arguments): Use(arguments, inner or {})}}
        if inner is None or declared is None or marker_of(declared).kind is not Kind.LINKS:
            return {name: inner}
        return {name: {answered: Use(self.arguments(definition, nodes[0]), inner)}}

    def arguments(self, definition: Any, node: FieldNode) -> dict[str, Any]:
        """The arguments of a field as its resolver would get them."""
        declared = declared_field(definition)
        values = get_argument_values(definition, node, VariableValues(sources={}, coerced=dict(self._variables)))
        return convert_arguments(
            values,
            declared.arguments if declared is not None else [],
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
        conditional = self._schema.type_map[condition]
        if is_abstract_type(conditional) and isinstance(parent, GraphQLObjectType):
            return self._schema.is_sub_type(conditional, parent)
        return is_abstract_type(parent) and is_object_type(conditional)


def declared_field(definition: Any) -> StrawberryField | None:
    """What declares a field of the executable schema; None for fields of the language itself."""
    declared: StrawberryField | None = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return declared
