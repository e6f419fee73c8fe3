"""What a query document may hold: operations, tokens, depth and aliases, with a clear error before anything runs."""

from collections.abc import Callable, Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    ValidationContext,
    ValidationRule,
)
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from gateway.settings import Settings
from schema.errors import ErrorCode, failure


def limits_extension(
    settings: Settings, executed: Callable[[ExecutionContext], None] = lambda _: None
) -> type[SchemaExtension]:
    """An extension that holds every document against the settings.

    `executed` is called after each operation; an extension of its own would cost every request some 30 µs.
    """

    class Limits(SchemaExtension):
        def on_operation(self) -> Iterator[None]:
            context = self.execution_context
            context.parse_options["max_tokens"] = settings.max_query_tokens
            rules = [_shape_rule(settings.max_query_depth, settings.max_query_aliases)]
            if not settings.introspection:
                rules.append(_NoIntrospection)
            # Nothing is parsed yet, so this is the name that was sent; later it is that of the first operation.
            if context.operation_name is None:
                rules.append(_OneOperation)
            context.validation_rules = (*context.validation_rules, *rules)
            yield
            executed(context)

    return Limits


def _shape_rule(max_depth: int, max_aliases: int) -> type[ValidationRule]:
    """A rule that refuses documents which are too deep or rename too much; a fragment counts wherever it is used."""

    class Shape(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self._measured: dict[str, tuple[int, int]] = {}

        def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
            depth, aliases = self._measure(node, frozenset())
            if depth > max_depth:
                self.report_error(
                    failure(
                        ErrorCode.QUERY_TOO_DEEP, f"The query is {depth} levels deep; at most {max_depth} are allowed."
                    )
                )
            if aliases > max_aliases:
                self.report_error(
                    failure(
                        ErrorCode.QUERY_TOO_COMPLEX,
                        f"The query has {aliases} aliases; at most {max_aliases} are allowed.",
                    )
                )

        def _measure(self, node: Any, inside: frozenset[str]) -> tuple[int, int]:
            """Depth and aliases below a node; fragments are measured once, and one within itself counts nothing."""
            depth = aliases = 0
            for item in node.selection_set.selections if node.selection_set else ():
                below = (0, 0)
                match item:
                    case FieldNode():
                        below = self._measure_field(item, inside)
                    case InlineFragmentNode():
                        below = self._measure(item, inside)
                    case FragmentSpreadNode():
                        below = self._measure_fragment(item.name.value, inside)
                depth = max(depth, below[0])
                aliases += below[1]
            return depth, aliases

        def _measure_field(self, field: FieldNode, inside: frozenset[str]) -> tuple[int, int]:
            """Introspection is exempt from depth, but not from renaming."""
            aliases = int(field.alias is not None)
            if field.name.value.startswith("__"):
                return 0, aliases
            depth, renamed = self._measure(field, inside)
            return 1 + depth, aliases + renamed

        def _measure_fragment(self, name: str, inside: frozenset[str]) -> tuple[int, int]:
            fragment: FragmentDefinitionNode | None = self.context.get_fragment(name)
            if fragment is None or name in inside:
                return 0, 0
            if name not in self._measured:
                self._measured[name] = self._measure(fragment, inside | {name})
            return self._measured[name]

    return Shape


class _OneOperation(ValidationRule):
    def enter_document(self, node: DocumentNode, *_: Any) -> None:
        if sum(isinstance(item, OperationDefinitionNode) for item in node.definitions) > 1:
            message = "The document has several operations; `operationName` has to choose one."
            self.report_error(failure(ErrorCode.BAD_REQUEST, message))


class _NoIntrospection(ValidationRule):
    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if node.name.value in ("__schema", "__type"):
            self.report_error(failure(ErrorCode.FORBIDDEN, "This server does not show its schema."))
