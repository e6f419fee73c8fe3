"""The metrics, for Prometheus: each declared once, none with a label that a client or a customer can choose.

Labels are words of this product: root fields, systems' keys, outcomes, codes. There are no connections, customers,
operation names or addresses among them, so that their number stays small however many connections there are.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector

from connectors.ports import BreakerState, CacheOutcome, Call, Observer
from gateway.stores.rows import Lateness
from gateway.version import VERSION

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # else each series doubles

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0)
"""Bounds of the histograms; a source has 10 seconds unless told otherwise, and a request at most 120."""

_CLASS = ("system", "deployment", "environment")
"""The class of a connection, which stands for the connection itself."""

_Instrument = TypeVar("_Instrument", Counter, Gauge, Histogram)


@dataclass(frozen=True)
class Declared:
    """One metric as people read of it: its name as it is scraped, its kind, its labels and its meaning."""

    name: str
    kind: str
    labels: tuple[str, ...]
    about: str


class Metrics:
    """The metrics of one application, in a registry of their own; `declared` lists them.

    `series` gives one series of a metric by its labels.
    """

    def __init__(self) -> None:
        self.declared: list[Declared] = []
        self.series = cache(_series)
        self._registry = CollectorRegistry(auto_describe=False)
        self.requests_in_flight = self._new(
            Gauge, "switchgear_requests_in_flight", "GraphQL requests that are being answered."
        )
        self.request_seconds = self._new(
            Histogram,
            "switchgear_request_seconds",
            "GraphQL requests by root field and outcome: `ok`, `partial` (a source did not answer in full), `errors`, "
            "`refused` (nothing was executed), `gone` (nobody waits for the answer), `failed`.",
            ("operation", "outcome"),
        )
        self.errors = self._new(Counter, "switchgear_errors_total", "Errors in answers, by code.", ("code",))
        self.calls = self._new(
            Histogram,
            "switchgear_source_call_seconds",
            "Calls to systems, by kind of record and outcome: `ok`, or the meaning of the failure.",
            (*_CLASS, "entity", "outcome"),
        )
        self.source_requests = self._new(
            Counter,
            "switchgear_source_requests_total",
            "HTTP requests to systems, logins and repetitions included, by class of status: what reading costs.",
            (*_CLASS, "status"),
        )
        self.rows = self._new(
            Counter, "switchgear_source_rows_total", "Rows that systems have sent.", (*_CLASS, "entity")
        )
        self.retries = self._new(
            Counter, "switchgear_source_retries_total", "Calls that were repeated, and why.", (*_CLASS, "outcome")
        )
        self.waits = self._new(
            Histogram, "switchgear_source_wait_seconds", "How long calls waited for their turn.", _CLASS
        )
        self.breakers = self._new(
            Gauge,
            "switchgear_breakers",
            "Connections whose circuit breaker is not closed, by its state.",
            (*_CLASS, "state"),
        )
        self.breaker_changes = self._new(
            Counter,
            "switchgear_breaker_changes_total",
            "Changes of circuit breakers, by new state.",
            (*_CLASS, "state"),
        )
        self.cache = self._new(
            Counter, "switchgear_cache_total", "What the cache had of questions.", (*_CLASS, "entity", "outcome")
        )
        self.probes = self._new(
            Counter,
            "switchgear_probes_total",
            "Probes of connections by outcome: `good`, `bad`, `spared` (the system has had too many calls).",
            ("outcome",),
        )
        self.probe_lateness = self._new(
            Histogram, "switchgear_probe_lateness_seconds", "How long after their time probes were begun."
        )
        self.due = self._new(
            Gauge,
            "switchgear_due_work",
            "Work in the background that is due and that no process has taken, as all processes see it.",
            ("lane",),
        )
        self.due_seconds = self._new(
            Gauge, "switchgear_due_work_seconds", "How long the oldest of it has been due.", ("lane",)
        )
        self.swept_events = self._new(
            Counter, "switchgear_swept_events_total", "Events that were deleted for their age."
        )
        self._lanes: set[str] = set()
        build = self._new(Gauge, "switchgear_build_info", "1, with the versions as labels.", ("version", "python"))
        build.labels(VERSION, platform.python_version()).set(1)
        ProcessCollector(registry=self._registry)

    def _new(self, kind: type[_Instrument], name: str, about: str, labels: Sequence[str] = ()) -> _Instrument:
        self.declared.append(Declared(name, kind.__name__.lower(), tuple(labels), about))
        options: dict[str, Any] = {"buckets": _SECONDS} if kind is Histogram else {}
        return kind(name, about.replace("`", ""), labels, registry=self._registry, **options)

    def observer(self, system: str, deployment: str, environment: str) -> Observer:
        """What hears of one connection and counts for its class."""
        return _ConnectionMetrics(self, (system, deployment.lower(), environment.lower()))

    def probed(self, outcome: str, lateness: timedelta) -> None:
        """Count a probe, and how late it was."""
        self.probes.labels(outcome).inc()
        self.probe_lateness.observe(max(0.0, lateness.total_seconds()))

    def late(self, lateness: Mapping[str, Lateness]) -> None:
        """Tell how much work is late, by lane; where none is now, that there is none."""
        self._lanes |= lateness.keys()
        for lane in self._lanes:
            found = lateness.get(lane, Lateness(waiting=0, oldest=timedelta()))
            self.due.labels(lane).set(found.waiting)
            self.due_seconds.labels(lane).set(found.oldest.total_seconds())

    def swept(self, events: int) -> None:
        """Count events that were deleted."""
        self.swept_events.inc(events)

    def page(self, accept: str) -> tuple[bytes, str]:
        """All metrics in the format that a scraper accepts, and its media type."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type


