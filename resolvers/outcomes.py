"""Turns a source's trouble into the outcome and the problem that clients see."""

import logging
from datetime import datetime
from math import ceil
from typing import Any

from graphql import GraphQLError

from connectors.errors import (
    AddressRefused,
    BadAnswer,
    CircuitOpen,
    Disconnected,
    NoSuchRecords,
    NotFound,
    Paused,
    PermissionDenied,
    RateLimited,
    Reauthorize,
    RefreshFailed,
    Rejected,
    TimedOut,
    Trouble,
    Unavailable,
    Upstream,
    WrongSystem,
)
from connectors.scan import SortTooLarge
from resolvers.ports import Context, LiveSource
from schema.errors import ErrorCode, Problem, UpstreamProblem, failure, problem
from schema.records import FieldGapReason, Served, ServedFrom
from schema.sources import SourceStatus

_LOGGER = logging.getLogger(__name__)
_MEANINGS: dict[type[Trouble], tuple[SourceStatus, ErrorCode]] = {
    Reauthorize: (SourceStatus.REAUTHORIZATION_REQUIRED, ErrorCode.REAUTHORIZATION_REQUIRED),
    RefreshFailed: (SourceStatus.ERROR, ErrorCode.REFRESH_BACKOFF),
    PermissionDenied: (SourceStatus.PERMISSION_DENIED, ErrorCode.UPSTREAM_PERMISSION_DENIED),
    RateLimited: (SourceStatus.RATE_LIMITED, ErrorCode.UPSTREAM_RATE_LIMITED),
    CircuitOpen: (SourceStatus.SKIPPED_CIRCUIT_OPEN, ErrorCode.CIRCUIT_OPEN),
    TimedOut: (SourceStatus.TIMED_OUT, ErrorCode.UPSTREAM_TIMEOUT),
    Unavailable: (SourceStatus.ERROR, ErrorCode.UPSTREAM_UNREACHABLE),
    WrongSystem: (SourceStatus.ERROR, ErrorCode.CONNECTION_MISCONFIGURED),
    AddressRefused: (SourceStatus.ERROR, ErrorCode.CONNECTION_MISCONFIGURED),
    Paused: (SourceStatus.ERROR, ErrorCode.CONNECTION_PAUSED),
    Disconnected: (SourceStatus.ERROR, ErrorCode.CONNECTION_DISCONNECTED),
    Rejected: (SourceStatus.ERROR, ErrorCode.UPSTREAM_REJECTED),
    NotFound: (SourceStatus.ERROR, ErrorCode.RECORD_NOT_FOUND),
    NoSuchRecords: (SourceStatus.UNSUPPORTED, ErrorCode.ENTITY_UNSUPPORTED),
    BadAnswer: (SourceStatus.ERROR, ErrorCode.UPSTREAM_BAD_RESPONSE),
}


def _meaning(trouble: Trouble) -> tuple[SourceStatus, ErrorCode]:
    """The meaning of a trouble, or of the one that it is a kind of."""
    return next(_MEANINGS[kind] for kind in type(trouble).__mro__ if kind in _MEANINGS)


def code_of(trouble: Trouble) -> ErrorCode:
    """The code of a trouble; a system that answers that it failed is another thing than one out of reach."""
    if isinstance(trouble, Unavailable) and trouble.upstream is not None:
        return ErrorCode.UPSTREAM_ERROR
    return _meaning(trouble)[1]


def upstream_of(said: Upstream | None) -> UpstreamProblem | None:
    """What the system itself said, as clients see it."""
    if said is None:
        return None
    return UpstreamProblem(status=said.status, code=said.code, message=said.message, request_id=said.request_id)


def explain(error: Exception, live: LiveSource, request_id: str) -> tuple[SourceStatus, Problem]:
    """Status and problem of a source that failed; what is not a known trouble is a fault of ours, and logged."""
    details: dict[str, Any] = {
        "connection_id": live.connection.id,
        "system": live.source.system.key,
        "request_id": request_id,
    }
    if isinstance(error, SortTooLarge):
        message = "The system cannot sort by this field, and has too many rows to sort them here."
        return SourceStatus.UNSUPPORTED, problem(ErrorCode.UNSUPPORTED_SORT, message, **details)
    if not isinstance(error, Trouble):
        _LOGGER.error("reading a source failed", exc_info=error)
        return SourceStatus.ERROR, problem(ErrorCode.INTERNAL, "Reading this source failed.", **details)
    details["retry_after_ms"] = retry_after_ms(error)
    details["upstream"] = upstream_of(error.upstream)
    if error.remedy:
        details["remediation"] = error.remedy
    return _meaning(error)[0], problem(code_of(error), error.message, **details)


def failed(found: Problem) -> GraphQLError:
    """The problem as the error of a field that one source alone could have answered."""
    said = found.upstream
    upstream = None
    if said is not None:
        parts = (("status", said.status), ("code", said.code), ("message", said.message))
        upstream = {name: value for name, value in parts if value is not None}
    return failure(
        found.code,
        found.message,
        connectionId=found.connection_id,
        system=found.system,
        retryAfterMs=found.retry_after_ms,
        upstream=upstream,
        requestId=found.request_id,
    )


def retry_after_ms(trouble: Trouble) -> int | None:
    """How long to wait before the same may work, in milliseconds, where that is known."""
    return None if trouble.retry_after is None else ceil(trouble.retry_after * 1000)


def gap_of(status: SourceStatus) -> FieldGapReason:
    """Why a link is null whose call ended like this."""
    return FieldGapReason.NOT_PERMITTED if status is SourceStatus.PERMISSION_DENIED else FieldGapReason.SOURCE_ERROR


def origin_of(served: Served | None, context: Context) -> tuple[ServedFrom, datetime]:
    """Where the answer of a source came from, and how old it is; never younger than the request where some is live."""
    if served is None:
        return ServedFrom.LIVE, context.fetched_at
    return served.source, min(served.fetched_at, context.fetched_at)
