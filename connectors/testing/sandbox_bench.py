"""A bench over a sandbox in the same process, whose data, users and troubles the suite can change."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import httpx

from connectors.sandbox.control import ControlledSandbox, Faults
from connectors.testing.bench import RETRY_AFTER_SECONDS, Bench, Misfortune, Opened
from connectors.testing.in_process import InProcessTransport
from connectors.testing.wire import always

_FAULTS = {
    Misfortune.MISSING_RIGHT: Faults("forbidden"),
    Misfortune.TOO_MANY_CALLS: Faults("rate_limited", retry_after_seconds=RETRY_AFTER_SECONDS),
    Misfortune.FAILURE: Faults("error"),
}
_CLOSED = always(503, b"<html><title>503 Service Unavailable</title></html>", {"content-type": "text/html"})


@dataclass(eq=False)
class SandboxBench(Bench):
    """A system in the form of its sandbox; `user` is who logs on."""

    user: str = field(kw_only=True)

    @abstractmethod
    def sandbox(self, cut: int | None = None) -> ControlledSandbox:
        """The sandbox with the bench's data; with `cut` it answers in pieces of so many rows."""

    def transport(self, cut: int | None) -> httpx.AsyncBaseTransport:
        """Call the sandbox as if it were far away."""
        return InProcessTransport(self.sandbox(cut))

    def cause(self, misfortune: Misfortune, opened: Opened) -> AbstractContextManager[None]:
        """Switch the trouble on in the sandbox; while it is down for maintenance, what stands before it answers."""
        if misfortune is Misfortune.MAINTENANCE:
            return opened.wire.scripted(_CLOSED)
        if misfortune is Misfortune.REFUSED_CREDENTIALS:
            return self._other_password()
        return self._fault(_FAULTS[misfortune])

    @contextmanager
    def _fault(self, faults: Faults) -> Iterator[None]:
        box = self.sandbox()
        box.faults = faults
        try:
            yield
        finally:
            box.faults = Faults()

    @contextmanager
    def _other_password(self) -> Iterator[None]:
        users = self.sandbox().application.users
        password = users[self.user]
        users[self.user] = "changed meanwhile"
        try:
            yield
        finally:
            users[self.user] = password
