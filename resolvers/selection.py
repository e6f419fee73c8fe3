"""Reads what a query selects below a field: fragments, aliases, @skip and @include resolved to plain names."""

from collections.abc import Iterable
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_object_type,
    value_from_ast_untyped,
)

from schema.selection import Selection, merge


def selection_of(info: GraphQLResolveInfo[Any], runtime_type: str | None = None) -> Selection:
    """Everything selected below the field being resolved; `runtime_type` is what an interface turns out to be."""
    named = get_named_type(info.return_type)
    if runtime_type is not None:
        named = info.schema.type_map[runtime_type]
    nodes = [node for field in info.field_nodes if field.selection_set for node in field.selection_set.selections]
    return _collect(nodes, named, info)


def _collect(nodes: Iterable[SelectionNode], parent: Any, info: GraphQLResolveInfo[Any]) -> dict[str, Selection | None]:
    found: dict[str, Selection | None] = {}
    for node in nodes:
        if not _is_included(node, info):
            continue
        match node:
            case FieldNode():
                _add(found, node, parent, info)
            case InlineFragmentNode():
                if node.type_condition is None or _applies(node.type_condition.name.value, parent, info):
                    found = dict(merge(found, _collect(node.selection_set.selections, parent, info)))
            case FragmentSpreadNode():
                fragment = info.fragments[node.name.value]
                if _applies(fragment.type_condition.name.value, parent, info):
                    found = dict(merge(found, _collect(fragment.selection_set.selections, parent, info)))
    return found


def _add(found: dict[str, Selection | None], node: FieldNode, parent: Any, info: GraphQLResolveInfo[Any]) -> None:
    name = node.name.value
    if name.startswith("__"):
        return
    inner: Selection | None = None
    if node.selection_set is not None and name in parent.fields:
        inner = _collect(node.selection_set.selections, get_named_type(parent.fields[name].type), info)
    merged = merge({name: found[name]}, {name: inner})[name] if name in found else inner
    found[name] = merged


def _is_included(node: SelectionNode, info: GraphQLResolveInfo[Any]) -> bool:
    conditions = {item.name.value: item.arguments[0].value for item in node.directives or () if item.arguments}
    return not _is_true(conditions.get("skip"), False, info) and _is_true(conditions.get("include"), True, info)


def _is_true(condition: ValueNode | None, otherwise: bool, info: GraphQLResolveInfo[Any]) -> bool:
    """The value of a directive's only argument, `if`."""
    match condition:
        case None:
            return otherwise
        case VariableNode():
            # By the time it comes here, it is a plain dictionary, whatever its type says.
            values: Any = info.variable_values
            return bool(values[condition.name.value])
        case _:
            return bool(value_from_ast_untyped(condition))


def _applies(condition: str, parent: Any, info: GraphQLResolveInfo[Any]) -> bool:
    """Whether a fragment on a type concerns the type at hand."""
    if condition == parent.name:
        return True
    conditional = info.schema.type_map[condition]
    if is_abstract_type(conditional) and isinstance(parent, GraphQLObjectType):
        return info.schema.is_sub_type(conditional, parent)
    return is_abstract_type(parent) and is_object_type(conditional)
