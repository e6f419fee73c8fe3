"""REST: what is asked, how pages go on, and which conditions can be said at all."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import BadAnswer, PermissionDenied, WrongSystem
from connectors.fields import Pushed
from connectors.protocols.json_values import Moments, Times
from connectors.protocols.rest import Collection, Pages, Paging, Rest, Several
from connectors.protocols.walking import ROW_NUMBER
from connectors.query import ALWAYS, NEVER, Answer, Compare, Comparison, Page, Read, Where, all_of, any_of

_EQ, _NE, _IN, _NOT_IN = Comparison.EQ, Comparison.NOT_EQ, Comparison.IN, Comparison.NOT_IN
_FILTERS = {_EQ: "{path}", _NE: "{path}_not", Comparison.GTE: "{path}_from", Comparison.MISSING: "{path}_empty"}


def _rest(**given: Any) -> Rest:
    filters = {"filters": _FILTERS, "several": Several.REPEATED}
    return Rest({"orders": Collection("api/orders", "id", **{**filters, **given})}, message="error.text")


def _read(where: Where = ALWAYS, limit: int | None = 50) -> Read:
    return Read("orders", frozenset({"id"}), where, (), limit)


def _query(rest: Rest, where: Where = ALWAYS, limit: int | None = 50) -> str:
    return rest.request(_read(where, limit), {}).query


def _page(rest: Rest, body: Any, headers: dict[str, str] | None = None, read: Read | None = None) -> Page:
    return rest.page(read or _read(), Answer(200, headers or {}, json.dumps(body).encode()))


def _behind(rows: int) -> Where:
    return Compare(ROW_NUMBER, Comparison.GT, rows, int)


def _has(path: str) -> Where:
    return Compare(path, Comparison.PRESENT)


class TestQuestions:
    def test_conditions_become_parameters_without_a_plus_sign(self) -> None:
        where = all_of(Compare("name", _EQ, "a & b+c"), Compare("size", Comparison.GTE, Decimal("1E+2"), Decimal))
        assert _query(_rest(), where) == "name=a%20%26%20b%2Bc&size_from=100"

    @pytest.mark.parametrize(
        ("several", "expected"), [(Several.REPEATED, "state=a&state=b"), (Several.COMMA, "state=a%2Cb")]
    )
    def test_several_values_are_repeated_or_joined(self, several: Several, expected: str) -> None:
        assert _query(_rest(several=several), Compare("state", _IN, ("a", "b"))) == expected

    def test_fixed_parameters_come_first(self) -> None:
        assert _query(_rest(parameters={"kind": "order", "sort": "id"})) == "kind=order&sort=id"

    @pytest.mark.parametrize(
        ("pages", "skipped", "expected"),
        [
            (Pages(Paging.OFFSET, "from", limit="most"), 0, "from=0&most=50"),
            (Pages(Paging.OFFSET, "from", limit="most"), 50, "from=50&most=50"),
            (Pages(Paging.PAGE_NUMBER, "page", 1, "size"), 0, "page=1&size=50"),
            (Pages(Paging.PAGE_NUMBER, "page", 1, "size"), 100, "page=3&size=50"),
            (Pages(Paging.PAGE_NUMBER, "page", 0, "size"), 100, "page=2&size=50"),
            (Pages(), 0, ""),
        ],
    )
    def test_the_place_of_rows_becomes_a_parameter(self, pages: Pages, skipped: int, expected: str) -> None:
        where = _behind(skipped) if skipped else ALWAYS
        assert _query(_rest(pages=pages), where) == expected

    def test_the_last_key_becomes_a_parameter(self) -> None:
        rest = _rest(pages=Pages(Paging.AFTER_KEY, "after", limit="limit"))
        assert _query(rest, Compare("id", Comparison.GT, 7, int)) == "after=7&limit=50"

    def test_one_record_is_read_at_its_own_path(self) -> None:
        rest = _rest(one="api/orders/{key}", parameters={"expand": "lines"})
        asked = rest.request(_read(Compare("id", _EQ, "a b/../c")), {})
        assert (asked.path, asked.query) == ("api/orders/a%20b%2F..%2Fc", "expand=lines")

    def test_what_cannot_be_said_is_never_asked(self) -> None:
        with pytest.raises(ValueError, match="cannot be asked"):
            _query(_rest(), Compare("name", Comparison.CONTAINS, "a"))


class TestGrasp:
    """Whether a condition can be said; what cannot stays with the gateway."""

    @pytest.mark.parametrize(
        "where",
        [
            Compare("name", _EQ, "a"),
            Compare("name", _IN, ("a", "b")),
            all_of(Compare("name", _NE, "a"), _has("name")),
            Compare("id", _NOT_IN, (1, 2), int),
            Compare("name", Comparison.MISSING),
            any_of(Compare("name", _EQ, "a"), Compare("name", _IN, ("b", "c"))),
            all_of(Compare("name", _EQ, "a"), Compare("state", _EQ, "b")),
            ALWAYS,
        ],
    )
    def test_it_can_be_said(self, where: Where) -> None:
        grasped = _rest(filled=frozenset({"id"})).grasp("orders")(ALWAYS, Pushed(where))
        assert grasped == Pushed(where)

    @pytest.mark.parametrize(
        "where",
        [
            Compare("name", Comparison.CONTAINS, "a"),
            Compare("name", Comparison.LTE, "a"),
            any_of(Compare("name", _EQ, "a"), Compare("state", _EQ, "b")),
            all_of(Compare("size", Comparison.GTE, 1), Compare("size", Comparison.GTE, 2)),
        ],
    )
    def test_it_cannot_be_said(self, where: Where) -> None:
        assert _rest().grasp("orders")(ALWAYS, Pushed(where)) is None

    @pytest.mark.parametrize(
        ("times", "fraction", "can_be_said"),
        [
            (Times(), 0, True),
            (Times(), 1, False),
            (Times(zone="Europe/Berlin"), 0, False),
            (Times(Moments.UNIX_SECONDS, "Europe/Berlin"), 1, True),
        ],
    )
    def test_moments_are_asked_for_only_as_text_orders_them(
        self, times: Times, fraction: int, can_be_said: bool
    ) -> None:
        moment = datetime(2026, 10, 25, 0, 30, 0, fraction, tzinfo=UTC)
        rest = Rest({"orders": Collection("api/orders", "id", filters=_FILTERS)}, times=times)
        grasped = rest.grasp("orders")(ALWAYS, Pushed(Compare("changed", Comparison.GTE, moment, datetime)))
        assert (grasped is not None) is can_be_said

    def test_a_complement_means_rows_without_a_value_too(self) -> None:
        """`not: {name: {eq: …}}` finds rows without a name, which a parameter does not."""
        assert _rest().grasp("orders")(ALWAYS, Pushed(Compare("name", _NE, "a"))) is None

    def test_equalities_of_two_conditions_become_one(self) -> None:
        grasp = _rest().grasp("orders")
        before = Compare("name", _IN, ("a", "b"))
        assert grasp(before, Pushed(Compare("name", _IN, ("b", "c")))) is not None
        assert _query(_rest(), all_of(before, Compare("name", _IN, ("b", "c")))) == "name=b"
        assert grasp(before, Pushed(Compare("name", _EQ, "c"))) == Pushed(NEVER)

    def test_values_that_a_list_would_tear_apart_are_not_listed(self) -> None:
        grasp = _rest(several=Several.COMMA).grasp("orders")
        assert grasp(ALWAYS, Pushed(Compare("name", _IN, ("a", "b,c")))) is None
        assert _rest(several=None).grasp("orders")(ALWAYS, Pushed(Compare("name", _IN, ("a", "b")))) is None

    def test_a_field_may_have_its_own_parameters(self) -> None:
        rest = _rest(own_filters={"name": {_EQ: "exact_name"}})
        assert _query(rest, Compare("name", _EQ, "a")) == "exact_name=a"
        assert rest.grasp("orders")(ALWAYS, Pushed(Compare("name", Comparison.GTE, "a"))) is None


class TestAnswers:
    @pytest.mark.parametrize(("rows", "body"), [("", [{"id": 1}]), ("data.items", {"data": {"items": [{"id": 1}]}})])
    def test_rows_are_where_the_collection_says(self, rows: str, body: Any) -> None:
        assert _page(_rest(rows=rows), body) == Page([{"id": 1}])

    @pytest.mark.parametrize("body", [{}, {"data": None}, {"data": [1]}, [[]], "text", None, {"data": {"id": 1}}])
    def test_anything_else_is_a_bad_answer(self, body: Any) -> None:
        with pytest.raises(BadAnswer):
            _page(_rest(rows="data"), body)

    def test_one_record_is_a_page_of_one(self) -> None:
        rest = _rest(one="api/orders/{key}", record="order", pages=Pages(Paging.LINK, next="next"))
        read = _read(Compare("id", _EQ, 7, int))
        assert _page(rest, {"order": {"id": 7}, "next": "/x"}, read=read) == Page([{"id": 7}])

    def test_a_cursor_leads_on_with_the_same_question(self) -> None:
        rest = _rest(rows="rows", pages=Pages(Paging.CURSOR, "cursor", limit="limit", next="page.next"))
        body = {"rows": [], "page": {"next": "a+b"}}
        following = _page(rest, body, read=_read(Compare("name", _EQ, "n"))).next
        assert following is not None
        assert (following.path, following.query) == ("api/orders", "name=n&limit=50&cursor=a%2Bb")
        ends: list[Any] = [{"rows": [], "page": {"next": None}}, {"rows": []}, {"rows": [], "page": {"next": ""}}]
        for end in ends:
            assert _page(rest, end).next is None

    @pytest.mark.parametrize("link", ["?page=2&x=%20", "/other/path?page=2&x=%20", "https://evil.test/?page=2&x=%20"])
    def test_of_a_link_only_the_query_is_taken(self, link: str) -> None:
        in_body = _page(_rest(rows="rows", pages=Pages(Paging.LINK, next="next")), {"rows": [], "next": link}).next
        header = f'<https://a.test/?q=1,2;3>; rel="prev", <{link}>; title="on"; rel="next"'
        in_header = _page(_rest(pages=Pages(Paging.LINK_HEADER)), [], {"link": header}).next
        for following in (in_body, in_header):
            assert following is not None
            assert (following.path, following.query) == ("api/orders", "page=2&x=%20")

    def test_without_a_next_link_it_is_the_end(self) -> None:
        for header in ("", '</?page=1>; rel="prev"', "nonsense"):
            assert _page(_rest(pages=Pages(Paging.LINK_HEADER)), [], {"link": header}).next is None


class TestTroubles:
    def test_the_words_of_a_refusal_are_passed_on(self) -> None:
        trouble = _rest().trouble(Answer(403, {}, b'{"error": {"text": "Not you"}, "code": 17}'))
        assert isinstance(trouble, PermissionDenied)
        assert trouble.upstream is not None
        assert (trouble.upstream.message, trouble.upstream.code) == ("Not you", "17")

    @pytest.mark.parametrize("body", [b"<html>", b'{"error": {"text": ["x"]}}', b'["x"]', b""])
    def test_anything_else_is_not(self, body: bytes) -> None:
        trouble = _rest().trouble(Answer(404, {}, body))
        assert isinstance(trouble, WrongSystem)
        assert trouble.upstream is not None
        assert trouble.upstream.message is None

    def test_a_good_answer_is_none(self) -> None:
        assert _rest().trouble(Answer(204, {}, b"")) is None


class TestTimes:
    def test_moments_are_read_in_utc(self) -> None:
        berlin = Times(zone="Europe/Berlin")
        assert berlin.read_moment("2026-07-01T12:00:00") == datetime(2026, 7, 1, 10, tzinfo=UTC)
        assert berlin.read_moment("2026-07-01T12:00:00-02:00") == datetime(2026, 7, 1, 14, tzinfo=UTC)
        assert Times(Moments.UNIX_SECONDS).read_moment(1782900000) == datetime(2026, 7, 1, 10, tzinfo=UTC)
        assert Times(Moments.UNIX_MILLISECONDS).read_moment(1782900000250) == datetime(
            2026, 7, 1, 10, 0, 0, 250_000, tzinfo=UTC
        )

    def test_zero_seconds_and_empty_text_are_no_moment(self) -> None:
        assert Times(Moments.UNIX_SECONDS).read_moment(0) is None
        assert Times().read_moment("") is None
        assert Times().read_day("") is None

    def test_a_moment_gives_the_day_on_which_it_falls_there(self) -> None:
        times = Times(zone="Europe/Berlin")
        assert times.read_day("2026-06-30T22:30:00Z") == date(2026, 7, 1)
        assert times.read_day("2026-06-30") == date(2026, 6, 30)
        assert Times(Moments.UNIX_SECONDS, "Europe/Berlin").read_day(1782900000) == date(2026, 7, 1)

    @pytest.mark.parametrize("value", [True, "2026-07-01", "soon", [], 7])
    def test_what_is_no_moment_is_refused(self, value: Any) -> None:
        with pytest.raises(ValueError, match=r"moment|isoformat"):
            Times().read_moment(value)

    def test_moments_are_written_as_they_are_read(self) -> None:
        moment = datetime(2026, 7, 1, 10, 0, 0, 250_000, tzinfo=UTC)
        for moments in Moments:
            times = Times(moments)
            written: Any = times.write(moment)
            found = times.read_moment(written if moments is Moments.ISO else Decimal(written))
            assert found == moment, moments
