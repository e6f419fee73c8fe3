"""What can go wrong, in the contract's words: codes, whose fault each is, and what to do about it."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from graphql import GraphQLError

from schema.enums import enumeration
from schema.scalars import JSON

if TYPE_CHECKING:
    from schema.connections import ConnectedSystem
    from schema.health import ConnectionStatus

_Connection = Annotated["ConnectedSystem", strawberry.lazy("schema.connections")]
_Status = Annotated["ConnectionStatus", strawberry.lazy("schema.health")]


@enumeration
class ErrorCategory(Enum):
    """Whose fault it is."""

    AUTH = "The token."
    REQUEST = "The request."
    CONNECTION = "The connection's state."
    UPSTREAM = "The connected system."
    BUSINESS = "A rule of the connected system."
    CAPABILITY = "Something that the system or this product cannot do."
    DATA = "The record."
    GATEWAY = "This product."


@enumeration
class ErrorCode(Enum):
    """What went wrong; new codes may be added."""

    UNAUTHENTICATED = "No valid token was sent."
    TOKEN_EXPIRED = "The token has expired."  # noqa: S105 - a description
    TOKEN_REVOKED = "The token was revoked."  # noqa: S105 - a description
    FORBIDDEN = "The token may not do this."
    SCOPE_MISSING = "The token lacks a scope."
    BAD_REQUEST = "The request could not be read."
    VALIDATION_FAILED = "A value in the request is not valid."
    QUERY_TOO_COMPLEX = "The query would cost too much."
    QUERY_TOO_DEEP = "The query is nested too deeply."
    UNSUPPORTED_SORT = "This order cannot be used here."
    FILTER_TOO_EXPENSIVE = "The filter would read too many rows."
    INVALID_CURSOR = "The cursor is not ours or does not fit the query."
    CONNECTION_NOT_FOUND = "There is no such connection."
    CONNECTION_PAUSED = "The connection is paused."
    CONNECTION_DISCONNECTED = "The connection was disconnected."
    CONNECTION_MISCONFIGURED = "The connection's settings are wrong, or lead to another system."
    CREDENTIALS_REJECTED = "The system refused the credentials."
    REAUTHORIZATION_REQUIRED = "The connection needs new credentials."
    REFRESH_BACKOFF = "Renewing the login failed a moment ago and will be tried again."
    ACCOUNT_MISMATCH = "The credentials belong to another account."
    INSUFFICIENT_CREDITS = "There are too few credits."
    CIRCUIT_OPEN = "The system has been failing and is not asked for now."
    UPSTREAM_UNREACHABLE = "The system cannot be reached."
    UPSTREAM_TIMEOUT = "The system did not answer in time."
    UPSTREAM_ERROR = "The system failed."
    UPSTREAM_BAD_RESPONSE = "The system's answer could not be understood."
    UPSTREAM_RATE_LIMITED = "The system has had too many calls."
    UPSTREAM_REJECTED = "The system refused the values."
    UPSTREAM_PERMISSION_DENIED = "The connection's user may not do this."
    ENTITY_UNSUPPORTED = "The system has no such records."
    RECORD_NOT_FOUND = "There is no such record."
    INTERNAL = "A fault of this product."


@dataclass(frozen=True)
class Meaning:
    """What a code says beyond its name: whose fault, whether to try again, and the way out."""

    category: ErrorCategory
    retryable: bool
    remediation: str


_C, _R = ErrorCategory, ErrorCode
MEANINGS: dict[ErrorCode, Meaning] = {
    _R.UNAUTHENTICATED: Meaning(_C.AUTH, False, "Send the header `Authorization: Bearer <token>` with a valid token."),
    _R.TOKEN_EXPIRED: Meaning(_C.AUTH, False, "Make a new key with `createApiKey` and use its token."),
    _R.TOKEN_REVOKED: Meaning(_C.AUTH, False, "Make a new key with `createApiKey` and use its token."),
    _R.FORBIDDEN: Meaning(_C.AUTH, False, "Use a token that reaches this, such as the admin token."),
    _R.SCOPE_MISSING: Meaning(_C.AUTH, False, "Use a key that was made with this scope."),
    _R.BAD_REQUEST: Meaning(_C.REQUEST, False, "Correct the request; the message says where."),
    _R.VALIDATION_FAILED: Meaning(_C.REQUEST, False, "Correct the value that `field` names."),
    _R.QUERY_TOO_COMPLEX: Meaning(_C.REQUEST, False, "Ask for less at once, or split the query."),
    _R.QUERY_TOO_DEEP: Meaning(_C.REQUEST, False, "Nest the query less deeply, or split it."),
    _R.UNSUPPORTED_SORT: Meaning(
        _C.REQUEST,
        False,
        "Use another order, or narrow the filter so that fewer rows have to be sorted here.",
    ),
    _R.FILTER_TOO_EXPENSIVE: Meaning(
        _C.REQUEST, False, "Add a filter that the system can apply; continuing from `endCursor` scans on."
    ),
    _R.INVALID_CURSOR: Meaning(_C.REQUEST, False, "Start again without `after`, with the arguments of page one."),
    _R.CONNECTION_NOT_FOUND: Meaning(_C.CONNECTION, False, "Look up the ids with `connections`."),
    _R.CONNECTION_PAUSED: Meaning(_C.CONNECTION, False, "Resume it with `resumeConnection`."),
    _R.CONNECTION_DISCONNECTED: Meaning(_C.CONNECTION, False, "Connect the system again with `connectSystem`."),
    _R.CONNECTION_MISCONFIGURED: Meaning(
        _C.CONNECTION, False, "Check the address and the settings, and connect the system again."
    ),
    _R.CREDENTIALS_REJECTED: Meaning(
        _C.CONNECTION, False, "Check what was given, such as user, password or key, in the system, then try again."
    ),
    _R.REAUTHORIZATION_REQUIRED: Meaning(
        _C.CONNECTION, False, "Give new credentials of the same account with `reconnectSystem`."
    ),
    _R.REFRESH_BACKOFF: Meaning(
        _C.CONNECTION,
        True,
        "Check that the token address answers, and try again after `retryAfterMs`.",
    ),
    _R.ACCOUNT_MISMATCH: Meaning(
        _C.CONNECTION, False, "Give credentials of the same account, or connect the other one with `connectSystem`."
    ),
    _R.INSUFFICIENT_CREDITS: Meaning(
        _C.CONNECTION, False, "Disconnect what is not needed, or ask the operator for more credits."
    ),
    _R.CIRCUIT_OPEN: Meaning(
        _C.UPSTREAM,
        True,
        "Look into why the system fails, as the message says; after `retryAfterMs` it is tried again by itself.",
    ),
    _R.UPSTREAM_UNREACHABLE: Meaning(
        _C.UPSTREAM,
        True,
        "Check that the system runs and that network and firewall let this machine reach it.",
    ),
    _R.UPSTREAM_TIMEOUT: Meaning(_C.UPSTREAM, True, "Try again, ask for fewer rows, or raise `timeoutMs`."),
    _R.UPSTREAM_ERROR: Meaning(_C.UPSTREAM, True, "Try again later; if it stays, look into the system's own log."),
    _R.UPSTREAM_BAD_RESPONSE: Meaning(
        _C.UPSTREAM,
        False,
        "Check that the address leads to the system itself and not to a login or proxy page.",
    ),
    _R.UPSTREAM_RATE_LIMITED: Meaning(_C.UPSTREAM, True, "Wait for `retryAfterMs`, then try again."),
    _R.UPSTREAM_REJECTED: Meaning(_C.BUSINESS, False, "Change the request as the system's own words say."),
    _R.UPSTREAM_PERMISSION_DENIED: Meaning(
        _C.BUSINESS, False, "Give the connection's user the right to read these records in the system."
    ),
    _R.ENTITY_UNSUPPORTED: Meaning(_C.CAPABILITY, False, "Leave this system out with `systems` or `connectionIds`."),
    _R.RECORD_NOT_FOUND: Meaning(_C.DATA, False, "Check the id; the record may have been deleted in its system."),
    _R.INTERNAL: Meaning(_C.GATEWAY, True, "Try again; if it stays, report the request id."),
}
"""Each code has exactly one meaning; a test holds this table against the enum."""


@strawberry.type(description="What the system itself said, without secrets.")
class UpstreamProblem:
    """What the system itself said, without secrets."""

    status: int | None = strawberry.field(default=None, description="Its HTTP status.")
    code: str | None = strawberry.field(default=None, description="Its own code.")
    message: str | None = strawberry.field(default=None, description="Its own words.")
    request_id: str | None = strawberry.field(default=None, description="Its own request id.")


@strawberry.type(description="What went wrong, whose fault it is and what to do.")
class Problem:
    """What went wrong, whose fault it is and what to do."""

    code: ErrorCode = strawberry.field(description="The code.")
    category: ErrorCategory = strawberry.field(description="Whose fault it is.")
    message: str = strawberry.field(description="What happened, in a sentence.")
    remediation: str | None = strawberry.field(default=None, description="What to do about it.")
    connection_id: strawberry.ID | None = strawberry.field(default=None, description="The connection concerned.")
    system: str | None = strawberry.field(default=None, description="The key of the system concerned.")
    field: str | None = strawberry.field(default=None, description="The field concerned.")
    upstream: UpstreamProblem | None = strawberry.field(default=None, description="What the system itself said.")
    retryable: bool = strawberry.field(default=False, description="Whether the same request may work later.")
    retry_after_ms: int | None = strawberry.field(default=None, description="How long to wait before.")
    request_id: strawberry.ID = strawberry.field(
        default=strawberry.ID(""), description="The request, for support and logs."
    )


def problem(code: ErrorCode, message: str, **details: Any) -> Problem:
    """A problem with the category, the remedy and the retry advice of its code."""
    meaning = MEANINGS[code]
    details.setdefault("remediation", meaning.remediation)
    details.setdefault("retryable", meaning.retryable)
    return Problem(code=code, category=meaning.category, message=message, **details)


def failure(code: ErrorCode, message: str, **details: Any) -> GraphQLError:
    """A GraphQL error that carries code, category, remedy and the given details in its extensions."""
    meaning = MEANINGS[code]
    extensions = {
        "code": code.name,
        "category": meaning.category.name,
        "retryable": meaning.retryable,
        "remediation": meaning.remediation,
        **{name: value for name, value in details.items() if value is not None},
    }
    return GraphQLError(message, extensions=extensions)


@strawberry.interface(description="Why a mutation was refused.")
class MutationError:
    """Why a mutation was refused."""

    code: ErrorCode = strawberry.field(description="The code.")
    category: ErrorCategory = strawberry.field(description="Whose fault it is.")
    message: str = strawberry.field(description="What is wrong, in a sentence.")
    field: str | None = strawberry.field(
        default=None, description="The field of the input concerned, such as set.lines.0.quantity."
    )
    remediation: str | None = strawberry.field(default=None, description="What to do about it.")
    retryable: bool = strawberry.field(default=False, description="Whether the same request may work later.")


@strawberry.type(description="A value of the input is not valid.")
class ValidationFailed(MutationError):
    """A value of the input is not valid."""

    value: JSON | None = strawberry.field(default=None, description="The value that was sent.")


@strawberry.type(description="Something that is needed to do this is not permitted.")
class PermissionDenied(MutationError):
    """Something that is needed to do this is not permitted."""

    missing_rights: list[str] = strawberry.field(
        default_factory=list, description="The scopes or rights that are missing."
    )


@strawberry.type(description="The connection cannot be used now.")
class ConnectionUnavailable(MutationError):
    """The connection cannot be used now; `connection_id` names it, if there is one yet."""

    connection_id: strawberry.Private[str | None] = None

    @strawberry.field(description="The connection.")
    async def connection(self, info: strawberry.Info[Any, Any]) -> _Connection | None:
        """Find the connection."""
        if self.connection_id is None:
            return None
        found: ConnectedSystem | None = await info.context.directory.connection(self.connection_id)
        return found

    @strawberry.field(description="How it is.")
    async def connection_status(self, info: strawberry.Info[Any, Any]) -> _Status | None:
        """Tell how the connection is."""
        if self.connection_id is None:
            return None
        found = await info.context.directory.connection(self.connection_id)
        return None if found is None else found.condition.status

    retry_after_ms: int | None = strawberry.field(default=None, description="How long to wait before trying again.")


@strawberry.type(description="The system refused the credentials.")
class CredentialsRejected(MutationError):
    """The system refused the credentials."""

    upstream: UpstreamProblem | None = strawberry.field(default=None, description="What the system said.")


@strawberry.type(description="The credentials belong to another account.")
class AccountMismatch(MutationError):
    """The credentials belong to another account."""

    expected_account: str | None = strawberry.field(
        default=None, description="The account that the connection belongs to."
    )
    actual_account: str | None = strawberry.field(
        default=None, description="The account that the credentials belong to."
    )


@strawberry.type(description="There are too few credits.")
class InsufficientCredits(MutationError):
    """There are too few credits."""

    required: int = strawberry.field(default=0, description="How many are needed.")
    available: int = strawberry.field(default=0, description="How many are left.")


@strawberry.type(description="There is no such connection, customer or key.")
class NotFound(MutationError):
    """There is no such connection, customer or key."""

    missing_id: strawberry.ID | None = strawberry.field(default=None, description="What was asked for.")


MUTATION_ERRORS = (
    ValidationFailed,
    PermissionDenied,
    ConnectionUnavailable,
    CredentialsRejected,
    AccountMismatch,
    InsufficientCredits,
    NotFound,
)
"""The concrete errors; the schema has to be told of them, because fields only name the interface."""


def refusal(kind: type[MutationError], code: ErrorCode, message: str, **details: Any) -> Any:
    """A mutation error of the given kind, with category, remedy and retry advice of its code."""
    meaning = MEANINGS[code]
    details.setdefault("remediation", meaning.remediation)
    return kind(code=code, category=meaning.category, message=message, retryable=meaning.retryable, **details)
