"""What a query document may hold: tokens, depth and aliases, each with a clear error before anything runs."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    ValidationContext,
    ValidationRule,
)
from strawberry.extensions import SchemaExtension

from gateway.settings import Settings
from schema.errors import ErrorCode, failure


def limits_extension(settings: Settings) -> type[SchemaExtension]:
    """An extension that holds every document against the settings."""

    class Limits(SchemaExtension):
        def on_operation(self) -> Iterator[None]:
            context = self.execution_context
            context.parse_options["max_tokens"] = settings.max_query_tokens
            rules = [_shape_rule(settings.max_query_depth, settings.max_query_aliases)]
            if not settings.introspection:
                rules.append(_NoIntrospection)
            context.validation_rules = (*context.validation_rules, *rules)
            yield

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
                        if not item.name.value.startswith("__"):
                            deeper, renamed = self._measure(item, inside)
                            below = (1 + deeper, renamed + (item.alias is not None))
                    case InlineFragmentNode():
                        below = self._measure(item, inside)
                    case FragmentSpreadNode():
                        below = self._measure_fragment(item.name.value, inside)
                depth = max(depth, below[0])
                aliases += below[1]
            return depth, aliases

        def _measure_fragment(self, name: str, inside: frozenset[str]) -> tuple[int, int]:
            fragment: FragmentDefinitionNode | None = self.context.get_fragment(name)
            if fragment is None or name in inside:
                return 0, 0
            if name not in self._measured:
                self._measured[name] = self._measure(fragment, inside | {name})
            return self._measured[name]

    return Shape


class _NoIntrospection(ValidationRule):
    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if node.name.value in ("__schema", "__type"):
            self.report_error(failure(ErrorCode.FORBIDDEN, "This server does not show its schema."))
