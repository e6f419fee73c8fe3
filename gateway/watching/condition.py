"""How a connection is, as clients see it: from what is kept, and from what this process has heard since."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import strawberry

from connectors.registry import find_system
from gateway.connecting.expiry import credential_status
from gateway.showing import show_reason
from gateway.stores import rows
from gateway.watching.heard import HeardCall
from gateway.watching.vitals import Vitals, latest
from resolvers.describing import describe_system
from resolvers.outcomes import upstream_of
from schema.capabilities import Operation
from schema.errors import ErrorCode, Problem, problem
from schema.health import (
    Circuit,
    CircuitState,
    ConnectionHealth,
    ConnectionLifecycle,
    ConnectionStatus,
    Credential,
    EntityHealth,
    Latency,
    RateLimit,
    StatusReason,
    UpstreamCall,
    headline,
)
from schema.model import EntityType


@dataclass(frozen=True, eq=False)
class KeptCondition:
    """One connection; `row` is as it was when it was described, `vitals` are as they are now."""

    row: rows.Connection
    vitals: Vitals
    clock: Callable[[], datetime]

    @property
    def status(self) -> ConnectionStatus:
        """The one word for it."""
        return headline(ConnectionLifecycle[self.row.lifecycle], self.vitals.health)

    @property
    def status_reason(self) -> StatusReason | None:
        """Why, and what to do."""
        row = self.row
        if row.lifecycle == ConnectionLifecycle.PAUSED.name and row.paused_at is not None:
            return _chosen("PAUSED_BY_USER", row.pause_reason or "Someone paused it.", row.paused_at)
        if row.lifecycle == ConnectionLifecycle.DISCONNECTED.name and row.disconnected_at is not None:
            message = row.disconnect_reason or "Someone disconnected it."
            return _chosen("DISCONNECTED_BY_USER", message, row.disconnected_at)
        return show_reason(self.vitals.state.reason)

    @property
    def health(self) -> ConnectionHealth:
        """How the system answers."""
        return self.vitals.health

    @property
    def circuit(self) -> Circuit:
        """Whether calls go through: as the breaker of this process says, or else as it was kept."""
        state, breaker = self.vitals.state, self.vitals.breaker
        if breaker is not None:
            moment, held = self.clock(), breaker.held_seconds
            return Circuit(
                state=CircuitState[breaker.state.name],
                opened_at=None if held is None else state.circuit_opened_at or moment - timedelta(seconds=held),
                next_probe_at=moment + timedelta(seconds=breaker.wait) if breaker.wait > 0 else None,
                failure_count=self.vitals.failures_in_a_row(),
            )
        return Circuit(
            state=CircuitState[state.circuit],
            opened_at=state.circuit_opened_at,
            failure_count=self.vitals.failures_in_a_row(),
        )

    @property
    def credential(self) -> Credential:
        """The state of the credentials."""
        system = find_system(self.row.system)
        methods = describe_system(system).auth_methods if system is not None else []
        method = next((item for item in methods if item.key == self.row.auth_method), None)
        state = self.vitals.state
        status = credential_status(state.credential_status, state.credential_expires_at, self.clock())
        return Credential(auth_method=method, status=status, expires_at=state.credential_expires_at)

    @property
    def is_readable(self) -> bool:
        """Whether reads would be tried now."""
        is_in_use = self.row.lifecycle == ConnectionLifecycle.ENABLED.name
        is_held_back = self.circuit.state is CircuitState.OPEN
        return is_in_use and not is_held_back and self.vitals.refusal() is None

    @property
    def last_success_at(self) -> datetime | None:
        """When a call last went well."""
        return latest(self.vitals.last_success_at, self.vitals.state.last_success_at)

    @property
    def last_failure_at(self) -> datetime | None:
        """When a call last failed."""
        return latest(self.vitals.last_failure_at, self.vitals.state.last_failure_at)

    @property
    def lost_at(self) -> datetime | None:
        """When the system was lost, if it is."""
        return self.vitals.state.lost_at

    @property
    def lost_reason(self) -> StatusReason | None:
        """Why it was lost."""
        return show_reason(self.vitals.state.lost_reason)

    @property
    def latency(self) -> Latency | None:
        """How fast the system has answered lately."""
        found = self.vitals.percentiles(self.clock())
        return None if found is None else Latency(p50_ms=round(found[0] * 1000), p95_ms=round(found[1] * 1000))

    @property
    def error_rate(self) -> float | None:
        """The share of recent calls that failed."""
        calls = self.vitals.lately(self.clock())
        return sum(call.has_failed for call in calls) / len(calls) if calls else None

    @property
    def limits(self) -> RateLimit | None:
        """What the system still allows; known only while it allows nothing."""
        if not self.vitals.is_limited:
            return None
        return RateLimit(remaining=0, reset_at=self.vitals.limited_until)

    @property
    def entity_health(self) -> list[EntityHealth]:
        """How each kind of record fares that the system has."""
        return [
            EntityHealth(
                entity=entity,
                status=self.vitals.status_of(entity),
                last_success_at=self.vitals.last_success_of(entity),
                last_error=self._last_error(entity),
            )
            for entity in EntityType
            if entity in self.vitals.entities
        ]

    def _last_error(self, entity: EntityType) -> Problem | None:
        kept = self.vitals.error_of(entity)
        if kept is None:
            return None
        return problem(
            ErrorCode[kept["code"]],
            str(kept["message"]),
            connection_id=strawberry.ID(self.row.id),
            system=self.row.system,
        )

    def calls(self, first: int, only_failed: bool) -> list[UpstreamCall]:
        """The last calls, newest first."""
        chosen = [call for call in self.vitals.last_calls() if call.failure is not None or not only_failed]
        return [self._show(call) for call in chosen[:first]]

    def _show(self, call: HeardCall) -> UpstreamCall:
        error = None
        if call.failure is not None:
            error = problem(
                ErrorCode[call.failure.code],
                call.failure.message,
                connection_id=strawberry.ID(self.row.id),
                system=self.row.system,
                upstream=upstream_of(call.failure.upstream),
                request_id=strawberry.ID(call.request_id),
            )
        return UpstreamCall(
            started_at=call.started_at,
            duration_ms=round(call.seconds * 1000),
            entity=EntityType[call.entity] if call.entity is not None else None,
            operation=Operation.READ if call.entity is not None else None,
            request=call.about,
            http_status=call.status,
            error=error,
            request_id=strawberry.ID(call.request_id) if call.request_id else None,
        )


def _chosen(code: str, message: str, since: datetime) -> StatusReason | None:
    """The reason of a status that someone has chosen."""
    return show_reason(rows.Reason(code=code, message=message, since=since))
