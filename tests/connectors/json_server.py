"""What json-server 0.17 does with a list of objects, in this process; with a proxy before it that asks for a key.

Written after its documentation and its running program: texts are compared exactly and only where there is a value, a
parameter that fits no row is left out of account, and `_start` with `_limit` cuts the answer.
"""

import json
from collections.abc import Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Row = dict[str, Any]

_SUFFIXES = ("_lte", "_gte", "_ne", "_like")
_OWN = ("_start", "_end", "_limit", "_sort", "_order")
_ABSENT = object()


class JsonServer:
    """The program over one file's content; `key` is what the proxy asks for, `refusal` answers instead of it."""

    def __init__(self, data: dict[str, list[Row]], key: str) -> None:
        self.data = data
        self.key = key
        self.refusal: Response | None = None
        routes = [Route("/{name}", self._list), Route("/{name}/{key}", self._show)]
        self.application = Starlette(routes=routes)

    async def _list(self, request: Request) -> Response:
        rows = self.data.get(request.path_params["name"])
        if (refused := self._refused(request)) is not None or rows is None:
            return refused or _json({}, 404)
        given = request.query_params
        for name in dict.fromkeys(given):
            if name not in _OWN and (name.endswith(_SUFFIXES) or any(_find(row, name) is not _ABSENT for row in rows)):
                rows = [row for row in rows if _passes(row, name, given.getlist(name))]
        rows = _sorted(rows, given.get("_sort"), given.get("_order", "asc"))
        start = int(given.get("_start", 0))
        return _json(rows[start : start + int(given["_limit"])] if "_limit" in given else rows)

    async def _show(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        rows = self.data.get(request.path_params["name"], [])
        found = next((row for row in rows if _text(row["id"]) == request.path_params["key"]), None)
        return _json({}, 404) if found is None else _json(found)

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("x-api-key") != self.key:
            return _json({"message": "Who are you?"}, 401)
        return self.refusal


def _json(content: Any, status: int = 200) -> Response:
    body = json.dumps(content, ensure_ascii=False, indent=2).encode()
    return Response(body, status, media_type="application/json")


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """What the proxy says instead of json-server."""
    return JSONResponse({"message": message}, status, headers)


def _find(row: Any, path: str) -> Any:
    for step in path.split("."):
        row = row.get(step, _ABSENT) if isinstance(row, dict) else _ABSENT
    return row


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _passes(row: Row, name: str, wanted: Iterable[str]) -> bool:
    suffix = next((item for item in _SUFFIXES if name.endswith(item)), "")
    value = _find(row, name.removesuffix(suffix))
    if value is None or value is _ABSENT:
        return False
    if suffix == "_ne":
        return all(item != _text(value) for item in wanted)
    assert suffix == "", f"{suffix} is not acted out here"
    return any(item == _text(value) for item in wanted)


def _sorted(rows: list[Row], path: str | None, order: str) -> list[Row]:
    if path is None:
        return list(rows)
    return sorted(rows, key=lambda row: _find(row, path), reverse=order == "desc")
