"""The application: chooses the database, knows the keys, finds model and method, and writes results and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from secrets import compare_digest
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from connectors.sandbox.odoo_json2 import methods, refusals
from connectors.sandbox.odoo_json2.domain import compile_domain
from connectors.sandbox.odoo_json2.environment import Environment, Predicate, User
from connectors.sandbox.odoo_json2.models import AUTOMATIC, Model, Row, short_fields
from connectors.sandbox.odoo_json2.refusals import OdooRefusal

ROOT = "/json/2"
CALL = re.compile(rf"{ROOT}/([^/]+)/([^/]+)")
BEARER = re.compile(r"bearer\s+(\S+)", re.IGNORECASE)
VERSIONS = frozenset(("/json/version", "/web/version"))
VERSION = {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}
NO_DATABASE = (
    "No database is selected, and the requested URL was not found in the server-wide controllers."
    " Alternatively, use the X-Odoo-Database header."
)


class OdooSandbox:
    """An ASGI application that answers as Odoo's JSON-2 API does.

    `data` holds the rows by model, each with its `id`, as plain Python values: text, bool, int, Decimal, date,
    datetime (UTC), an id for many2one, a list of ids for many2many; what a row lacks is empty, and a one2many
    follows from the rows that point back. Rows may be changed while the application runs.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        data: Mapping[str, Sequence[Mapping[str, Any]]],
        *,
        users: Mapping[str, str],
        rights: Mapping[str, Collection[str]] | None = None,
        rules: Mapping[str, Mapping[str, Sequence[Any]]] | None = None,
        databases: Collection[str] = ("plant",),
        languages: Collection[str] = ("en_US",),
        unaccent: bool = False,
    ) -> None:
        """Serve `data`.

        `users` are owners of keys with their keys. `rights` names the models that a user may read, and as
        model.field the fields of special groups that he has (a user that is not named has all of both); `rules`
        gives by user and model the domain of the records that he sees. `unaccent` lets ilike ignore accents, as
        Odoo's own hosting does.
        """
        self.initial_models = models
        self.initial_data = data
        self.initial_users = dict(users)
        self.rights = {user: frozenset(granted) for user, granted in (rights or {}).items()}
        self.rules = rules or {}
        self.databases = tuple(databases)
        self.languages = frozenset(languages)
        self.unaccent = unaccent
        self.reset()

    def reset(self) -> None:
        """Begin again: models, rows and users as they were given."""
        self.models = dict(self.initial_models)
        self.data: dict[str, list[Row]] = {name: [] for name in self.models}
        self.data.update({name: [dict(row) for row in rows] for name, rows in self.initial_data.items()})
        self.users = dict(self.initial_users)
        self.calls = 0

    def redescribe(self, collection: str, fields: Mapping[str, str | None]) -> None:
        """Change a model as a module does; a link has the model that it leads to behind its type and a blank."""
        if collection not in self.models or not AUTOMATIC.keys().isdisjoint(fields):
            raise ValueError(f"{collection} is no model, or the fields are those that every model has")
        model = self.models[collection]
        kept = {name: each for name, each in model.fields.items() if name not in fields}
        new = short_fields({name: kind for name, kind in fields.items() if kind is not None})
        self.models[collection] = replace(model, fields=kept | new)
        for row in self.data[collection]:
            for name in fields:
                row.pop(name, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        response = await self.answer(Request(scope, receive))
        response.headers["connection"] = "close"
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Find the answer to one request."""
        path = request.scope["path"]
        if not self._has_database(request.headers.get("x-odoo-database")):
            return page(404, NO_DATABASE)
        if path in VERSIONS and request.method == "GET":
            answer = json_answer(VERSION)
            answer.set_cookie("session_id", "sandbox", httponly=True, samesite="lax")
            return answer
        if path == "/web/health" and request.method == "GET":
            return json_answer({"status": "pass"})
        if path != ROOT and not path.startswith(f"{ROOT}/"):
            return page(404, "The requested URL was not found on the server.")
        try:
            return await self._call(request, CALL.fullmatch(path))
        except OdooRefusal as refusal:
            return error_answer(refusal)

    def fault_answer(self, fault: str, request: Request) -> Response:
        """Answer as Odoo does when it is in trouble: unauthorized, forbidden, error, malformed, ..."""
        match fault:
            case "unauthorized":
                return error_answer(refusals.unauthorized("Invalid apikey"))
            case "malformed":
                return Response(b'{"length": 2, "records": [{"id": 1, "name": "P0', 200, media_type="application/json")
            case "rate_limited":
                return page(429, "The proxy before Odoo lets no more requests pass.")
            case "forbidden":
                found = CALL.fullmatch(request.scope["path"])
                model = self.models.get(found[1] if found else "res.users")
                title, name = (model.title, model.name) if model else ("User", "res.users")
                return error_answer(refusals.no_right(title, name))
            case _:
                text = "connection to server failed: FATAL: sorry, too many clients already\n"
                return error_answer(OdooRefusal(500, "psycopg2.OperationalError", text))

    def _has_database(self, name: str | None) -> bool:
        return len(self.databases) == 1 if name is None else name in self.databases

    async def _call(self, request: Request, found: re.Match[str] | None) -> Response:
        if found is None or request.method != "POST":
            raise refusals.no_method_in_path()
        body = await request.body()
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if body and kind != "application/json":
            return page(415, f"Request inferred type is compatible with 'json2' but the content type is '{kind}'.")
        user = self._user(request.headers.get("authorization"))
        arguments = _arguments(body)
        model, context = self.models.get(found[1]), arguments.pop("context", None) or {}
        if not isinstance(context, dict):
            raise refusals.value_error(f"dictionary update sequence element #0 has length 1: {context!r}")
        if model is None:
            raise self._unknown(found[1])
        self.calls += 1
        environment = Environment(
            self.models, self.data, user, context, self._rule, unaccent=self.unaccent, turn=self.calls
        )
        self._check_context(environment)
        try:
            return json_answer(methods.call(environment, model, found[2], arguments))
        except (AttributeError, TypeError) as error:  # arguments of another type than Odoo expects
            raise OdooRefusal(500, f"builtins.{type(error).__name__}", str(error)) from error

    def _user(self, authorization: str | None) -> User:
        """Find who owns the key."""
        if not authorization:
            raise refusals.unauthorized("User not authenticated, use an API Key with a Bearer Authorization header.")
        key = BEARER.fullmatch(authorization.strip())
        for name, known in self.users.items():
            if key and compare_digest(key[1].encode(), known.encode()):
                return User(name, self.rights.get(name), self.rules.get(name, {}))
        raise refusals.unauthorized("Invalid apikey")

    def _unknown(self, name: str) -> OdooRefusal:
        """Tell models that Odoo has, but not the sandbox, from those that nobody has."""
        if any(field.relation == name for model in self.models.values() for field in model.fields.values()):
            return refusals.not_in_the_sandbox(f"the model {name}")
        return refusals.unknown_model(name)

    def _check_context(self, environment: Environment) -> None:
        language = environment.context.get("lang")
        if language and language not in self.languages:
            raise refusals.invalid_language(language)
        companies = environment.context.get("allowed_company_ids") or ()
        if not set(companies) <= set(environment.table("res.company")):
            raise refusals.invalid_companies()

    def _rule(self, environment: Environment, model: Model) -> Predicate:
        """Make the test of what a user sees: the user's own rule, and no other companies than those asked for."""
        allowed = environment.context.get("allowed_company_ids") or ()
        domain = environment.user.rules.get(model.name)
        unruled = Environment(self.models, self.data, User(environment.user.name), {}, lambda *_: lambda row: True)
        fits = compile_domain(list(domain), model, unruled) if domain is not None else lambda row: True
        if not allowed or "company_id" not in model.fields:
            return fits
        companies = {None, *allowed}
        return lambda row: environment.value(model, row, "company_id") in companies and fits(row)


def _arguments(body: bytes) -> dict[str, Any]:
    """Read the named arguments; a body that is no object counts as none."""
    try:
        arguments = json.loads(body) if body else {}
    except ValueError as error:
        raise refusals.bad_json(str(error)) from None
    return arguments if isinstance(arguments, dict) else {}


def json_answer(content: Any, status: int = 200) -> Response:
    """Write a bare result."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return Response(body, status, media_type="application/json; charset=utf-8")


def error_answer(refusal: OdooRefusal) -> Response:
    """Write a refusal with everything that Odoo puts around it."""
    content = {
        "name": refusal.name,
        "message": refusal.message,
        "arguments": refusal.arguments,
        "context": {},
        "debug": 'Traceback (most recent call last):\n  File "/usr/lib/python3/dist-packages/odoo/http.py", line 2283,'
        f" in _serve_db\n    return self.dispatcher.dispatch(rule.endpoint, args)\n{refusal.name}: {refusal.message}\n",
    }
    answer = json_answer(content, refusal.status)
    answer.headers.update(refusal.headers)
    return answer


def page(status: int, text: str) -> Response:
    """Write an HTML page, as the web server answers before any model is asked."""
    title = HTTPStatus(status).phrase
    return HTMLResponse(
        f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n", status
    )
