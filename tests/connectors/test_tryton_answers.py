"""What Tryton's answers mean, as a running one gave them; none of its pages and tracebacks is passed on."""

import json
from typing import Any

import pytest

from connectors.errors import (
    NoSuchRecords,
    PermissionDenied,
    RateLimited,
    Reauthorize,
    Rejected,
    Trouble,
    Unavailable,
    WrongSystem,
)
from connectors.protocols.tryton_rpc import TrytonRpc
from connectors.query import Answer
from connectors.systems.tryton.units import UNITS
from tests.real.tryton.server import Tryton

HTML = {"content-type": "text/html; charset=utf-8"}
TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/trytond/protocols/dispatcher.py", line 1\n'


def page(status: int, text: str) -> Answer:
    return Answer(status, HTML, f"<!doctype html>\n<title>{status}</title>\n<p>{text}</p>\n".encode())


def said(*error: Any) -> Answer:
    return Answer(200, {"content-type": "application/json"}, json.dumps({"id": 1, "error": error}).encode())


@pytest.mark.parametrize(
    ("answer", "meaning", "words"),
    [
        (page(401, "401 Unauthorized"), Reauthorize, None),
        (Answer(401, {"www-authenticate": 'Basic realm="Tryton"'}, b""), Reauthorize, None),
        (page(429, "Too Many Requests"), RateLimited, None),
        (page(403, "You don't have the permission to access the requested resource."), Rejected, None),
        (page(404, "Not Found"), WrongSystem, None),
        (Answer(308, {"location": "http://tryton.example/plant/rpc/"}, b""), WrongSystem, None),
        (page(405, "Method Not Allowed"), Rejected, None),
        (page(422, "Missing context argument"), Rejected, None),
        (page(500, "Internal Server Error"), Unavailable, None),
        (page(503, "Database '/srv/db/plant.sqlite' doesn't exist!"), Unavailable, None),
        (page(504, "Gateway Timeout"), Unavailable, None),
        (
            said("UserError", ['You are not allowed to access "Purchase".', "Within groups: ", None]),
            PermissionDenied,
            'You are not allowed to access "Purchase".',
        ),
        (
            said("UserError", ['You are not allowed to access "Purchase.Comment".', "", {"fields": "x" * 100_000}]),
            PermissionDenied,
            'You are not allowed to access "Purchase.Comment".',
        ),
        (said("LoginException", ["password", "Password for u1", "password"]), Reauthorize, "Password for u1"),
        (said("UserWarning", ["late_1", "The date is past.", "Go on?"]), Rejected, "The date is past."),
        (said("ConcurrencyException", "Records were modified in the meanwhile"), Rejected, "ConcurrencyException"),
        (said("'production'", ""), NoSuchRecords, "'production'"),
        (said("'production.work'", TRACEBACK), NoSuchRecords, "'production.work'"),
        (said("'no' is not a valid choice", ""), Rejected, "'no' is not a valid choice"),
        (said("division by zero", TRACEBACK), Rejected, "division by zero"),
        (said("x" * 100_000, TRACEBACK), Rejected, "x" * 300),
        (said(), Rejected, "[]"),
        (said(None, None), Rejected, "None"),
    ],
)
def test_an_answer_has_one_meaning(answer: Answer, meaning: type[Trouble], words: str | None) -> None:
    trouble = TrytonRpc().trouble(answer)
    assert type(trouble) is meaning
    assert trouble.upstream is not None
    assert trouble.upstream.message == words
    shown = f"{trouble} {trouble.upstream}"
    assert "Traceback" not in shown
    assert "<" not in shown
    assert "sqlite" not in shown


@pytest.mark.real
def test_every_unit_of_tryton_has_its_code(tryton: Tryton) -> None:
    assert {row["symbol"] for row in tryton.rows("product.uom", [], ["symbol"])} == set(UNITS)
