"""What becomes of each GraphQL request: counted, and where traces are wanted, the span around everything it causes."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from graphql import DocumentNode, FieldNode, OperationDefinitionNode
from opentelemetry.trace import INVALID_SPAN, Span
from strawberry.types import ExecutionContext

from connectors.tracing import REQUEST, Attribute, note, started
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.tracing import is_traced, received

_LONGEST_NAME = 64
_INTROSPECTION = {"__schema", "__type"}
_watched: ContextVar["WatchedRequest | None"] = ContextVar("watched", default=None)


@dataclass(eq=False)
class WatchedRequest:
    """One request, told of itself as far as it comes.

    `operation` is a root field of the schema, `several` or `introspection`; `none` where nothing was executed.
    """

    metrics: Metrics
    stack: ExitStack
    operation: str = "none"
    outcome: str = "failed"
    document: DocumentNode | None = None
    operation_name: str | None = None
    span: Span = field(default=INVALID_SPAN)

    def trace(self, headers: Mapping[str, str], request_id: str) -> None:
        """Begin the span of the request, below that of whoever sent it; it ends with the request."""
        if not is_traced(headers):
            return
        self.stack.enter_context(received(headers))
        self.span = self.stack.enter_context(started(REQUEST))
        note(self.span, {Attribute.REQUEST_ID: request_id})

    def refused(self, code: str, status: int) -> None:
        """It never reached the graph."""
        self._end("refused", [code], status)

    def gone(self) -> None:
        """Nobody waits for its answer."""
        self.outcome = "gone"

    def answered(self, codes: Sequence[str], status: int, *, was_executed: bool, is_complete: bool) -> None:
        """It has an answer, with these error codes; names in a document that was executed are the schema's."""
        operation = _operation(self.document, self.operation_name)
        if was_executed and operation is not None:
            self.operation = _label(operation)
            note(self.span, {Attribute.OPERATION_TYPE: operation.operation.value})
            if operation.name is not None:
                note(self.span, {Attribute.OPERATION_NAME: operation.name.value[:_LONGEST_NAME]})
        if not was_executed:
            outcome = "refused"
        elif codes:
            outcome = "errors"
        else:
            outcome = "ok" if is_complete else "partial"
        self._end(outcome, codes, status)

    def _end(self, outcome: str, codes: Sequence[str], status: int) -> None:
        self.outcome = outcome
        for code in codes:
            self.metrics.series(self.metrics.errors, code).inc()
        note(self.span, {Attribute.ERRORS: sorted(set(codes)), Attribute.STATUS: status})


def keep_document(executed: ExecutionContext) -> None:
    """Hand the document of a request to whoever watches it, once it was executed."""
    watched = _watched.get()
    if watched is not None:
        watched.document = executed.graphql_document
        watched.operation_name = executed.operation_name


@contextmanager
def watch(metrics: Metrics) -> Iterator[WatchedRequest]:
    """Count one request, its time and its outcome."""
    began = time.monotonic()
    metrics.requests_in_flight.inc()
    with ExitStack() as stack:
        watched = WatchedRequest(metrics, stack)
        token = _watched.set(watched)
        try:
            yield watched
        finally:
            _watched.reset(token)
            metrics.requests_in_flight.dec()
            metrics.series(metrics.request_seconds, watched.operation, watched.outcome).observe(
                time.monotonic() - began
            )
            note(watched.span, {Attribute.OPERATION: watched.operation, Attribute.OUTCOME: watched.outcome})


def _operation(document: DocumentNode | None, name: str | None) -> OperationDefinitionNode | None:
    """The operation that was executed."""
    operations = [item for item in _definitions(document) if isinstance(item, OperationDefinitionNode)]
    named = [item for item in operations if item.name is not None and item.name.value == name]
    return next(iter(named or operations), None)


def _definitions(document: DocumentNode | None) -> Sequence[Any]:
    return document.definitions if document is not None else ()


def _label(operation: OperationDefinitionNode) -> str:
    """The root field; what comes through fragments is not looked at."""
    roots = {item.name.value for item in operation.selection_set.selections if isinstance(item, FieldNode)}
    if roots & _INTROSPECTION:
        return "introspection"
    if len(roots) > 1:
        roots.discard("__typename")
    return roots.pop() if len(roots) == 1 else "several"
