"""The only input and output of a connector: one call, its login, its deadline, and what became of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import httpx

from connectors.effective import EffectiveSystem
from connectors.errors import (
    AddressRefused,
    BadAnswer,
    NoSuchRecords,
    PermissionDenied,
    RateLimited,
    Reauthorize,
    Rejected,
    Sent,
    TimedOut,
    Trouble,
    Unavailable,
    WrongSystem,
    outcome_of,
)
from connectors.fronts import front_trouble
from connectors.logging_in import Logins
from connectors.ports import Call, Observer
from connectors.protection.guard import Guard
from connectors.protection.limits import Priority
from connectors.protection.protections import lone_guard
from connectors.protocols.shapes import Shape
from connectors.query import Answer, Page, Read, Request
from connectors.spec import System
from connectors.tally import Tally
from connectors.tracing import ATTEMPT, SOURCE_CALL, Attribute, Values, fail, note, step

_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_SHAPE_SECONDS = 30.0
"""How long what a system tells of itself is taken as true; so long may pass until a new field shows in `raw`."""
_UNTOLD = (Rejected, NoSuchRecords, WrongSystem, Reauthorize, PermissionDenied)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
Found = TypeVar("Found")


def _never() -> None:
    """No reason not to ask."""


@dataclass(eq=False)
class Source:
    """One connection, ready to be asked: its system, its address, its login and its options.

    `max_answer_bytes` bounds what one answer may hold after decompression. A source with a `fault` cannot be asked at
    all, and says why whenever it is; one that is `held` back cannot for now. What `guard` knows of the system may be
    shared with other sources. `effective` is the system with what the connection's settings add, and `shapes` is what
    it has told of its collections, with the time of the event loop at which it did.
    """

    connection_id: str
    system: System
    http: httpx.AsyncClient = field(repr=False)
    auth: httpx.Auth = field(repr=False)
    options: dict[str, str] = field(default_factory=dict)
    timeout_ms: int | None = None
    fault: Trouble | None = None
    held: Callable[[], Trouble | None] = _never
    max_answer_bytes: int = _MAX_ANSWER_BYTES
    guard: Guard = field(default_factory=lone_guard, repr=False)
    observer: Observer = field(default_factory=Observer, repr=False)
    effective: EffectiveSystem = field(default=None, repr=False)  # type: ignore[assignment] # see below
    shapes: dict[str, tuple[float, Shape]] = field(default_factory=dict, repr=False)
    _under_way: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _logins: Logins = field(default_factory=Logins, repr=False)

    def __post_init__(self) -> None:
        """Without settings of its own a connection has the system as it is."""
        self.effective = self.effective or EffectiveSystem(self.system)

    async def fetch(self, read: Read, tally: Tally, deadline: float) -> Page:
        """Ask one question; raises the meaning of whatever goes wrong."""
        return await self._ask(read, self.request(read), tally, deadline)

    async def probe(self, read: Read, tally: Tally, deadline: float) -> Page:
        """Ask one question to see how the system is, also where the source is held back."""
        return await self._ask(read, self.request(read), tally, deadline, is_probe=True)

    async def follow(self, read: Read, rest: Request, tally: Tally, deadline: float) -> Page:
        """Ask for the rest of a question whose answer the source cut."""
        return await self._ask(read, rest, tally, deadline)

    async def resume(self, read: Read, query: str, tally: Tally, deadline: float) -> Page:
        """Go on with a question where the source itself has said how to go on, as a query of its own."""
        return await self._ask(read, self.request(read, query), tally, deadline)

    async def count(self, read: Read, tally: Tally, deadline: float) -> int | None:
        """How many rows a question finds; None where the system cannot tell without sending them."""
        protocol = self.system.protocol
        request = protocol.count(read, self.options)
        if request is None:
            return None
        with self._observed(read.source, tally, deadline) as call:
            return await self._make(request, protocol.counted, call, tally.priority, deadline)

    def request(self, read: Read, query: str | None = None) -> Request:
        """A question in the words of the system; `query` is its own, where it has said how to go on."""
        request = self.system.protocol.request(read, self.options)
        return request if query is None else replace(request, query=query)

    def http_request(self, request: Request) -> httpx.Request:
        """A request at the system's own address, as it is before its login adds anything."""
        url = f"{request.path}?{request.query}" if request.query else request.path
        return self.http.build_request(request.method, url, headers=request.headers, content=request.body or None)

    async def shape(self, name: str, tally: Tally, deadline: float, *, is_fresh: bool = False) -> Shape | None:
        """What the system tells of a collection; None where it does not tell, or has no such collection.

        With `is_fresh` it is asked in any case; else only where it has not told for a while, and where it does not
        answer, what it has told before will do.
        """
        now = asyncio.get_running_loop().time()
        known = self.shapes.get(name)
        if known is not None and not is_fresh and now - known[0] < _SHAPE_SECONDS:
            return known[1]
        try:
            found = await self.describe(name, tally, deadline)
        except (TimedOut, Unavailable, RateLimited):
            if known is None or is_fresh:
                raise
            return known[1]
        if isinstance(found, Reauthorize | PermissionDenied):
            raise found
        return None if found is None or isinstance(found, Trouble) else found.get(name)

    async def describe(self, name: str, tally: Tally, deadline: float) -> Mapping[str, Shape] | Trouble | None:
        """What the system tells of a collection now, and of others with it.

        None in a language that cannot ask. A refusal is an answer too, and says nothing of the system: it may tell of
        its records to few, and whether they can be read is for those to find out who read them.
        """
        request = self.system.protocol.describe(name, self.options)
        if request is None:
            return None
        understand = partial(self.system.protocol.shapes, name)
        with self._observed(name, tally, deadline) as call:
            call.entity = ""
            try:
                found = await self._make(request, understand, call, tally.priority, deadline)
            except _UNTOLD as refusal:
                if not call.requests:
                    raise
                call.outcome = outcome_of(refusal)
                return refusal
        now = asyncio.get_running_loop().time()
        self.shapes.update({each: (now, shape) for each, shape in found.items()})
        return found

    async def end(self, fault: Trouble) -> None:
        """Break off what is under way, which then says why."""
        self.fault = fault
        await self._shut()

    async def retire(self) -> None:
        """Close once the calls under way have ended, which their deadlines see to."""
        try:
            while self._under_way:
                self._idle.clear()
                await self._idle.wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the connections to the system, once logins that are under way have ended."""
        await self._logins.end()
        await self._shut()

    async def _shut(self) -> None:
        self.observer.closed()
        await self.http.aclose()

    async def _ask(
        self, read: Read, request: Request, tally: Tally, deadline: float, *, is_probe: bool = False
    ) -> Page:
        understand = partial(self.system.protocol.page, read)
        with self._observed(read.source, tally, deadline) as call:
            page = await self._make(request, understand, call, tally.priority, deadline, is_probe=is_probe)
            call.rows = len(page.rows)
            return page

    @contextmanager
    def _observed(self, resource: str, tally: Tally, deadline: float) -> Iterator[Call]:
        """Count one call, and tell how it ended."""
        call = Call(tally.entity, about=resource)
        started = time.monotonic()
        about = {
            Attribute.CONNECTION: self.connection_id,
            Attribute.SYSTEM: self.system.key,
            Attribute.ENTITY: call.entity,
            Attribute.RESOURCE: resource,
        }
        self._under_way += 1
        with step(SOURCE_CALL, about) as span:
            try:
                yield call
            except BaseException as error:
                call.trouble = _trouble(error, deadline)
                call.outcome = outcome_of(call.trouble or error)
                raise
            finally:
                self._under_way -= 1
                if not self._under_way:
                    self._idle.set()
                call.seconds = time.monotonic() - started
                tally.requests += call.requests
                note(
                    span,
                    {Attribute.OUTCOME: call.outcome, Attribute.REQUESTS: call.requests, Attribute.ROWS: call.rows},
                )
                self.observer.called(call)

    async def _make(
        self,
        request: Request,
        understand: Callable[[Answer], Found],
        call: Call,
        priority: Priority,
        deadline: float,
        *,
        is_probe: bool = False,
    ) -> Found:
        """Wait for a turn, send, understand, learn, and perhaps do so again; the deadline is a time of the loop.

        This is the only place where a request is repeated: within the guard's budget, and never one that may have
        changed something.
        """
        self._check(is_probe)
        call.about = f"{request.method} {call.about}"
        self.guard.budget.deposit()
        attempts = 0
        while True:
            attempts += 1
            try:
                async with self._turn(request.method, priority, deadline, call):
                    return understand(await self._answer(request, call, deadline))
            except Trouble as trouble:
                delay = self.guard.retry_delay(trouble, attempts, deadline) if request.is_safe else None
                if delay is None:
                    raise
                self.observer.retried(outcome_of(trouble))
                await asyncio.sleep(delay)
                self._check(is_probe)

    def _check(self, is_probe: bool) -> None:
        """Raise why the system is not to be asked, if there is a reason."""
        refusal = self.fault or (None if is_probe else self.held())
        if refusal is not None:
            raise refusal

    @asynccontextmanager
    async def _turn(self, method: str, priority: Priority, deadline: float, call: Call) -> AsyncIterator[None]:
        """Go through the guard, and tell how long that took and what its breaker makes of it."""
        usual_seconds = None if self.timeout_ms is None else self.timeout_ms / 1000
        turn = None
        try:
            async with self.guard.entered(method, priority, deadline, usual_seconds) as turn:
                if turn.waited > 0:
                    self.observer.waited(turn.waited)
                self.observer.broke(self.guard.breaker.state)
                yield
        finally:
            call.is_hurried = turn is not None and turn.is_hurried
            self.observer.broke(self.guard.breaker.state)

    async def _answer(self, request: Request, call: Call, deadline: float) -> Answer:
        """Send a request and read the whole answer, which must be a good one, within the deadline."""
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._exchange(request, call)
        except Unavailable:
            if self.fault is not None:
                raise self.fault from None
            raise
        except TimeoutError:
            raise TimedOut("The system did not answer within the deadline.") from None
        trouble = front_trouble(answer) or self.system.protocol.trouble(answer)
        if trouble is not None:
            raise trouble
        return answer

    async def _exchange(self, request: Request, call: Call) -> Answer:
        """Send a request with its login, whose requests are counted and bounded like any other."""
        first = self.http_request(request)

        async def attempt(outgoing: httpx.Request) -> tuple[httpx.Response, Answer]:
            return await self._attempt(outgoing, call, is_login=outgoing is not first)

        return await self._logins.exchange(self.auth, first, attempt, self.guard.count)

    async def _attempt(self, request: httpx.Request, call: Call, *, is_login: bool) -> tuple[httpx.Response, Answer]:
        """Send one request of a call, and tell how it ended."""
        if self.fault is not None:  # it came while the call waited for its turn or its login
            raise self.fault
        about: Values = {
            Attribute.CONNECTION: self.connection_id,
            Attribute.SYSTEM: self.system.key,
            Attribute.METHOD: request.method,
            Attribute.LOGIN: is_login,
            Attribute.RESEND_COUNT: call.requests,
        }
        status = None
        call.requests += 1
        with step(ATTEMPT, about) as span:
            try:
                response, answer = await self._send(request)
                status = call.status = answer.status
            finally:
                self.observer.answered(status)
            note(span, {Attribute.STATUS: status})
            if status >= httpx.codes.BAD_REQUEST:
                fail(span, str(status))
        return response, answer

    async def _send(self, request: httpx.Request) -> tuple[httpx.Response, Answer]:
        try:
            response = await self.http.send(request, auth=None, stream=True, follow_redirects=False)
            try:
                body = await self._read_bounded(response)
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise trouble_of(error) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        read = httpx.Response(response.status_code, headers=_plain(headers), content=body, request=request)
        return read, Answer(response.status_code, headers, body)

    async def _read_bounded(self, response: httpx.Response) -> bytes:
        """Read an answer as it arrives, and stop where it grows beyond all reason."""
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self.max_answer_bytes:
                raise BadAnswer(f"The answer is longer than {self.max_answer_bytes} bytes.")
            parts.append(part)
        return b"".join(parts)


def _trouble(error: BaseException, deadline: float) -> Trouble | None:
    """The meaning of a failure; a deadline around the call that passes first is seen by it as a cancellation."""
    if isinstance(error, asyncio.CancelledError) and asyncio.get_running_loop().time() >= deadline:
        return TimedOut("The system did not answer within the deadline.")
    return error if isinstance(error, Trouble) else None


def _plain(headers: dict[str, str]) -> dict[str, str]:
    """Headers that fit a body which is already decompressed and whole."""
    return {
        name: value
        for name, value in headers.items()
        if name not in ("content-encoding", "content-length", "transfer-encoding")
    }


def trouble_of(error: Exception) -> Trouble:
    """What a failed exchange means, by its real cause: only what failed before the first byte was not sent."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    refused = next((item for item in chain if isinstance(item, AddressRefused)), None)
    if refused is not None:
        return refused
    known = next((item.meaning for item in chain if hasattr(item, "meaning")), None)
    if isinstance(known, Trouble):
        return known
    if isinstance(error, httpx.DecodingError):
        return BadAnswer("The answer is compressed wrongly.")
    sent = Sent.NOT_SENT if isinstance(error, _NOT_SENT) else Sent.MAYBE_SENT
    if isinstance(error, httpx.TimeoutException):
        return TimedOut("The system did not answer in time.", sent=sent)
    if sent is Sent.NOT_SENT:
        return Unavailable(_unreachable(chain), sent=sent, stage=_stage(chain))
    if isinstance(error, httpx.RemoteProtocolError):
        return Unavailable("The system closed the connection before it had answered.", sent=sent)
    return Unavailable("The connection to the system broke off.", sent=sent)


def _stage(chain: list[BaseException]) -> str:
    """How far connecting came, as the transport says; one that does not say got nowhere."""
    return next((item.stage for item in chain if hasattr(item, "stage")), "TCP")


def _unreachable(chain: list[BaseException]) -> str:
    sentences = {
        "DNS": "The system's host name is not known.",
        "TCP": "Nothing answers at the system's address.",
        "TLS": "No secure line to the system could be made.",
    }
    return sentences.get(_stage(chain), "No connection to the system could be made.")
