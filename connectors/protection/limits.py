"""What a system bears, as its spec says it, and when calls are held back, as the settings say it."""

from dataclasses import dataclass
from enum import Enum


class Share(Enum):
    """Whose calls count together; always those of one customer alone."""

    CONNECTION = "One connection."
    USER = "All connections that log in in the same way."
    ACCOUNT = "All connections to the same address."
    HOST = "All connections to the same host, whatever they reach there."


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many calls in any span of so many seconds; logins are calls too.

    `methods` are the HTTP methods that count, all of them where it is empty. `burst` is how many calls may come at
    once; by default a quarter, so that the rest of the span is not spent waiting.
    """

    calls: int
    seconds: float
    share: Share = Share.ACCOUNT
    methods: tuple[str, ...] = ()
    burst: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be kept."""
        if self.calls < 1 or self.seconds <= 0 or not 1 <= self.at_once <= self.calls:
            raise ValueError(f"no rate can be {self.calls} calls in {self.seconds} seconds, {self.at_once} at once")

    @property
    def at_once(self) -> int:
        """How many calls may come at once."""
        return max(1, self.calls // 4) if self.burst is None else self.burst

    def counts(self, method: str) -> bool:
        """Whether a call by this HTTP method counts."""
        return not self.methods or method in self.methods


@dataclass(frozen=True, slots=True)
class Limits:
    """What a system bears.

    `share` says who has to wait when the system has had enough, and among whom `at_once`, the most calls under way,
    is divided; without a number of its own it is that of the settings.
    """

    share: Share = Share.ACCOUNT
    at_once: int | None = None
    rates: tuple[Rate, ...] = ()


UNPUBLISHED = Limits()
"""For a system whose maker publishes no numbers: none is invented, and what it answers is obeyed for all connections to
its address.
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a connection is to its system; each word may stand in a key that others can read, so none is a secret."""

    tenant: str
    connection: str
    user: str
    account: str
    host: str

    def shared_by(self, share: Share) -> tuple[str, ...]:
        """The key of everybody whose calls count together with this connection's; the customer comes first."""
        own = {
            Share.CONNECTION: self.connection,
            Share.USER: self.user,
            Share.ACCOUNT: self.account,
            Share.HOST: self.host,
        }
        return (self.tenant, share.name.lower(), own[share])


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When calls are held back, and how often one is repeated."""

    failures_in_a_row: int = 5
    window_seconds: float = 30.0
    window_calls: int = 20
    failing_share: float = 0.5
    first_open_seconds: float = 5.0
    longest_open_seconds: float = 600.0
    successes_to_close: int = 2
    fair_seconds: float = 1.0
    """A system that had less time than this for an answer has not failed when there is none."""
    usual_seconds: float = 10.0
    """How long a system usually may take; one that had less than half of it, and has answered others since, has not."""
    calls_at_once: int = 8
    calls_waiting: int = 100
    retry_share: float = 0.1
    retries: int = 2


DEFAULTS = Thresholds()


class Priority(Enum):
    """How urgent a piece of work is: somebody waits for it, or nobody does."""

    INTERACTIVE = 0
    BACKGROUND = 1