def _series(instrument: Any, *labels: str) -> Any:
    """The series of a metric with these labels; kept, because looking it up costs more than counting."""
    return instrument.labels(*labels)


class _ConnectionMetrics(Observer):
    """Counts what happens at one connection, for its class."""

    def __init__(self, metrics: Metrics, names: tuple[str, str, str]) -> None:
        self._metrics = metrics
        self._names = names
        self._state = BreakerState.CLOSED
        self._is_closed = False

    def called(self, call: Call) -> None:
        """Count a call, its time and its rows."""
        entity = call.entity or "none"
        self._metrics.series(self._metrics.calls, *self._names, entity, call.outcome).observe(call.seconds)
        if call.rows:
            self._metrics.series(self._metrics.rows, *self._names, entity).inc(call.rows)

    def answered(self, status: int | None) -> None:
        """Count a request by the class of its answer."""
        word = f"{status // 100}xx" if status is not None else "none"
        self._metrics.series(self._metrics.source_requests, *self._names, word).inc()

    def retried(self, outcome: str) -> None:
        """Count a repetition."""
        self._metrics.series(self._metrics.retries, *self._names, outcome).inc()

    def waited(self, seconds: float) -> None:
        """Note how long a call waited."""
        self._metrics.series(self._metrics.waits, *self._names).observe(seconds)

    def broke(self, state: BreakerState) -> None:
        """Count the change, and the connection under its new state; what outlives the connection changes nothing."""
        if state is not self._state and not self._is_closed:
            self._metrics.series(self._metrics.breaker_changes, *self._names, state.name.lower()).inc()
            self._enter(state)

    def cached(self, entity: str, outcome: CacheOutcome) -> None:
        """Count what the cache had."""
        self._metrics.series(self._metrics.cache, *self._names, entity, outcome.name.lower()).inc()

    def closed(self) -> None:
        """Count the connection under no state any more."""
        self._enter(BreakerState.CLOSED)
        self._is_closed = True

    def _enter(self, state: BreakerState) -> None:
        if self._state is not BreakerState.CLOSED:
            self._metrics.series(self._metrics.breakers, *self._names, self._state.name.lower()).dec()
        if state is not BreakerState.CLOSED:
            self._metrics.series(self._metrics.breakers, *self._names, state.name.lower()).inc()
        self._state = state
