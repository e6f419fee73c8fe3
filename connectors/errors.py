"""What an answer means, whatever the protocol; connectors raise these and the core decides what follows.

Trouble
├── Reauthorize        the credentials are refused
│   ├── LoginRefused   the same, said by whom the login is asked of, so that there is no doubt
│   └── CertificateRefused  the system wants another client certificate, or one at all
├── RefreshFailed      the login cannot be renewed for now; says when it is tried again
├── PermissionDenied   the user may not do this
├── RateLimited        too many calls; says when to come back
├── CircuitOpen        it has been failing and is not asked for now; says when it is
├── Unavailable        no connection, or the system says it is down
├── TimedOut           no answer within the deadline
├── WrongSystem        something else answers at the address
├── AddressRefused     the address may not be called from here
├── Paused             someone has stopped the use of the connection
├── Disconnected       someone has ended the connection
├── Rejected           the system refuses the request or its values
├── NotFound           no such record
├── NoSuchRecords      this installation has no such kind of record at all
└── BadAnswer          the answer cannot be understood
"""

import re
from dataclasses import dataclass
from enum import Enum


class Sent(Enum):
    """Whether a request may have reached the system: only NOT_SENT may ever be repeated blindly."""

    NOT_SENT = "No byte left this machine."
    MAYBE_SENT = "The system may have acted on it."


@dataclass(frozen=True)
class Upstream:
    """What the system itself said; never a traceback, a page or a secret."""

    status: int | None = None
    code: str | None = None
    message: str | None = None
    request_id: str | None = None


class Trouble(Exception):
    """A source did not answer as hoped.

    `retry_after` is how many seconds to wait before it may go better, where that is known, and `remedy` what to do,
    where more is known than the kind of trouble tells.
    """

    def __init__(
        self,
        message: str,
        *,
        upstream: Upstream | None = None,
        sent: Sent = Sent.MAYBE_SENT,
        retry_after: float | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.upstream = upstream
        self.sent = sent
        self.retry_after = retry_after
        self.remedy = remedy


class Reauthorize(Trouble):
    """The system refuses the credentials."""


class Refusal(Enum):
    """Why a login is not to be had."""

    REVOKED = "What it is renewed with is no longer valid, and stays so."
    REJECTED = "The client or its secret is not accepted."
    EXHAUSTED = "It has failed too many times in a row."


class LoginRefused(Reauthorize):
    """Whom the login is asked of has refused it; one refusal is enough."""

    def __init__(
        self,
        message: str,
        *,
        refusal: Refusal,
        upstream: Upstream | None = None,
        sent: Sent = Sent.MAYBE_SENT,
    ) -> None:
        super().__init__(message, upstream=upstream, sent=sent)
        self.refusal = refusal


class RefreshFailed(Trouble):
    """The login could not be renewed; it is tried again after `retry_after`. The system itself may be well."""


class CertificateRefused(Reauthorize):
    """The system does not take the client certificate, or asks for one that it was not shown."""


class PermissionDenied(Trouble):
    """The connection's user may not do this."""


class RateLimited(Trouble):
    """The system has had too many calls. One that was NOT_SENT was held back here."""


class CircuitOpen(Trouble):
    """The system has been failing, so nothing was sent; it is tried again after `retry_after`."""


class Unavailable(Trouble):
    """The system cannot be reached, or says that it is down; `stage` is where the connection failed."""

    def __init__(
        self,
        message: str,
        *,
        upstream: Upstream | None = None,
        sent: Sent = Sent.MAYBE_SENT,
        retry_after: float | None = None,
        remedy: str | None = None,
        stage: str | None = None,
    ) -> None:
        super().__init__(message, upstream=upstream, sent=sent, retry_after=retry_after, remedy=remedy)
        self.stage = stage


class TimedOut(Trouble):
    """The system did not answer within the deadline."""


class WrongSystem(Trouble):
    """Something answers at the address, but it is not this kind of system."""


class AddressRefused(Trouble):
    """The address may not be called from here; nothing was sent."""


class Paused(Trouble):
    """Someone has stopped the use of the connection for a while; nothing was sent."""


class Disconnected(Trouble):
    """Someone has ended the connection, perhaps while it was asked."""


class Rejected(Trouble):
    """The system refuses the request or its values."""


class NotFound(Trouble):
    """The system has no such record."""


class NoSuchRecords(Trouble):
    """This installation of the system has no such kind of record, because the part that has them is not there."""


class BadAnswer(Trouble):
    """The answer cannot be understood."""


_NEXT_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def outcome_of(error: BaseException) -> str:
    """The meaning of a failure as one word, such as `timed_out`; what is not a trouble is a `fault` of ours."""
    if isinstance(error, Trouble):
        return _NEXT_WORD.sub("_", type(error).__name__).lower()
    return "fault" if isinstance(error, Exception) else "canceled"
