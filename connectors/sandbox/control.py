"""The control side of a sandbox: what was asked of it, and the troubles that it is told to have."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol, get_args
from typing import Literal as OneOf
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

CONTROL_PATH = "/_sandbox"
REQUESTS_KEPT = 1_000
LOOPBACK = frozenset(("127.0.0.1", "::1"))
SECRET_HEADERS = frozenset(("authorization", "cookie", "x-csrf-token"))
LONGEST_DELAY = 600_000

Mode = OneOf["none", "slow", "down", "unauthorized", "forbidden", "rate_limited", "error", "malformed"]
MODES: tuple[Mode, ...] = get_args(Mode)


class ProtocolSandbox(Protocol):
    """What a protocol's sandbox offers, so that the control side can stand around it."""

    users: dict[str, str]
    """User names with their passwords."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

    def fault_answer(self, fault: str, request: Request) -> Response:
        """Answer a request as the system does in this trouble (all modes but none, slow and down)."""

    def redescribe(self, collection: str, fields: Mapping[str, str | None]) -> None:
        """Give a collection other fields: a new one or a new type by its type, None for one that is gone.

        ValueError for a change that the system cannot make.
        """

    def reset(self) -> None:
        """Begin again with the first data, fields and users."""


@dataclass(frozen=True, slots=True)
class Faults:
    """The trouble that the sandbox has. Delays are in milliseconds, the wait after a 429 in seconds."""

    mode: Mode = "none"
    delay_ms: int = 30_000
    retry_after_seconds: int = 7
    entity: str | None = None
    """The kind of record that is troubled; None for all."""

    def as_json(self) -> dict[str, Any]:
        """Return the trouble with the names that the control side speaks."""
        return {name: getattr(self, attribute) for name, attribute in FIELDS.items()}


FIELDS: Mapping[str, str] = {
    "mode": "mode",
    "delayMs": "delay_ms",
    "retryAfterSeconds": "retry_after_seconds",
    "entity": "entity",
}


class ControlError(ValueError):
    """A body that the control side cannot use; the message names the field and what it may be."""


class ControlledSandbox:
    """An ASGI application around a protocol's sandbox: keeps the requests, makes troubles, takes orders.

    Orders come to `/_sandbox/...` from this machine alone; they are not kept among the requests. In the
    mode `down` a ConnectionRefusedError leaves the application: a server that runs it drops the connection
    without a byte (and logs the error), a client that calls it in process sees the error itself.
    """

    def __init__(
        self,
        application: ProtocolSandbox,
        *,
        entity_of: Callable[[str], str | None] = lambda path: None,
        entities: Collection[str] = (),
    ) -> None:
        """Stand around `application`.

        `entity_of` tells which kind of record the decoded path concerns, None if none; `entities` lists
        the kinds that there are.
        """
        self.application = application
        self.entity_of = entity_of
        self.entities = sorted(entities)
        self.faults = Faults()
        self.requests: list[dict[str, Any]] = []
        """What was asked, oldest first; at most the last thousand."""

    def reset(self) -> None:
        """Begin again: first data and users, no trouble, no requests."""
        self.application.reset()
        self.faults = Faults()
        self.requests.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take an order."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        request = Request(scope, receive)
        path = scope["path"]
        answer: ASGIApp
        if path == CONTROL_PATH or path.startswith(f"{CONTROL_PATH}/"):
            answer = await self.order(request)
        else:
            entity = self.entity_of(path)
            self.requests.append(_record(request, entity))
            del self.requests[:-REQUESTS_KEPT]
            answer = await self._answer(request, entity, send)
        await answer(scope, receive, send)

    async def _answer(self, request: Request, entity: str | None, send: Send) -> ASGIApp:
        faults = self.faults
        if faults.mode == "none" or (faults.entity is not None and faults.entity != entity):
            return self.application
        if faults.mode == "slow":
            await asyncio.sleep(faults.delay_ms / 1_000)
            return self.application
        if faults.mode == "down":
            await _drop(send)
        response = self.application.fault_answer(faults.mode, request)
        if faults.mode == "rate_limited":
            response.headers["retry-after"] = str(faults.retry_after_seconds)
        return response

    async def order(self, request: Request) -> Response:
        """Carry out an order to the control side."""
        client = request.scope.get("client")
        if client is not None and client[0] not in LOOPBACK:
            return JSONResponse({"error": "the control side answers this machine only"}, 403)
        try:
            match request.method, request.url.path.removeprefix(CONTROL_PATH):
                case "GET", "/requests":
                    return JSONResponse(self.requests)
                case "DELETE", "/requests":
                    self.requests.clear()
                case "GET", "/faults":
                    return JSONResponse(self.faults.as_json())
                case "PUT", "/faults":
                    self.faults = self._read_faults(await _body(request))
                    return JSONResponse(self.faults.as_json())
                case "PUT", "/credentials":
                    user, password = _read_credentials(await _body(request))
                    self.application.users[user] = password
                case "PUT", "/fields":
                    self._redescribe(await _body(request))
                case "POST", "/reset":
                    self.reset()
                case _:
                    return JSONResponse({"error": "no such order"}, 404)
        except ControlError as error:
            return JSONResponse({"error": str(error)}, 400)
        return Response(status_code=204)

    def _redescribe(self, body: Mapping[str, Any]) -> None:
        for collection, fields in body.items():
            if not isinstance(fields, dict) or not all(isinstance(kind, str | None) for kind in fields.values()):
                raise ControlError(f"{collection} must be an object of fields, each with its type or null")
            try:
                self.application.redescribe(collection, fields)
            except ValueError as error:
                raise ControlError(str(error)) from None

    def _read_faults(self, body: Mapping[str, Any]) -> Faults:
        """Read a whole new trouble: what the body does not name is as it is by default."""
        _check_names(body, FIELDS)
        faults = replace(Faults(), **{FIELDS[name]: value for name, value in body.items()})
        if faults.mode not in MODES:
            raise ControlError(f"mode must be one of {', '.join(MODES)}")
        if not _is_count(faults.delay_ms):
            raise ControlError(f"delayMs must be a whole number from 0 to {LONGEST_DELAY}")
        if not _is_count(faults.retry_after_seconds):
            raise ControlError(f"retryAfterSeconds must be a whole number from 0 to {LONGEST_DELAY}")
        if faults.entity is not None and faults.entity not in self.entities:
            raise ControlError(f"entity must be null or one of {', '.join(self.entities)}")
        return faults


def _record(request: Request, entity: str | None) -> dict[str, Any]:
    headers = {name: "(hidden)" if name in SECRET_HEADERS else value for name, value in request.headers.items()}
    return {
        "method": request.method,
        "path": request.scope["path"],
        "query": dict(parse_qsl(request.url.query, keep_blank_values=True)),
        "headers": headers,
        "entity": entity,
        "at": datetime.now(UTC).isoformat(),
    }


async def _drop(send: Send) -> NoReturn:
    """End the exchange without an answer.

    A server would turn an exception alone into an answer of 500. An answer that cannot be written (no
    header may contain a line break) comes first, so that the server has begun and can only hang up.
    """
    with suppress(Exception):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"\n", b"")]})
    raise ConnectionRefusedError("the sandbox is told to be down")


def _read_credentials(body: Mapping[str, Any]) -> tuple[str, str]:
    _check_names(body, ("username", "password"))
    for name in ("username", "password"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise ControlError(f"{name} must be a text that is not empty")
    return body["username"], body["password"]


def _check_names(body: Mapping[str, Any], known: Collection[str]) -> None:
    for name in body:
        if name not in known:
            raise ControlError(f"{name} is not a field here; the fields are {', '.join(known)}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LONGEST_DELAY


async def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise ControlError("the body must be JSON") from None
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body
