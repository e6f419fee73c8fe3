"""Lets several hear what happens at one connection."""

from collections.abc import Sequence

from connectors.ports import BreakerState, CacheOutcome, Call, Observer


class Observers(Observer):
    """Tells each of them, in order."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def called(self, call: Call) -> None:
        """A call has ended."""
        for observer in self._observers:
            observer.called(call)

    def answered(self, status: int | None) -> None:
        """One request has ended."""
        for observer in self._observers:
            observer.answered(status)

    def retried(self, outcome: str) -> None:
        """A call is repeated."""
        for observer in self._observers:
            observer.retried(outcome)

    def waited(self, seconds: float) -> None:
        """A call has waited."""
        for observer in self._observers:
            observer.waited(seconds)

    def broke(self, state: BreakerState) -> None:
        """The breaker has changed."""
        for observer in self._observers:
            observer.broke(state)

    def cached(self, entity: str, outcome: CacheOutcome) -> None:
        """A cache was asked."""
        for observer in self._observers:
            observer.cached(entity, outcome)

    def closed(self) -> None:
        """The connection is no longer in use."""
        for observer in self._observers:
            observer.closed()
