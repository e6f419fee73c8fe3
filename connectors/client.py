"""The only input and output of a connector: one call, its login, its deadline, and what became of it."""

import asyncio
from dataclasses import dataclass, field

import httpx
from opentelemetry import trace

from connectors.effective import EffectiveSystem
from connectors.errors import AddressRefused, BadAnswer, Sent, TimedOut, Trouble, Unavailable
from connectors.protocols.shapes import Shape
from connectors.query import Answer, Page, Read, Request
from connectors.spec import System

_TRACER = trace.get_tracer("switchgear.connectors")
_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass
class Tally:
    """How many requests a piece of work has made, logins included."""

    requests: int = 0


@dataclass(eq=False)
class Source:
    """One connection, ready to be asked: its system, its address, its login and its options.

    `max_answer_bytes` bounds what one answer may hold after decompression. A source with a `fault` cannot be asked at
    all, and says why whenever it is. `effective` is the system with what the connection's settings add, and `shapes`
    is what it has told of its collections, with the time of the event loop at which it did.
    """

    connection_id: str
    system: System
    http: httpx.AsyncClient = field(repr=False)
    auth: httpx.Auth = field(repr=False)
    options: dict[str, str] = field(default_factory=dict)
    timeout_ms: int | None = None
    fault: Trouble | None = None
    max_answer_bytes: int = _MAX_ANSWER_BYTES
    effective: EffectiveSystem = field(default=None, repr=False)  # type: ignore[assignment] # see below
    shapes: dict[str, tuple[float, Shape]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Without settings of its own a connection has the system as it is."""
        self.effective = self.effective or EffectiveSystem(self.system)

    async def fetch(self, read: Read, tally: Tally, deadline: float) -> Page:
        """Ask one question; raises the meaning of whatever goes wrong."""
        protocol = self.system.protocol
        return protocol.page(read, await self._call(protocol.request(read, self.options), tally, deadline))

    async def follow(self, read: Read, rest: Request, tally: Tally, deadline: float) -> Page:
        """Ask for the rest of a question whose answer the source cut."""
        return self.system.protocol.page(read, await self._call(rest, tally, deadline))

    async def ask(self, request: Request, tally: Tally, deadline: float) -> Answer:
        """Ask something else than for rows."""
        return await self._call(request, tally, deadline)

    async def close(self) -> None:
        """Close the connections to the system."""
        await self.http.aclose()

    async def _call(self, request: Request, tally: Tally, deadline: float) -> Answer:
        """Send a request within the deadline, a time of the event loop, and read the whole answer."""
        if self.fault is not None:
            raise self.fault
        with _TRACER.start_as_current_span(
            "source call",
            attributes={"switchgear.system": self.system.key, "switchgear.connection": self.connection_id},
        ):
            try:
                async with asyncio.timeout_at(deadline):
                    answer = await self._exchange(request, tally)
            except TimeoutError:
                raise TimedOut("The system did not answer within the deadline.") from None
        trouble = self.system.protocol.trouble(answer)
        if trouble is not None:
            raise trouble
        return answer

    async def _exchange(self, request: Request, tally: Tally) -> Answer:
        """Drive the login's flow by hand, so that its requests are counted and bounded like any other."""
        url = f"{request.path}?{request.query}" if request.query else request.path
        first = self.http.build_request(request.method, url, headers=request.headers, content=request.body or None)
        flow = self.auth.async_auth_flow(first)
        try:
            outgoing = await anext(flow)
            while True:
                response, answer = await self._send(outgoing, tally)
                try:
                    outgoing = await flow.asend(response)
                except StopAsyncIteration:
                    return answer
        finally:
            await flow.aclose()

    async def _send(self, request: httpx.Request, tally: Tally) -> tuple[httpx.Response, Answer]:
        tally.requests += 1
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
