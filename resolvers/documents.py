"""Mistakes in query documents: found the same way for queries that are only explained, and told in the same words."""

import re
from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import get_variable_values

from resolvers.ports import DocumentRules
from schema.errors import ErrorCode, failure

_SUGGESTION = re.compile(r" Did you mean .*", re.DOTALL)
NO_SUCH_OPERATION = "`operationName` names no operation of the document, or is needed."


class WrongDocument(Exception):
    """A document that would not be executed, with its mistakes."""

    def __init__(self, mistakes: list[GraphQLError]) -> None:
        super().__init__("; ".join(mistake.message for mistake in mistakes))
        self.mistakes = mistakes


def read_query(
    schema: GraphQLSchema,
    query: str,
    operation_name: str | None,
    variables: Mapping[str, Any],
    rules: DocumentRules,
) -> DocumentNode:
    """A document that would be executed as a query; WrongDocument where it would be refused."""
    try:
        document = parse(query, max_tokens=rules.max_tokens)
    except GraphQLError as error:
        raise WrongDocument([error]) from None
    operation = get_operation_ast(document, operation_name)
    if operation is None:
        raise WrongDocument([failure(ErrorCode.BAD_REQUEST, NO_SUCH_OPERATION, field="operationName")])
    if operation.operation is not OperationType.QUERY:
        raise WrongDocument([failure(ErrorCode.BAD_REQUEST, "Only queries are explained.", field="query")])
    mistakes = validate(schema, document, [*specified_rules, *rules.rules])
    if not mistakes:
        mistakes = _wrong_variables(schema, operation, variables)
    if mistakes:
        raise WrongDocument(mistakes)
    return document


def _wrong_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> list[GraphQLError]:
    values = get_variable_values(schema, operation.variable_definitions or (), dict(variables))
    return values if isinstance(values, list) else []


def code_of(error: GraphQLError) -> ErrorCode:
    """The code of a mistake that keeps a document from being executed."""
    told = (error.extensions or {}).get("code")
    if told is not None:
        return ErrorCode[told]
    has_too_many_tokens = error.message.startswith("Syntax Error: Document contains more") and "tokens" in error.message
    return ErrorCode.QUERY_TOO_COMPLEX if has_too_many_tokens else ErrorCode.BAD_REQUEST


def without_names(message: str) -> str:
    """A message that does not bring out names of the schema."""
    return _SUGGESTION.sub("", message)
