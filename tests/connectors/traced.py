"""Spans of the test process, kept in memory while a test watches and dropped at any other time."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON, Sampler, SamplingResult


class _WhileWatched(Sampler):
    """Keeps what a caller keeps, but only while somebody watches."""

    is_watched = False

    def should_sample(self, *arguments: Any, **options: Any) -> SamplingResult:
        chosen = DEFAULT_ON if self.is_watched else ALWAYS_OFF
        return chosen.should_sample(*arguments, **options)

    def get_description(self) -> str:
        return "while watched"


@cache
def _set_up() -> tuple[_WhileWatched, InMemorySpanExporter]:
    """A process has one provider for good, so all tests share it."""
    sampler, exporter = _WhileWatched(), InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return sampler, exporter


class Spans:
    """What was recorded so far."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> list[ReadableSpan]:
        """Every span that has ended, by its beginning."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> list[ReadableSpan]:
        """The spans of one kind."""
        return [span for span in self.all() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        """The only span of a kind."""
        (span,) = self.named(name)
        return span

    def forget(self) -> None:
        """Begin again."""
        self._exporter.clear()

    def tree(self) -> list[str]:
        """The names of all spans, each indented below its parent."""
        below: dict[int | None, list[ReadableSpan]] = defaultdict(list)
        known = {span.context.span_id for span in self.all()}
        for span in self.all():
            below[span.parent.span_id if span.parent and span.parent.span_id in known else None].append(span)

        def lines(parent: int | None, depth: int) -> Iterator[str]:
            for span in below[parent]:
                yield "  " * depth + span.name
                yield from lines(span.context.span_id, depth + 1)

        return list(lines(None, 0))


@contextlib.contextmanager
def recorded() -> Iterator[Spans]:
    """Record what happens in the block."""
    sampler, exporter = _set_up()
    exporter.clear()
    sampler.is_watched = True
    try:
        yield Spans(exporter)
    finally:
        sampler.is_watched = False
