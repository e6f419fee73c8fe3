"""Odoo's own JSON-2 spoken with the standard library alone, so that tests have an independent witness."""

import decimal
import json
import urllib.error
import urllib.request
from typing import Any


class Refused(Exception):
    """Odoo did not answer with a result: `status` is the HTTP status, `name` and `message` say what Odoo says.

    Where the answer is a page and no JSON, `name` is empty and `message` is the page.
    """

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(f"{status} {name}: {message}")
        self.status = status
        self.name = name
        self.message = message


class Client:
    """Calls methods of the models of one database; `url` is the server's address, such as `http://127.0.0.1:8069`."""

    def __init__(self, url: str, database: str) -> None:
        self._url = url
        self._database = database

    def call(self, key: str, model: str, method: str, **arguments: Any) -> Any:
        """Return what `method` gives to the user of `key`, with every number that has a point as `Decimal`.

        `ids` and `context` are arguments like any other. Raises `Refused` for anything but a result.
        """
        request = urllib.request.Request(  # noqa: S310 - loopback only
            f"{self._url}/json/2/{model}/{method}",
            json.dumps(arguments).encode(),
            {
                "Authorization": f"bearer {key}",
                "Content-Type": "application/json",
                "X-Odoo-Database": self._database,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - loopback only
                return json.loads(answer.read(), parse_float=decimal.Decimal)
        except urllib.error.HTTPError as failure:
            with failure:
                raise _refused(failure.code, failure.read().decode()) from None


def _refused(status: int, text: str) -> Refused:
    try:
        error = json.loads(text)
        return Refused(status, error["name"], error["message"])
    except (ValueError, KeyError, TypeError):
        return Refused(status, "", text)
