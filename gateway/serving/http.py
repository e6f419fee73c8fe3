"""GraphQL over HTTP: one request in, one answer out, with the token checked and every error in its form."""

import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from strawberry import Schema
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from gateway.logging import request_id
from gateway.serving.auth import Caller, TokenRefused, bearer
from gateway.serving.sharing import Encoded, SharedSubscriptions
from gateway.serving.sse import MEDIA_TYPE, event_stream
from gateway.stores.errors import Outdated, Unavailable
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.requests import WatchedRequest, watch
from resolvers.documents import NO_SUCH_OPERATION, code_of, without_names
from resolvers.ports import Context
from schema.errors import MEANINGS, ErrorCode

_LOGGER = logging.getLogger(__name__)
_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_REFUSED_KIND = re.compile(r";\s*q=0(\.0*)?\s*(;|$)", re.IGNORECASE)
_NO_DATABASE = "This product's own database does not answer now."
_FOR_TOO_LONG = "This product's own database has been away for too long to know which tokens are still in force."
_UNTOUCHED = "Nothing was changed."
_UNKNOWN = "If this was a change, look whether it was made before you try again."
_NO_DATABASE_SECONDS = 1
_NO_DATABASE_REMEDY = (
    "Wait for `retryAfterMs` and try again; if it stays, have the operator look at the database and at `/readyz`."
)
_JSON = "application/json"
_GRAPHQL = "application/graphql-response+json"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_CONSOLE_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; object-src 'none'; frame-ancestors 'none'"
)

Authenticate = Callable[[str], Awaitable[Caller]]
MakeContext = Callable[[Caller, str], Context]


