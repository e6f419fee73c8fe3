"""GraphQL over WebSocket: graphql-transport-ws, with a token in its first message and every wait bounded."""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from gateway.serving.auth import Caller, TokenRefused, bearer
from gateway.serving.sharing import BrokenOff, Operation, SharedSubscriptions, TooSlow
from gateway.stores.errors import Unavailable

_LOGGER = logging.getLogger(__name__)
PROTOCOL = "graphql-transport-ws"

# The codes of the protocol, and 4413 for a subscriber that falls behind; each says what to do.
BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN = 4400, 4401, 4403
INITIALISATION_TIMEOUT, DUPLICATE_ID, TOO_MANY_INITIALISATIONS = 4408, 4409, 4429
TOO_SLOW, SERVICE_RESTART = 4413, 1012

Authenticate = Callable[[str], Awaitable[Caller]]


@dataclass(frozen=True)
class SocketLimits:
    """What one socket may take, in seconds, bytes and subscriptions."""

    initialisation_seconds: float = 10.0
    send_seconds: float = 10.0
    idle_ping_seconds: float = 25.0
    max_message_bytes: int = 256 * 1024
    max_subscriptions: int = 50


class Closing(Exception):
    """The socket is to be closed with a code, and words that say why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(eq=False)
class Sockets:
    """The open sockets of this process."""

    authenticate: Authenticate
    recheck: Callable[[Caller], None]
    subscriptions: SharedSubscriptions
    origins: tuple[str, ...]
    limits: SocketLimits = field(default_factory=SocketLimits)
    _open: set["Socket"] = field(default_factory=set)
    _pinging: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it ends."""
        socket = Socket(WebSocket(scope, receive, send), self)
        if not socket.is_welcome():
            await socket.websocket.close()
            return
        self._open.add(socket)
        if self._pinging is None:
            self._pinging = asyncio.create_task(self._ping())
        try:
            await socket.serve()
        finally:
            self._open.discard(socket)
            if not self._open and self._pinging is not None:
                self._pinging.cancel()
                self._pinging = None

    async def _ping(self) -> None:
        """Keep lines open through proxies, and notice where nobody is any more; one task for all of them."""
        while True:
            await asyncio.sleep(self.limits.idle_ping_seconds)
            await asyncio.gather(*(socket.ping() for socket in self._open))

    def check_keys(self, *, only_expiring: bool = False) -> None:
        """Close the sockets whose keys are no longer in force."""
        for socket in list(self._open):
            caller = socket.caller
            if caller is not None and (caller.key.expires_at is not None or not only_expiring):
                try:
                    self.recheck(caller)
                except TokenRefused as refused:
                    socket.close_soon(FORBIDDEN, refused.advice)

    def drain(self) -> None:
        """Send everyone away, at moments of their own to come back, so that they do not come at once."""
        for socket in list(self._open):
            wait = 500 + secrets.randbelow(4_500)
            socket.close_soon(SERVICE_RESTART, f"Restarting; come again in {wait} ms and go on with `after`.")


