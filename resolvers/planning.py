"""Plans every root field of a query before any of them runs: what is executed, priced and explained is one plan."""

from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from graphql import DocumentNode, FragmentDefinitionNode, OperationType, get_named_type, get_operation_ast
from graphql.execution.values import get_variable_values
from strawberry.types.field import StrawberryField

from resolvers.ports import Context
from resolvers.selection import SelectionReader, declared_field
from schema.selection import Selection

Select = Callable[[str | None], Selection]
"""What is selected below a root field, given what an interface turns out to be."""

Planner = Callable[[Context, Mapping[str, Any], Select], Any]
"""Makes the plan of a root field from its arguments and what is selected below; raises what is wrong with them."""

_PLANNER = "switchgear planner"


def planned_by(planner: Planner) -> dict[str, Planner]:
    """The metadata of a root field that is planned before it runs."""
    return {_PLANNER: planner}


def plan_of(info: strawberry.Info[Context, Any]) -> Any:
    """The plan of the root field that is being resolved; what was wrong with it is raised here, as its error."""
    plan = info.context.plans[str(info.path.key)]
    if isinstance(plan, Exception):
        raise plan
    return plan


def plan_operation(
    schema: strawberry.Schema,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any] | None,
    context: Context,
) -> dict[str, Any]:
    """The plans of the root fields of a valid query, or their errors, by the names that the answer gives them.

    Variables that do not fit leave nothing to plan: executing such a query is refused as a whole.
    """
    executable = schema._schema
    operation = get_operation_ast(document, operation_name)
    if operation is None or operation.operation is not OperationType.QUERY or executable.query_type is None:
        return {}
    values = get_variable_values(executable, operation.variable_definitions or (), dict(variables or {}))
    if isinstance(values, list):
        return {}
    fragments = {item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)}
    reader = SelectionReader(executable, schema.schema_converter, fragments, values.coerced)
    root = executable.query_type
    plans: dict[str, Any] = {}
    for answered, nodes in reader.fields(operation.selection_set.selections, root).items():
        definition = root.fields.get(nodes[0].name.value)
        declared = declared_field(definition) if definition is not None else None
        if declared is not None and _PLANNER in declared.metadata:
            plans[answered] = _plan_field(reader, definition, declared, nodes, executable, context)
    return plans


def _plan_field(
    reader: SelectionReader, definition: Any, declared: StrawberryField, nodes: Any, executable: Any, context: Context
) -> Any:
    """The plan of one root field; whatever is wrong is kept, and is the error of this field alone."""

    def select(runtime_type: str | None = None) -> Selection:
        named = get_named_type(definition.type)
        return reader.below(nodes, executable.type_map[runtime_type] if runtime_type is not None else named)

    try:
        return declared.metadata[_PLANNER](context, reader.arguments(definition, nodes[0]), select)
    except Exception as error:
        return error