class RequestIds:
    """Gives every request an id, the caller's own where it is safe, and sends it back."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its id."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        identifier = sent if _SAFE_ID.fullmatch(sent) else f"req_{secrets.token_hex(12)}"
        token = request_id.set(identifier)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", identifier.encode())]
            await send(message)

        try:
            await self._application(scope, receive, send_with_id)
        finally:
            request_id.reset(token)


class GraphQLEndpoint:
    """The endpoint: POST for everything, GET for queries, and a page for people who open it in a browser."""

    def __init__(
        self,
        schema: Schema,
        authenticate: Authenticate,
        make_context: MakeContext,
        page: Callable[[], str],
        metrics: Metrics,
        *,
        max_body_bytes: int,
        shows_schema: bool = True,
    ) -> None:
        self.schema = schema
        self._authenticate = authenticate
        self._make_context = make_context
        self._page = page
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes
        self._shows_schema = shows_schema
        self.subscriptions: SharedSubscriptions
        """Set by whoever has them; streams of events need it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except Unanswerable as error:
            response = error.response(_accepted(request) or _JSON)
        except ClientDisconnect:
            return  # nobody waits for an answer any more
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method == "GET" and "query" not in request.query_params and _wants_page(request):
            return HTMLResponse(self._page(), headers=_HEADERS | {"Content-Security-Policy": _CONSOLE_POLICY})
        with watch(self._metrics) as watched:
            try:
                return await self._answer(request, watched)
            except Unanswerable as error:
                watched.refused(error.code.name, error.status)
                raise
            except ClientDisconnect:
                watched.gone()
                raise

    async def _answer(self, request: Request, watched: WatchedRequest) -> Response:
        if request.method not in ("GET", "POST"):
            raise Unanswerable(405, ErrorCode.BAD_REQUEST, "GraphQL takes POST and GET.", {"Allow": "GET, POST"})
        if _wants_events(request):
            caller = await self._caller(request)
            operation = await self._operation(request)
            return event_stream(self.subscriptions.follow(caller, operation, request_id.get()))
        media_type = _accepted(request)
        if media_type is None:
            raise Unanswerable(406, ErrorCode.BAD_REQUEST, f"The answer would be {_GRAPHQL} or {_JSON}.")
        caller = await self._caller(request)
        watched.trace(request.headers, request_id.get())
        operation = await self._operation(request)
        return await self._execute(request, caller, operation, media_type, watched)

    async def _caller(self, request: Request) -> Caller:
        try:
            return await self._authenticate(bearer(request.headers.get("authorization")))
        except TokenRefused as refused:
            raise Unanswerable(401, refused.code, refused.message, {"WWW-Authenticate": "Bearer"}) from None
        except Unavailable as error:
            _LOGGER.error("a token could not be looked up: %s", error)
            message = _FOR_TOO_LONG if isinstance(error, Outdated) else _NO_DATABASE
            raise Unanswerable(
                503, ErrorCode.INTERNAL, message, {"Retry-After": str(_NO_DATABASE_SECONDS)}, _absence()
            ) from None

    async def _operation(self, request: Request) -> Mapping[str, Any]:
        if request.method == "GET":
            return _checked(_from_query(request.query_params))
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _JSON:
            raise Unanswerable(415, ErrorCode.BAD_REQUEST, f"The body must be {_JSON}, not {kind or 'untyped'}.")
        try:
            body = json.loads(await self._body(request))
        except (ValueError, RecursionError):
            raise Unanswerable(400, ErrorCode.BAD_REQUEST, "The body is not JSON.") from None
        return _checked(body)

    async def _body(self, request: Request) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > self._max_body_bytes:
                raise Unanswerable(413, ErrorCode.BAD_REQUEST, f"The body is longer than {self._max_body_bytes} bytes.")
            parts.append(part)
        return b"".join(parts)

    async def _execute(
        self,
        request: Request,
        caller: Caller,
        operation: Mapping[str, Any],
        media_type: str,
        watched: WatchedRequest,
    ) -> Response:
        allowed = {OperationType.QUERY} if request.method == "GET" else {OperationType.QUERY, OperationType.MUTATION}
        identifier = request_id.get()
        context = self._make_context(caller, identifier)
        try:
            result = await self.schema.execute(
                operation["query"],
                variable_values=operation.get("variables"),
                operation_name=operation.get("operationName"),
                context_value=context,
                allowed_operation_types=allowed,
            )
        except InvalidOperationTypeError:
            raise Unanswerable(
                405, ErrorCode.BAD_REQUEST, "GET is for queries only; send this with POST.", {"Allow": "POST"}
            ) from None
        except CannotGetOperationTypeError:
            raise Unanswerable(400, ErrorCode.BAD_REQUEST, NO_SUCH_OPERATION) from None
        was_executed = not isinstance(result, PreExecutionError) and not _is_refused_whole(result)
        body = self._body_of(result, identifier, was_executed)
        status = 200 if was_executed or media_type == _JSON else 400
        codes = [error["extensions"]["code"] for error in body.get("errors", ())]
        watched.answered(codes, status, was_executed=was_executed, is_complete=context.is_complete)
        return _answer(body, status, media_type)

    def _body_of(self, result: ExecutionResult, identifier: str, was_executed: bool) -> dict[str, Any]:
        body: dict[str, Any] = {"data": result.data} if was_executed else {}
        if result.errors:
            body["errors"] = [self._format(error, identifier, was_executed) for error in result.errors]
        if result.extensions:
            body["extensions"] = result.extensions
        return body

    def encode(self, result: Any, identifier: str) -> Encoded:
        """One result of a stream as JSON."""
        was_executed = not isinstance(result, PreExecutionError)
        body = self._body_of(result, identifier, was_executed)
        return Encoded(_json(body if was_executed else body["errors"]), is_refused=not was_executed)

    def _format(self, error: GraphQLError, identifier: str, was_executed: bool) -> dict[str, Any]:
        """An error as clients see it; where the schema is hidden, a mistake does not bring out its names."""
        formatted = _format(error, identifier, was_executed)
        if not self._shows_schema:
            formatted["message"] = without_names(formatted["message"])
        return formatted


def _is_refused_whole(result: ExecutionResult) -> bool:
    """Whether nothing was executed, as with variables of the wrong type: only a field's error has a path."""
    return result.data is None and all(error.path is None for error in result.errors or ())


