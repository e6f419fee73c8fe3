"""The spans of resolving: one question to one source, whether for rows or for what they point to."""

from contextlib import AbstractContextManager

from opentelemetry.trace import Span

from connectors.tracing import SOURCE, Attribute, fail, note, step
from resolvers.ports import LiveSource
from schema.errors import Problem
from schema.sources import SourceCallPurpose, SourceStatus


def source_step(live: LiveSource, entity: str, purpose: SourceCallPurpose) -> AbstractContextManager[Span]:
    """The span of a question to a source."""
    return step(
        SOURCE,
        {
            Attribute.CONNECTION: str(live.connection.id),
            Attribute.SYSTEM: live.source.system.key,
            Attribute.ENTITY: entity,
            Attribute.PURPOSE: purpose.name,
        },
    )


def note_answer(span: Span, status: SourceStatus, problem: Problem | None, rows: int, requests: int) -> None:
    """How the source answered."""
    note(span, {Attribute.OUTCOME: status.name, Attribute.ROWS: rows, Attribute.REQUESTS: requests})
    if problem is not None:
        fail(span, problem.code.name)
