"""What a query document may hold: tokens, depth, aliases and so on, with a clear error before anything runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from resolvers.ports import DocumentRules
from schema.errors import ErrorCode, failure


def document_rules(settings: Settings) -> DocumentRules:
    """What the settings demand of a document beyond the language's own rules."""
    rules = (_shape_rule(settings),) if settings.introspection else (_shape_rule(settings), _NoIntrospection)
    return DocumentRules(settings.max_query_tokens, rules, shows_names=settings.introspection)


def limits_extension(
    settings: Settings, executed: Callable[[ExecutionContext], None] = lambda _: None
) -> type[SchemaExtension]:
    """An extension that holds every document against the settings.

    `executed` is called after each operation; an extension of its own would cost every request some 30 µs.
    """
    demanded = document_rules(settings)

    class Limits(SchemaExtension):
        def on_operation(self) -> Iterator[None]:
            context = self.execution_context
            context.parse_options["max_tokens"] = settings.max_query_tokens
            rules = demanded.rules
            # Nothing is parsed yet, so this is the name that was sent; later it is that of the first operation.
            if context.operation_name is None:
                rules = (*rules, _OneOperation)
            context.validation_rules = (*context.validation_rules, *rules)
            yield
            executed(context)

    return Limits


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a part of a document comes to, with its fragments in their places."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0

    def beside(self, other: "_Shape") -> "_Shape":
        """Both, one after the other."""
        return _Shape(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.fields + other.fields,
        )


def _shape_rule(settings: Settings) -> type[ValidationRule]:
    """A rule that refuses documents which are too deep or too wide; a fragment counts wherever it is used."""

    class Shape(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self._measured: dict[str, _Shape] = {}

        def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
            shape = self._measure(node, frozenset())
            if shape.depth > settings.max_query_depth:
                message = f"The query is {shape.depth} levels deep; at most {settings.max_query_depth} are allowed."
                self.report_error(failure(ErrorCode.QUERY_TOO_DEEP, message))
            for name, count, limit in (
                ("aliases", shape.aliases, settings.max_query_aliases),
                ("directives", shape.directives + len(node.directives or ()), settings.max_query_directives),
                ("root fields", shape.fields, settings.max_root_fields),
            ):
                if count > limit:
                    message = f"The query has {count} {name}; at most {limit} are allowed."
                    self.report_error(failure(ErrorCode.QUERY_TOO_COMPLEX, message))

        def _measure(self, node: Any, inside: frozenset[str]) -> _Shape:
            """What stands below a node; fragments are measured once, and one within itself counts nothing."""
            found = _Shape()
            for item in node.selection_set.selections if node.selection_set else ():
                found = found.beside(_Shape(directives=len(item.directives or ())))
                match item:
                    case FieldNode():
                        found = found.beside(self._measure_field(item, inside))
                    case InlineFragmentNode():
                        found = found.beside(self._measure(item, inside))
                    case FragmentSpreadNode():
                        found = found.beside(self._measure_fragment(item.name.value, inside))
            return found

        def _measure_field(self, field: FieldNode, inside: frozenset[str]) -> _Shape:
            """Introspection is exempt from depth, but not from the rest."""
            below = self._measure(field, inside)
            is_introspection = field.name.value.startswith("__")
            aliases = below.aliases + int(field.alias is not None)
            return _Shape(0 if is_introspection else 1 + below.depth, aliases, below.directives, fields=1)

        def _measure_fragment(self, name: str, inside: frozenset[str]) -> _Shape:
            fragment: FragmentDefinitionNode | None = self.context.get_fragment(name)
            if fragment is None or name in inside:
                return _Shape()
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
