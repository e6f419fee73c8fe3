"""Odoo's JSON-2: what is asked, how conditions are written, and what answers mean, as a running Odoo 19 gave them."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.errors import (
    BadAnswer,
    NoSuchRecords,
    PermissionDenied,
    RateLimited,
    Reauthorize,
    Rejected,
    Trouble,
    Unavailable,
    WrongSystem,
)
from connectors.protocols.odoo_json2 import OdooJson2, write_specification, write_where
from connectors.query import (
    NEVER,
    Answer,
    Compare,
    Comparison,
    OrderBy,
    Read,
    all_of,
    any_of,
)
from connectors.systems.odoo.spec import odoo

ODOO = OdooJson2()
DEBUG = 'Traceback (most recent call last):\n  File "/usr/lib/python3/dist-packages/odoo/http.py", line 1\n'
HTML = {"content-type": "text/html; charset=utf-8"}


class TestQuestions:
    def test_a_question_is_one_call_of_the_model(self) -> None:
        read = Read(
            "purchase.order", frozenset({"id", "name"}), order=(OrderBy("write_date", True), OrderBy("id")), limit=50
        )
        request = ODOO.request(read, {})
        assert (request.method, request.path) == ("POST", "json/2/purchase.order/web_search_read")
        assert dict(request.headers)["Content-Type"] == "application/json"
        assert json.loads(request.body) == {
            "domain": [],
            "specification": {"id": {}, "name": {}},
            "offset": 0,
            "limit": 50,
            "order": "write_date desc nulls last, id asc nulls last",
            "count_limit": 1,
            "context": {"active_test": False, "tz": "UTC"},
        }

    def test_without_a_limit_everything_is_asked_for(self) -> None:
        assert json.loads(ODOO.request(Read("purchase.order", frozenset({"id"})), {}).body)["limit"] is None

    def test_linked_fields_and_child_rows_are_nested(self) -> None:
        paths = ("id", "partner_id", "partner_id.display_name", "order_line.id", "order_line.product_id.default_code")
        assert write_specification(paths) == {
            "id": {},
            "partner_id": {"fields": {"display_name": {}}},
            "order_line": {"fields": {"id": {}, "product_id": {"fields": {"default_code": {}}}}},
        }


class TestConditions:
    @pytest.mark.parametrize(
        ("compare", "expected"),
        [
            (Compare("name", Comparison.EQ, "O'Brien"), [["name", "=", "O'Brien"]]),
            (Compare("name", Comparison.NOT_EQ, "a"), ["!", ["name", "=", "a"]]),
            (Compare("state", Comparison.IN, ("draft", "sent")), [["state", "in", ["draft", "sent"]]]),
            (Compare("state", Comparison.NOT_IN, ("draft",)), ["!", ["state", "in", ["draft"]]]),
            (Compare("country_id.code", Comparison.MISSING), ["!", ["country_id.code", "!=", False]]),
            (Compare("country_id.code", Comparison.PRESENT), [["country_id.code", "!=", False]]),
            (Compare("name", Comparison.CONTAINS, "100%_a\\b"), [["name", "ilike", "100\\%\\_a\\\\b"]]),
            (Compare("name", Comparison.STARTS_WITH, "50%"), [["name", "=ilike", "50\\%%"]]),
            (Compare("id", Comparison.GT, 7, int), [["id", ">", 7]]),
            (Compare("active", Comparison.EQ, True, bool), [["active", "=", True]]),
            (Compare("amount_total", Comparison.GTE, Decimal("1E+3"), Decimal), [["amount_total", ">=", "1000"]]),
            (Compare("amount_total", Comparison.LT, Decimal("0.10"), Decimal), [["amount_total", "<", "0.10"]]),
            (Compare("day", Comparison.LTE, date(2024, 3, 4), date), [["day", "<=", "2024-03-04"]]),
            (
                Compare("at", Comparison.GT, datetime(2024, 3, 4, 1, tzinfo=timezone(timedelta(hours=2))), datetime),
                [["at", ">", "2024-03-03 23:00:00"]],
            ),
            (
                Compare("at", Comparison.LT, datetime(1, 1, 2, 0, 0, 0, 9, tzinfo=UTC), datetime),
                [["at", "<", "0001-01-02 00:00:00"]],
            ),
        ],
    )
    def test_each_comparison_has_its_form(self, compare: Compare, expected: list[Any]) -> None:
        assert write_where(compare) == expected

    def test_signs_come_before_their_terms(self) -> None:
        a, b, c, d = (Compare(name, Comparison.EQ, 1, int) for name in "abcd")
        where = all_of(a, any_of(b, all_of(c, d)), Compare("e", Comparison.NOT_EQ, 1, int))
        assert write_where(where) == [
            *("&", "&", ["a", "=", 1]),
            *("|", ["b", "=", 1], "&", ["c", "=", 1], ["d", "=", 1]),
            *("!", ["e", "=", 1]),
        ]  # fmt: skip

    def test_no_condition_is_an_empty_domain(self) -> None:
        assert write_where(all_of()) == []

    def test_what_finds_nothing_is_never_asked(self) -> None:
        with pytest.raises(ValueError, match="finds nothing"):
            write_where(NEVER)


ROW = {
    "id": 12,
    "name": "P00012",
    "partner_ref": False,
    "partner_id": {"id": 20, "display_name": "Hydra Pumps B.V."},
    "company_id": False,
    "user_id": 7,
    "order_line": [{"id": 3, "product_id": {"id": 5, "default_code": False}}],
}


class TestAnswers:
    def page(self, body: Any) -> list[dict[str, Any]]:
        return ODOO.page(Read("purchase.order", frozenset()), Answer(200, {}, json.dumps(body).encode())).rows

    def test_the_records_are_the_rows_and_there_is_no_rest(self) -> None:
        body = json.dumps({"length": 1, "records": [ROW]}).encode()
        page = ODOO.page(Read("purchase.order", frozenset()), Answer(200, {}, body))
        assert (page.rows, page.next) == ([ROW], None)

    @pytest.mark.parametrize("body", [None, [], {}, {"records": {}}, {"records": [7]}, "text"])
    def test_anything_else_is_a_bad_answer(self, body: Any) -> None:
        with pytest.raises(BadAnswer, match="no list of records"):
            self.page(body)

    def test_numbers_keep_every_digit(self) -> None:
        answer = Answer(200, {}, b'{"records": [{"id": 1, "amount_total": 833.520000000000000001}]}')
        (row,) = ODOO.page(Read("purchase.order", frozenset()), answer).rows
        assert ODOO.decoders[Decimal](row["amount_total"]) == Decimal("833.520000000000000001")

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("name", "P00012"),
            ("partner_id", 20),
            ("partner_id.display_name", "Hydra Pumps B.V."),
            ("user_id", 7),
            ("user_id.display_name", None),
            ("company_id", False),
            ("company_id.display_name", None),
            ("absent", None),
            ("absent.name", None),
        ],
    )
    def test_values_are_found_at_their_paths(self, path: str, value: Any) -> None:
        assert ODOO.getter(path)(ROW) == value

    def test_child_rows_are_found_at_their_path(self) -> None:
        (line,) = ODOO.children("order_line")(ROW) or []
        assert ODOO.getter("product_id.default_code")(line) is False
        assert ODOO.children("partner_id.child_ids")(ROW) is None
        assert ODOO.children("company_id.child_ids")(ROW) is None

    @pytest.mark.parametrize("kind", [str, int, Decimal, date, datetime])
    def test_false_is_nothing(self, kind: type[Any]) -> None:
        assert ODOO.decoders[kind](False) is None

    @pytest.mark.parametrize(
        ("kind", "value", "meant"),
        [
            (bool, False, False),
            (str, "", None),
            (str, 20, "20"),
            (int, 3, 3),
            (date, "2024-03-04", date(2024, 3, 4)),
            (date, "2024-03-04 23:59:59", date(2024, 3, 4)),
            (datetime, "2024-02-10 06:00:00", datetime(2024, 2, 10, 6, tzinfo=UTC)),
        ],
    )
    def test_values_are_read(self, kind: type[Any], value: Any, meant: Any) -> None:
        assert ODOO.decoders[kind](value) == meant

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            *((str, True), (int, True), (bool, 0), (Decimal, True)),
            *((date, "04.03.2024"), (date, 20240304), (date, "2024-03-04T00:00:00Z")),
            *((datetime, "2024-02-10"), (datetime, "2024-02-10 06:00:00Z"), (datetime, 7)),
        ],
    )
    def test_anything_else_is_unreadable(self, kind: type[Any], value: Any) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - what it says is shown to nobody
            ODOO.decoders[kind](value)


def said(status: int, name: str, message: str) -> Answer:
    body = {"name": name, "message": message, "arguments": [message, status], "context": {}, "debug": DEBUG}
    return Answer(status, {"content-type": "application/json; charset=utf-8"}, json.dumps(body).encode())


def web_page(status: int, text: str) -> Answer:
    return Answer(status, HTML, f"<!doctype html>\n<title>{status}</title>\n<p>{text}</p>\n".encode())


WERKZEUG, ODOO_ERROR = "werkzeug.exceptions", "odoo.exceptions"
UNSTORED = "Cannot convert purchase.order.tax_totals to SQL because it is not stored"
SECRETS = "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\nSorry, Buys only (id=6) doesn't have"
TROUBLES: list[tuple[Answer, type[Trouble], str | None]] = [
    (said(401, f"{WERKZEUG}.Unauthorized", "Invalid apikey"), Reauthorize, "Invalid apikey"),
    (said(401, f"{WERKZEUG}.Unauthorized", "User not authenticated"), Reauthorize, "User not authenticated"),
    (said(404, f"{WERKZEUG}.NotFound", "the model 'x' does not exist"), NoSuchRecords, "the model 'x' does not exist"),
    (
        said(404, f"{WERKZEUG}.NotFound", "The method 'x.y' does not exist"),
        NoSuchRecords,
        "The method 'x.y' does not exist",
    ),
    (said(403, f"{ODOO_ERROR}.AccessError", "You may not.\n\nGroups:\n- x"), PermissionDenied, "You may not."),
    (said(403, f"{ODOO_ERROR}.AccessError", SECRETS), PermissionDenied, SECRETS.partition("\n")[0]),
    (said(403, f"{WERKZEUG}.Forbidden", "No"), Rejected, "No"),
    (
        said(500, "builtins.ValueError", "Invalid field 'nope' on 'res.partner'"),
        NoSuchRecords,
        "Invalid field 'nope' on 'res.partner'",
    ),
    (
        said(500, "builtins.ValueError", "Invalid field res.partner.nope in condition ('nope', '=', 1)"),
        NoSuchRecords,
        "Invalid field res.partner.nope in condition ('nope', '=', 1)",
    ),
    (said(500, "builtins.ValueError", UNSTORED), Rejected, UNSTORED),
    (said(500, "builtins.ValueError", "Invalid isoformat string: '1'"), Rejected, "Invalid isoformat string: '1'"),
    (said(422, f"{ODOO_ERROR}.UserError", 'Invalid "order" specified'), Rejected, 'Invalid "order" specified'),
    (said(422, f"{WERKZEUG}.UnprocessableEntity", "missing: 'domain'"), Rejected, "missing: 'domain'"),
    (said(400, f"{WERKZEUG}.BadRequest", "could not parse the body"), Rejected, "could not parse the body"),
    (said(500, "builtins.TypeError", "unexpected keyword argument"), Unavailable, "unexpected keyword argument"),
    (said(500, "psycopg2.OperationalError", "x" * 100_000), Unavailable, "x" * 300),
    (web_page(404, "No database is selected"), WrongSystem, None),
    (web_page(415, "Unsupported Media Type"), Rejected, None),
    (web_page(429, "Too Many Requests"), RateLimited, None),
    (web_page(502, "Bad Gateway"), Unavailable, None),
    (web_page(401, "Unauthorized"), Reauthorize, None),
    (Answer(303, {"location": "/web/login"}, b""), WrongSystem, None),
    (Answer(500, {"content-type": "application/json"}, b'["odd"]'), Unavailable, None),
    (Answer(500, {"content-type": "application/json"}, b'{"name": 7}'), Unavailable, None),
]


@pytest.mark.parametrize(("answer", "meaning", "words"), TROUBLES)
def test_an_answer_has_one_meaning(answer: Answer, meaning: type[Trouble], words: str | None) -> None:
    trouble = ODOO.trouble(answer)
    assert type(trouble) is meaning
    assert trouble.upstream is not None
    assert trouble.upstream.message == words
    shown = f"{trouble} {trouble.upstream}"
    assert "Traceback" not in shown
    assert "<" not in shown
    assert "dist-packages" not in shown


def test_a_good_answer_is_no_trouble() -> None:
    assert ODOO.trouble(Answer(200, {}, b"{}")) is None


class TestLogin:
    """The key goes with every request, and the database where there is one."""

    @pytest.mark.parametrize(("database", "expected"), [("plant", "plant"), ("", None), (None, None)])
    def test_headers(self, database: str | None, expected: str | None) -> None:
        (method,) = odoo.auth_methods
        answers = {"url": "https://odoo.example/", "apiKey": "0123"} | (
            {} if database is None else {"database": database}
        )
        login = method.flow(answers)
        (request,) = login.auth_flow(httpx.Request("POST", "https://odoo.example/json/2/res.partner/web_search_read"))
        assert request.headers["authorization"] == "bearer 0123"
        assert request.headers.get("x-odoo-database") == expected
        assert "0123" not in repr(login)
        assert odoo.address(answers) == "https://odoo.example/"
