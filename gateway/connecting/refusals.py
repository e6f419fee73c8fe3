"""What a mutation answers when a connection is not there, or its system does not do what is needed."""

from connectors.errors import AddressRefused, LoginRefused, Reauthorize, Refusal, Trouble
from connectors.errors import PermissionDenied as RightsMissing
from gateway.connecting.forms import Refused, invalid
from resolvers.outcomes import code_of, retry_after_ms, upstream_of
from schema.errors import (
    ConnectionUnavailable,
    CredentialsRejected,
    ErrorCode,
    MutationError,
    NotFound,
    PermissionDenied,
    refusal,
)

_LOGIN_REMEDIES = {
    Refusal.REVOKED: "Get a new refresh token from the authorization server, and give that one.",
    Refusal.REJECTED: "Check client id and client secret at the authorization server, then try again.",
}


def no_connection(connection_id: str, field: str) -> Refused:
    """The refusal for a connection that is not there, or not the caller's."""
    message = f"There is no connection {connection_id!r}."
    return Refused(refusal(NotFound, ErrorCode.CONNECTION_NOT_FOUND, message, field=field, missing_id=connection_id))


def concerning(errors: list[MutationError], connection_id: str) -> list[MutationError]:
    """The same errors, which now name the connection where they can."""
    for error in errors:
        if isinstance(error, ConnectionUnavailable):
            error.connection_id = connection_id
    return errors


def refusal_of(trouble: Trouble) -> MutationError:
    """Why a system could not be asked, as the error of a mutation."""
    said = upstream_of(trouble.upstream)
    remedy = _LOGIN_REMEDIES.get(trouble.refusal) if isinstance(trouble, LoginRefused) else trouble.remedy
    advice = {"remediation": remedy} if remedy else {}
    result: MutationError
    if isinstance(trouble, Reauthorize):
        result = refusal(CredentialsRejected, ErrorCode.CREDENTIALS_REJECTED, trouble.message, upstream=said, **advice)
    elif isinstance(trouble, RightsMissing):
        result = refusal(PermissionDenied, ErrorCode.UPSTREAM_PERMISSION_DENIED, trouble.message)
    elif isinstance(trouble, AddressRefused):
        result = invalid("credentials.url", f"This address cannot be used: {trouble.message}").error
    else:
        result = refusal(
            ConnectionUnavailable,
            code_of(trouble),
            trouble.message,
            field="credentials.url",
            retry_after_ms=retry_after_ms(trouble),
            **advice,
        )
    return result
