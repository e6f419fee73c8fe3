"""Decides which calls are repeated: few, late enough, and only where that cannot do harm."""

from collections.abc import Callable

from connectors.errors import RateLimited, Sent, TimedOut, Trouble, Unavailable

_RESERVE = 1.0
_MOST = 10.0
_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 5.0
_PASSING = (502, 503, 504)
"""What gateways and servers say while they are busy or starting."""


class RetryBudget:
    """Every call pays in its share, every repetition takes out one; one is there to begin with.

    So repetitions are at most that share of all calls, and one, and never more than ten in a row.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self.tokens = _RESERVE if share else 0.0
        """How many repetitions are allowed now."""

    def deposit(self) -> None:
        """Count a call."""
        self.tokens = min(_MOST, self.tokens + self._share)

    def withdraw(self) -> bool:
        """Take out a repetition, if there is one."""
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


def backoff(attempt: int, jitter: Callable[[], float]) -> float:
    """Seconds to wait after so many attempts: anything up to a bound that doubles (full jitter)."""
    return jitter() * min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(attempt - 1, 32))


def may_pass(trouble: Trouble) -> bool:
    """Whether the same call may fare better in a moment."""
    match trouble:
        case RateLimited():
            return trouble.sent is Sent.MAYBE_SENT  # our own refusals are final
        case TimedOut():
            return trouble.sent is Sent.NOT_SENT
        case Unavailable(upstream=None):
            return True
        case Unavailable():
            return trouble.upstream is not None and trouble.upstream.status in _PASSING
        case _:
            return False