class Unanswerable(Exception):
    """A request that never reaches the graph."""

    def __init__(
        self,
        status: int,
        code: ErrorCode,
        message: str,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self._message = message
        self._headers = headers or {}
        self._details = details or {}

    def response(self, media_type: str) -> Response:
        """The answer, in the form of GraphQL errors."""
        extensions = {**_extensions(self.code, request_id.get()), **self._details}
        error = {"message": self._message, "extensions": extensions}
        return _answer({"errors": [error]}, self.status, media_type, self._headers)


def _answer(
    body: Mapping[str, Any], status: int, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(_json(body), status, {**_HEADERS, **(headers or {})}, f"{media_type}; charset=utf-8")


def _json(body: Any) -> bytes:
    # Half a surrogate pair has no form in UTF-8; escaped, it is what JSON writes for it.
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace")


def _extensions(code: ErrorCode, identifier: str) -> dict[str, Any]:
    meaning = MEANINGS[code]
    return {
        "code": code.name,
        "category": meaning.category.name,
        "retryable": meaning.retryable,
        "remediation": meaning.remediation,
        "requestId": identifier,
    }


def _absence() -> dict[str, Any]:
    """What an error says beside its code while the database is away."""
    return {"retryAfterMs": 1000 * _NO_DATABASE_SECONDS, "remediation": _NO_DATABASE_REMEDY}


def _format(error: GraphQLError, identifier: str, was_executed: bool) -> dict[str, Any]:
    """An error as clients see it; what is not meant for them is logged and replaced."""
    formatted: dict[str, Any] = dict(error.formatted)
    extensions = dict(error.extensions or {})
    if "code" not in extensions:
        code, details = ErrorCode.VALIDATION_FAILED if was_executed else code_of(error), {}
        original = error.original_error
        if isinstance(original, Unavailable):
            _LOGGER.error("a field could not be resolved: %s", original)
            code, details = ErrorCode.INTERNAL, _absence()
            formatted["message"] = f"{_NO_DATABASE} {_UNTOUCHED if original.is_untouched else _UNKNOWN}"
        elif original is not None and not isinstance(original, GraphQLError):
            _LOGGER.error("resolving a field failed", exc_info=original)
            code = ErrorCode.INTERNAL
            formatted["message"] = "A fault of this product; the log has more under the request's id."
        extensions = {**_extensions(code, identifier), **details}
    formatted["extensions"] = {**extensions, "requestId": identifier}
    return formatted


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _wants_events(request: Request) -> bool:
    return request.headers.get("accept", "").partition(";")[0].strip().lower() == MEDIA_TYPE


def _accepted(request: Request) -> str | None:
    """The media type of the answer; GraphQL's own where the client takes it."""
    accept = request.headers.get("accept", "*/*") or "*/*"
    kinds = {item.partition(";")[0].strip().lower() for item in accept.split(",") if not _REFUSED_KIND.search(item)}
    if _GRAPHQL in kinds:
        return _GRAPHQL
    return _JSON if kinds & {_JSON, "*/*", "application/*"} else None


def _from_query(parameters: Mapping[str, str]) -> dict[str, Any]:
    operation: dict[str, Any] = {name: parameters[name] for name in ("query", "operationName") if parameters.get(name)}
    if parameters.get("variables"):
        try:
            operation["variables"] = json.loads(parameters["variables"])
        except (ValueError, RecursionError):
            raise Unanswerable(400, ErrorCode.BAD_REQUEST, "`variables` is not JSON.") from None
    return operation


def _checked(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise Unanswerable(400, ErrorCode.BAD_REQUEST, "The body must be a JSON object with `query`; no batches.")
    if not isinstance(body.get("query"), str) or not body["query"].strip():
        raise Unanswerable(400, ErrorCode.BAD_REQUEST, "`query` is missing, or is not text.")
    for name, kind in (("variables", dict), ("operationName", str), ("extensions", dict)):
        if body.get(name) is not None and not isinstance(body[name], kind):
            raise Unanswerable(400, ErrorCode.BAD_REQUEST, f"`{name}` has the wrong type.")
    return body
