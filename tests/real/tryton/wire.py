"""Tryton's own JSON-RPC spoken with the standard library alone, so that tests have an independent witness."""

import base64
import datetime
import decimal
import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

JSON_TYPE = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}


class Refused(Exception):
    """Tryton did not answer with a result: `status` is the HTTP status, `error` its error list or text."""

    def __init__(self, status: int, error: Any) -> None:
        super().__init__(f"{status}: {error}")
        self.status = status
        self.error = error


class Client:
    """Calls methods of one database under any user's name; sessions are opened once and kept.

    `database_url` is the address of the database, such as `http://127.0.0.1:8000/plant`.
    """

    def __init__(self, database_url: str) -> None:
        self._url = f"{database_url}/rpc/"
        self._sessions: dict[tuple[str, str], str] = {}

    def call(
        self,
        user: str,
        password: str,
        method: str,
        *parameters: Any,
        context: dict[str, Any] | None = None,
    ) -> Any:
        """Return the result of `method`, decoded; Tryton's last parameter is the context.

        Raises `Refused` for anything but a result. A session that Tryton ended is opened again once.
        """
        request = {"id": 1, "method": method, "params": [*parameters, context or {}]}
        known = (user, password) in self._sessions
        try:
            return self._post(request, self._session(user, password))
        except Refused as refused:
            if refused.status != 401 or not known:
                raise
            del self._sessions[user, password]
            return self._post(request, self._session(user, password))

    def _session(self, user: str, password: str) -> str:
        if (user, password) not in self._sessions:
            login = {"id": 1, "method": "common.db.login", "params": [user, {"password": password}, "en"]}
            user_id, token, _ = self._post(login, None)
            credential = base64.b64encode(f"{user}:{user_id}:{token}".encode()).decode()
            self._sessions[user, password] = f"Session {credential}"
        return self._sessions[user, password]

    def _post(self, body: dict[str, Any], authorization: str | None) -> Any:
        headers = JSON_TYPE | ({"Authorization": authorization} if authorization else {})
        request = urllib.request.Request(self._url, encode(body), headers)  # noqa: S310 - loopback only
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback only
                content = answer.read()
                status = answer.status
        except urllib.error.HTTPError as failure:
            with failure:
                raise Refused(failure.code, failure.read().decode()) from None
        # Tryton 8.2 announces gzip on every long answer, compressed or not: look at the bytes instead.
        decoded = decode(gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content)
        if "error" in decoded:
            raise Refused(status, decoded["error"])
        return decoded["result"]


def encode(value: Any) -> bytes:
    """Return `value` as Tryton's JSON, with dates, times, durations and decimals in their marked form."""
    return json.dumps(value, default=_marked).encode()


def decode(text: bytes | str) -> Any:
    """Return Tryton's JSON as Python values, with marked dates, times, durations and decimals read back."""
    return json.loads(text, object_hook=_unmarked)


MOMENT = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def _marked(value: Any) -> dict[str, Any]:
    match value:
        case decimal.Decimal():
            return {"__class__": "Decimal", "decimal": str(value)}
        case datetime.datetime():
            return {"__class__": "datetime"} | {part: getattr(value, part) for part in MOMENT}
        case datetime.date():
            return {"__class__": "date"} | {part: getattr(value, part) for part in MOMENT[:3]}
        case datetime.timedelta():
            return {"__class__": "timedelta", "seconds": value.total_seconds()}
        case _:
            raise TypeError(f"Tryton's JSON has no form for {type(value).__name__}")


_READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "Decimal": lambda marked: decimal.Decimal(marked["decimal"]),
    "datetime": lambda marked: datetime.datetime(*(marked[part] for part in MOMENT)),
    "date": lambda marked: datetime.date(*(marked[part] for part in MOMENT[:3])),
    "time": lambda marked: datetime.time(*(marked[part] for part in MOMENT[3:])),
    "timedelta": lambda marked: datetime.timedelta(seconds=marked["seconds"]),
    "bytes": lambda marked: base64.b64decode(marked["base64"]),
}


def _unmarked(value: dict[str, Any]) -> Any:
    read = _READERS.get(value.get("__class__", ""))
    return read(value) if read else value
