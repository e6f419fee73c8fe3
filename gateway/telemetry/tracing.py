"""Traces: the context that comes in and goes out in W3C's headers, and the export to a receiver of OTLP over HTTP.

The exporter is a network client that the operator points somewhere, like the database's driver: it calls the
operator's address only, and the guard for customers' addresses is not in its way.
"""

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.settings import Settings
from gateway.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_HEADERS = TraceContextTextMapPropagator()
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PATH = "/v1/traces"
_LONGEST_TEXT = 200
_FLUSH_SECONDS = 5.0


def is_traced(headers: Mapping[str, str]) -> bool:
    """Whether a request belongs to a trace, or may begin one because spans are wanted."""
    return "traceparent" in headers or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@contextmanager
def received(headers: Mapping[str, str]) -> Iterator[None]:
    """Go on with the trace of whoever sent these headers; baggage is never read."""
    if "traceparent" not in headers:
        yield
        return
    token = context.attach(_HEADERS.extract(headers))
    try:
        yield
    finally:
        context.detach(token)


async def send_context(request: httpx.Request) -> None:
    """Tell the receiver of a request which trace it belongs to; ids alone, never baggage."""
    _HEADERS.inject(request.headers)


def trace_id() -> str | None:
    """The id of the current trace as hexadecimal digits."""
    found = trace.get_current_span().get_span_context()
    return format(found.trace_id, "032x") if found.is_valid else None


class Export:
    """The export of spans, which goes on behind the requests and drops what does not fit its queue."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider

    async def stop(self) -> None:
        """Send what is left, for a few seconds at most."""
        sending = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        sending.start()
        await asyncio.to_thread(sending.join, _FLUSH_SECONDS)


def start_export(settings: Settings) -> Export | None:
    """Begin to export spans if there is somewhere to send them; nothing of it is even imported otherwise.

    It is set up once in a process, for which OpenTelemetry has one provider of tracers.
    """
    if settings.otlp_endpoint is None and not any(os.environ.get(name) for name in _ENDPOINTS):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    options: dict[str, Any] = {}
    if settings.otlp_endpoint is not None:
        options["endpoint"] = settings.otlp_endpoint.rstrip("/").removesuffix(_PATH) + _PATH
    provider = make_provider(settings.trace_ratio)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**options)))
    trace.set_tracer_provider(provider)
    return Export(provider)


def make_provider(ratio: float) -> "TracerProvider":
    """What makes spans, for this share of the traces that begin here; others are kept if their sender keeps them."""
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    named = os.environ.get("OTEL_SERVICE_NAME", "switchgear")
    return TracerProvider(
        sampler=ParentBasedTraceIdRatio(ratio),
        resource=Resource.create({SERVICE_NAME: named, SERVICE_VERSION: VERSION}),
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_span_attribute_length=_LONGEST_TEXT),
    )
