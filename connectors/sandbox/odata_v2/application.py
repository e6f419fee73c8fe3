"""The application: logs on, checks rights and tokens, finds the service and answers its reads and writes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from secrets import compare_digest, token_hex
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from connectors.sandbox.odata_v2 import answers, metadata, refusals
from connectors.sandbox.odata_v2.changes import Changer
from connectors.sandbox.odata_v2.paths import Target, parse_path
from connectors.sandbox.odata_v2.query import (
    COUNT_OPTIONS,
    Query,
    read_options,
    read_query,
    refuse_other_options,
)
from connectors.sandbox.odata_v2.reading import Reader, entity_address
from connectors.sandbox.odata_v2.refusals import ODataRefusal
from connectors.sandbox.odata_v2.service import Row, Service, read_services, redescribed
from connectors.sandbox.odata_v2.values import etag, to_json

READS = frozenset(("GET", "HEAD"))
CHANGES = frozenset(("PATCH", "MERGE", "PUT"))
MAXIMUM_SESSIONS = 100


class ODataV2Sandbox:
    """An ASGI application that answers as SAP Gateway does for the services of the facts.

    `data` holds the rows by entity set, as plain Python values (text, Decimal, date, time, aware datetime,
    bool, UUID); what a row lacks has its initial value. Rows may be changed while the application runs.
    """

    def __init__(
        self,
        facts: Mapping[str, Any],
        data: Mapping[str, Sequence[Mapping[str, Any]]],
        *,
        users: Mapping[str, str],
        allowed: Mapping[str, Collection[str]] | None = None,
        page_size: int | Mapping[str, int] = 100,
        maximum_page_size: int | None = None,
        public_url: str | None = None,
        base_path: str = "/sap/opu/odata/sap",
        system: str = "S4H/100",
        maximum_query_length: int = 8_000,
        language: str = "EN",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Serve `facts` and `data`.

        `allowed` names the services of a user (a user that is not named may call all). `page_size` is how
        many rows a page has, for all sets or by set; `maximum_page_size` is how many it may have if the
        caller names a $top (None: no more than without). `public_url` is scheme and host in links, when a
        proxy makes it another than the one the request came to. `language` is that of the users: what a
        request gets that does not ask for another.
        """
        self.initial_services = read_services(facts)
        self.initial_data = data
        self.initial_users = dict(users)
        self.allowed = {user: frozenset(services) for user, services in (allowed or {}).items()}
        self.page_size = page_size
        self.maximum_page_size = maximum_page_size
        self.public_url = public_url
        self.base_path = base_path
        self.system = system
        self.maximum_query_length = maximum_query_length
        self.language = language
        self.languages = {
            "EN",
            *(language for said in facts["services"].values() for language in said.get("words", ())),
        }
        self.now = now
        self.reset()

    def reset(self) -> None:
        """Begin again: services, rows and users as they were given, nobody logged on."""
        self.services = dict(self.initial_services)
        self.data: dict[str, list[Row]] = {
            name: [dict(row) for row in self.initial_data.get(name, ())]
            for service in self.initial_services.values()
            for name in service.entity_sets
        }
        self.users = dict(self.initial_users)
        self.sessions: dict[str, tuple[str, str]] = {}

    def redescribe(self, collection: str, fields: Mapping[str, str | None]) -> None:
        """Change an entity set as an upgrade does; ValueError where that would leave the service without a key."""
        self.services |= {
            name: redescribed(service, collection, fields)
            for name, service in self.services.items()
            if collection in service.entity_sets
        }
        if collection not in self.data:
            raise ValueError(f"{collection} is no entity set")
        for row in self.data[collection]:
            for name in fields:
                row.pop(name, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        response = await self.answer(Request(scope, receive))
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Find the answer to one request."""
        if len(request.url.query) > self.maximum_query_length:
            return answers.page_answer(414, "Request-URI Too Long", "The URI is longer than the server takes.")
        user = self._user(request)
        if user is None:
            return answers.unauthorized_answer(self.system)
        token = request.headers.get("x-csrf-token", "")
        if request.method not in READS and not self._token_fits(request, user, token):
            return PlainTextResponse("CSRF token validation failed", 403, {"x-csrf-token": "Required"})
        response = await self._answer_for(user, request)
        if request.method in READS and token.lower() == "fetch":
            self._hand_out_token(request, user, response)
        return response

    def fault_answer(self, fault: str, request: Request) -> Response:
        """Answer as the system does when it is in trouble: unauthorized, forbidden, error, malformed, ..."""
        match fault:
            case "unauthorized":
                return answers.unauthorized_answer(self.system)
            case "malformed":
                return Response(b'{"d":{"results":[{"__metadata":{"id":"', 200, media_type="application/json")
            case "rate_limited":
                return answers.page_answer(429, "Too Many Requests", "The quota of requests is used up.")
            case "forbidden":
                name = self._segments(request)[0].partition(";")[0]
                refusal = refusals.not_authorized(name, "0001")
            case _:
                refusal = ODataRefusal(500, "/IWBEP/CM_MGW_RT/053", "An exception was raised")
        return self._refused(refusal, request, None)

    async def _answer_for(self, user: str, request: Request) -> Response:
        service: Service | None = None
        try:
            name, *segments = self._segments(request)
            service = self._service(name)
            if user in self.allowed and service.name not in self.allowed[user]:
                raise refusals.not_authorized(service.name, service.version)
            options = read_options(request.url.query)
            if request.method in READS:
                return self._read(service, segments, options, request)
            refuse_other_options(options, frozenset())
            return await self._write(service, segments, user, request)
        except ODataRefusal as refusal:
            return self._refused(refusal, request, service)

    def _read(self, service: Service, segments: Sequence[str], options: dict[str, str], request: Request) -> Response:
        accept = request.headers.get("accept", "")
        root = self._root(service, request)
        if segments == ["$metadata"]:
            if "application/json" in accept and "xml" not in accept and "*/*" not in accept:
                raise refusals.not_acceptable()
            return answers.xml_answer(metadata.edmx(service))
        reader = Reader(service, self.data, self._language(request))
        target = parse_path(segments, service) if segments else None
        if target is not None and target.count:
            return self._count(reader, target, options)
        as_json = answers.wants_json(options, accept)
        if target is None:
            refuse_other_options(options, frozenset(("$format",)))
            if as_json:
                return answers.json_answer(metadata.service_document(service))
            return answers.xml_answer(metadata.service_document_atom(service, root))
        if target.property is not None:
            refuse_other_options(options, frozenset(("$format",)))
            row = reader.shown(target.entity_set, reader.find(target.entity_set, target.key or ()))
            value = {target.property.name: to_json(target.property, row)}
            if as_json:
                return answers.json_answer({"d": value})
            return answers.xml_answer(answers.DECLARATION + answers.element(target.property, row))
        if _is_single(target):
            return self._entity(reader, target, options, root, as_json)
        return self._collection(reader, target, options, request, as_json)

    def _entity(self, reader: Reader, target: Target, options: dict[str, str], root: str, as_json: bool) -> Response:
        entity_set, row = reader.one(target)
        query = read_query(options, entity_set, reader.service, single=True)
        if as_json:
            response = answers.json_answer({"d": reader.shaped(entity_set, [row], query.shape, root)[0]})
        else:
            text = answers.DECLARATION + answers.entry(
                entity_set, reader.shown(entity_set, row), root, answers.NAMESPACES
            )
            response = answers.xml_answer(text, kind="application/atom+xml;type=entry")
        tag = etag(entity_set, row)
        if tag is not None:
            response.headers["etag"] = tag
        return response

    def _collection(
        self, reader: Reader, target: Target, options: dict[str, str], request: Request, as_json: bool
    ) -> Response:
        entity_set, rows = reader.many(target)
        query = read_query(options, entity_set, reader.service, single=False)
        limit = self._page_size(entity_set.name)
        page = reader.page(entity_set, rows, query, limit, self.maximum_page_size or limit)
        root = self._root(reader.service, request)
        if not as_json:
            text = answers.feed(entity_set, [reader.shown(entity_set, row) for row in page.rows], root)
            return answers.xml_answer(text, kind="application/atom+xml;type=feed")
        content: dict[str, Any] = {"__count": str(page.total)} if query.counts else {}
        content["results"] = reader.shaped(entity_set, page.rows, query.shape, root)
        if page.next_token is not None:
            path = "/".join(quote(segment, safe="$()=',") for segment in self._segments(request)[1:])
            content["__next"] = answers.next_link(
                f"{root}/{path}", request.url.query, query.skip_token, page.next_token
            )
        return answers.json_answer({"d": content})

    def _count(self, reader: Reader, target: Target, options: dict[str, str]) -> Response:
        refuse_other_options(options, COUNT_OPTIONS)
        entity_set, rows = reader.many(target)
        query: Query = read_query(options, entity_set, reader.service, single=False)
        page = reader.page(entity_set, rows, query, len(rows) or 1, len(rows) or 1)
        return PlainTextResponse(str(page.total))

    async def _write(self, service: Service, segments: Sequence[str], user: str, request: Request) -> Response:
        method = request.headers.get("x-http-method", request.method).upper()
        if not segments or segments[0].startswith("$"):
            raise refusals.method_not_allowed()
        target = parse_path(segments, service)
        if target.property is not None or target.count:
            raise refusals.method_not_allowed()
        changer = Changer(service, self.data, user, self.now)
        if_match = request.headers.get("if-match")
        if method == "DELETE" and _is_single(target):
            changer.delete(target, if_match)
            return Response(status_code=204)
        if method in CHANGES and _is_single(target):
            changer.update(target, await _body(request), if_match, replace=method == "PUT")
            return Response(status_code=204)
        if method != "POST" or _is_single(target):
            raise refusals.method_not_allowed()
        entity_set, row = changer.create(target, await _body(request))
        root = self._root(service, request)
        query = read_query({}, entity_set, service, single=True)
        headers = {"location": entity_address(entity_set, row, root)}
        tag = etag(entity_set, row)
        headers |= {"etag": tag} if tag else {}
        if answers.wants_json({}, request.headers.get("accept", "")):
            created = changer.reader.shaped(entity_set, [row], query.shape, root)[0]
            return answers.json_answer({"d": created}, 201, headers)
        response = answers.xml_answer(
            answers.DECLARATION + answers.entry(entity_set, row, root, answers.NAMESPACES), 201
        )
        response.headers.update(headers)
        return response

    def _refused(self, refusal: ODataRefusal, request: Request, service: Service | None) -> Response:
        as_json = "application/json" in request.headers.get("accept", "") or "format=json" in request.url.query
        return answers.error_answer(refusal, as_json=as_json, service=service, now=self.now())

    def _segments(self, request: Request) -> list[str]:
        """Return the decoded segments behind the base path, the service first (empty outside of it)."""
        raw = request.scope.get("raw_path")
        path = raw.decode("ascii") if raw else quote(request.scope["path"])
        if not path.startswith(self.base_path + "/"):
            return [""]
        return [unquote(part) for part in path[len(self.base_path) + 1 :].rstrip("/").split("/")]

    def _service(self, segment: str) -> Service:
        """Find the service that the first segment names; without a version it names the first."""
        name, _, version = segment.partition(";v=")
        asked = version.lstrip("0") or "1"
        service = self.services.get(name)
        if service is None or asked != service.version.lstrip("0"):
            raise refusals.unknown_service(name, asked)
        return service

    def _language(self, request: Request) -> str:
        """Return the language of the logon: the one asked for by name, else by the browser's list, else the users'."""
        asked = request.query_params.get("sap-language") or request.headers.get("sap-language", "")
        listed = [each.partition(";")[0] for each in request.headers.get("accept-language", "").split(",")]
        for each in (asked, *listed):
            language = each.strip()[:2].upper()
            if language in self.languages:
                return language
        return self.language

    def _root(self, service: Service, request: Request) -> str:
        host = self.public_url or f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
        return f"{host.rstrip('/')}{self.base_path}/{service.segment}"

    def _page_size(self, entity_set: str) -> int:
        return self.page_size if isinstance(self.page_size, int) else self.page_size.get(entity_set, 100)

    def _user(self, request: Request) -> str | None:
        scheme, _, said = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(said, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        known = self.users.get(user)
        return user if known is not None and compare_digest(known.encode(), password.encode()) else None

    @property
    def session_cookie(self) -> str:
        """The name of the cookie that a CSRF token belongs to."""
        return f"SAP_SESSIONID_{self.system.replace('/', '_')}"

    def _token_fits(self, request: Request, user: str, token: str) -> bool:
        session = self.sessions.get(request.cookies.get(self.session_cookie, ""))
        return session is not None and session == (user, token)

    def _hand_out_token(self, request: Request, user: str, response: Response) -> None:
        session = request.cookies.get(self.session_cookie, "")
        known = self.sessions.get(session)
        if known is None or known[0] != user:
            session = token_hex(16)
            self.sessions[session] = known = (user, token_hex(16))
            while len(self.sessions) > MAXIMUM_SESSIONS:
                del self.sessions[next(iter(self.sessions))]
        response.headers["x-csrf-token"] = known[1]
        response.set_cookie(self.session_cookie, session, httponly=True, secure=request.url.scheme == "https")
        response.set_cookie("sap-usercontext", f"sap-client={self.system.partition('/')[2]}")


def _is_single(target: Target) -> bool:
    if target.navigation is None:
        return target.key is not None
    return not target.navigation.many or target.navigation_key is not None


async def _body(request: Request) -> Mapping[str, Any]:
    if "json" not in request.headers.get("content-type", ""):
        raise ODataRefusal(415, "/IWFND/CM_MGW/415", "Unsupported media type requested")
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise ODataRefusal(400, "CX_SXML_PARSE_ERROR", "Error while parsing a JSON stream") from None
    if isinstance(body, dict) and isinstance(body.get("d"), dict):
        body = body["d"]
    if not isinstance(body, dict):
        raise ODataRefusal(400, "CX_SXML_PARSE_ERROR", "Error while parsing a JSON stream")
    return body