class Socket:
    """One client: its caller once it has said who it is, and its running operations by their ids."""

    def __init__(self, websocket: WebSocket, sockets: Sockets) -> None:
        self.websocket = websocket
        self.caller: Caller | None = None
        self._sockets = sockets
        self._limits = sockets.limits
        self._running: dict[str, asyncio.Task[None]] = {}
        self._closing: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._sending = asyncio.Lock()

    def is_welcome(self) -> bool:
        """Whether the page that opens it may: none, one of this server, or one of the allowed origins."""
        headers = self.websocket.headers
        origin = headers.get("origin")
        own = {f"{scheme}://{headers.get('host', '')}" for scheme in ("http", "https")}
        return origin is None or origin in own or origin in self._sockets.origins

    def close_soon(self, code: int, reason: str) -> None:
        """Have the socket closed by the task that serves it."""
        if not self._closing.done():
            self._closing.set_result(Closing(code, reason))

    async def serve(self) -> None:
        """Speak the protocol until one side ends it."""
        if PROTOCOL not in self.websocket.scope.get("subprotocols", ()):
            await self.websocket.accept()
            await self.websocket.close(4406, f"Speak the subprotocol {PROTOCOL}.")
            return
        await self.websocket.accept(PROTOCOL)
        reading: asyncio.Future[Any] = asyncio.create_task(self._read())
        try:
            await asyncio.wait((reading, self._closing), return_when=asyncio.FIRST_COMPLETED)
            closing = self._closing.result() if self._closing.done() else None
            if closing is None:
                error = reading.exception()
                closing = error if isinstance(error, Closing) else None
                if error is not None and closing is None and not isinstance(error, WebSocketDisconnect):
                    _LOGGER.error("a socket has failed", exc_info=error)
                    closing = Closing(1011, "A fault of this product; the log has more.")
        finally:
            tasks: list[asyncio.Future[Any]] = [reading, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if closing is not None and self.websocket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                async with asyncio.timeout(self._limits.send_seconds):
                    await self.websocket.close(closing.code, closing.reason)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(self._limits.initialisation_seconds):
                await self._initialise()
        except TimeoutError:
            raise Closing(INITIALISATION_TIMEOUT, "Send connection_init with a token first.") from None
        while True:
            message = await self._receive()
            match message.get("type"):
                case "subscribe":
                    await self._subscribe(message)
                case "complete":
                    task = self._running.pop(str(message.get("id")), None)
                    if task is not None:
                        task.cancel()
                case "ping":
                    await self._send({"type": "pong"})
                case "pong":
                    pass
                case "connection_init":
                    raise Closing(TOO_MANY_INITIALISATIONS, "connection_init is sent once.")
                case _:
                    raise Closing(BAD_MESSAGE, "This type of message is not known.")

    async def _initialise(self) -> None:
        while self.caller is None:
            message = await self._receive()
            match message.get("type"):
                case "connection_init":
                    payload = message.get("payload") or {}
                    given = payload.get("authorization") or payload.get("Authorization") if payload else None
                    try:
                        self.caller = await self._sockets.authenticate(
                            bearer(given if isinstance(given, str) else None)
                        )
                    except TokenRefused as refused:
                        raise Closing(FORBIDDEN, refused.advice) from None
                    except Unavailable:
                        raise Closing(SERVICE_RESTART, "The database is away; come again in 1000 ms.") from None
                case "ping":
                    await self._send({"type": "pong"})
                case "pong":
                    pass
                case "subscribe":
                    raise Closing(UNAUTHORIZED, "Send connection_init with a token first.")
                case _:
                    raise Closing(BAD_MESSAGE, "connection_init comes first.")
        await self._send({"type": "connection_ack"})

    async def _receive(self) -> dict[str, Any]:
        event = await self.websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1005))
        text = event.get("text")
        if text is None or len(text) > self._limits.max_message_bytes:
            raise Closing(BAD_MESSAGE, f"Messages are text of at most {self._limits.max_message_bytes} bytes.")
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            raise Closing(BAD_MESSAGE, "The message is not JSON.") from None
        if not isinstance(message, dict) or not isinstance(message.get("payload", {}), dict | None):
            raise Closing(BAD_MESSAGE, "The message is not an object with a payload.")
        return message

    async def _subscribe(self, message: dict[str, Any]) -> None:
        identifier, operation = message.get("id"), message.get("payload")
        if not isinstance(identifier, str) or not identifier or not isinstance(operation, dict):
            raise Closing(BAD_MESSAGE, "subscribe needs an id and a payload.")
        if not isinstance(operation.get("query"), str) or not isinstance(operation.get("variables", {}), dict | None):
            raise Closing(BAD_MESSAGE, "The payload needs `query`, and `variables` that are an object.")
        if identifier in self._running:
            raise Closing(DUPLICATE_ID, f"Subscriber for {identifier[:40]} already exists")
        if len(self._running) >= self._limits.max_subscriptions:
            raise Closing(BAD_MESSAGE, f"One socket takes {self._limits.max_subscriptions} operations at once.")
        self._running[identifier] = asyncio.create_task(self._follow(identifier, operation))

    async def _follow(self, identifier: str, operation: Operation) -> None:
        """Run one operation and send its results."""
        caller = self.caller
        if caller is None:
            return
        name = json.dumps(identifier).encode()
        try:
            results = self._sockets.subscriptions.follow(caller, operation, f"req_{secrets.token_hex(12)}")
            async with contextlib.aclosing(results):
                async for encoded in results:
                    kind = b"error" if encoded.is_refused else b"next"
                    await self._send_bytes(b'{"id":%b,"type":"%b","payload":%b}' % (name, kind, encoded.payload))
                    if encoded.is_refused:
                        return
            await self._send({"id": identifier, "type": "complete"})
        except TooSlow:
            self.close_soon(TOO_SLOW, "Too slow to follow; go on with `after` and the last cursor.")
        except TokenRefused as refused:
            self.close_soon(FORBIDDEN, refused.advice)
        except BrokenOff:
            self.close_soon(SERVICE_RESTART, "Broken off; come again in 1000 ms and go on with `after`.")
        except TimeoutError:
            self.close_soon(TOO_SLOW, "Nothing was taken for too long; go on with `after` and the last cursor.")
        except (WebSocketDisconnect, RuntimeError):
            return  # it is gone
        finally:
            if self._running.get(identifier) is asyncio.current_task():
                del self._running[identifier]

    async def ping(self) -> None:
        """Ask whether somebody is there; who does not even take the question is sent away."""
        if self.caller is None:
            return
        try:
            await self._send({"type": "ping"})
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            self.close_soon(TOO_SLOW, "Nothing was taken for too long.")

    async def _send(self, message: dict[str, Any]) -> None:
        await self._send_bytes(json.dumps(message, separators=(",", ":")).encode())

    async def _send_bytes(self, message: bytes) -> None:
        """Send one message; TimeoutError when the client does not take it."""
        async with asyncio.timeout(self._limits.send_seconds), self._sending:
            await self.websocket.send({"type": "websocket.send", "text": message.decode()})
