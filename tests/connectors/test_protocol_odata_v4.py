"""OData V4: what is asked, how literals are written, and what answers mean."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from connectors.errors import BadAnswer, Rejected, WrongSystem
from connectors.fields import Pushed
from connectors.protocols.odata_v4 import GUID, EntitySet, ODataV4
from connectors.query import ALWAYS, Answer, Compare, Comparison, OrderBy, Page, Read, Where, all_of, any_of

_STATUS = "Vendor.Enums.Status"
_KEY = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


def _odata(**given: Any) -> ODataV4:
    return ODataV4({"orders": EntitySet({"id": GUID, "status": _STATUS}, frozenset({"address"}))}, **given)


def _options(protocol: ODataV4, where: Where = ALWAYS, paths: tuple[str, ...] = ("id",)) -> dict[str, str]:
    read = Read("orders", frozenset(paths), where, (OrderBy("id"),), 50)
    query = protocol.request(read, {}).query
    assert "+" not in query
    assert " " not in query
    return {name: value for name, (value,) in parse_qs(query).items()}


def _filter(where: Where, **given: Any) -> str:
    return _options(_odata(**given), where)["$filter"]


class TestQuestions:
    def test_fields_are_selected_and_linked_ones_expanded_with_theirs(self) -> None:
        paths = ("id", "name", "vendor.name", "lines.id", "lines.item.number", "address.city", "@odata.etag")
        asked = _options(_odata(), paths=paths)
        assert asked["$select"] == "address,id,name"
        assert asked["$expand"] == "lines($select=id;$expand=item($select=number)),vendor($select=name)"
        assert (asked["$orderby"], asked["$top"]) == ("id asc", "50")

    def test_blanks_are_no_plus_signs(self) -> None:
        read = Read("orders", frozenset({"id"}), Compare("name", Comparison.EQ, "a + b & c"))
        query = _odata().request(read, {}).query
        assert "$filter=name%20eq%20'a%20%2B%20b%20%26%20c'" in query

    def test_pages_of_a_size_are_preferred(self) -> None:
        headers = dict(_odata(page_size=500).request(Read("orders", frozenset()), {}).headers)
        assert headers["Prefer"] == "odata.maxpagesize=500"
        assert "Prefer" not in dict(_odata().request(Read("orders", frozenset()), {}).headers)

    def test_fixed_parameters_go_with_every_question(self) -> None:
        assert _options(_odata(parameters={"cross-company": "true"}))["cross-company"] == "true"

    @pytest.mark.parametrize(
        ("compare", "expected"),
        [
            (Compare("name", Comparison.EQ, "O'Brien"), "name eq 'O''Brien'"),
            (Compare("id", Comparison.GT, _KEY), f"id gt {_KEY}"),
            (Compare("status", Comparison.EQ, "Open"), "status eq Vendor.Enums.Status'Open'"),
            (Compare("day", Comparison.LTE, date(2026, 1, 2), date), "day le 2026-01-02"),
            (
                Compare("at", Comparison.GTE, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime),
                "at ge 2026-01-02T03:04:05Z",
            ),
            (Compare("price", Comparison.NOT_EQ, Decimal("1E+3"), Decimal), "price ne 1000"),
            (Compare("is_open", Comparison.EQ, True, bool), "is_open eq true"),
            (Compare("vendor.name", Comparison.MISSING), "(vendor/name eq null or vendor/name eq '')"),
            (Compare("status", Comparison.MISSING), "status eq null"),
            (Compare("day", Comparison.PRESENT, kind=date), "day ne null"),
            (Compare("name", Comparison.PRESENT), "(name ne null and name ne '')"),
            (Compare("name", Comparison.CONTAINS, "PuMp"), "contains(tolower(name),'pump')"),
            (Compare("name", Comparison.STARTS_WITH, "A"), "startswith(tolower(name),'a')"),
            (Compare("name", Comparison.IN, ("a", "b")), "(name eq 'a' or name eq 'b')"),
            (Compare("name", Comparison.NOT_IN, ("a", "b")), "(name ne 'a' and name ne 'b')"),
        ],
    )
    def test_conditions(self, compare: Compare, expected: str) -> None:
        assert _filter(compare) == expected

    def test_groups_are_bracketed(self) -> None:
        one, two, three = (Compare("name", Comparison.EQ, text) for text in "abc")
        assert _filter(all_of(one, any_of(two, three))) == "(name eq 'a' and (name eq 'b' or name eq 'c'))"

    def test_a_service_may_know_lists(self) -> None:
        several = Compare("status", Comparison.IN, ("Open", "Draft"))
        listed = "status in (Vendor.Enums.Status'Open',Vendor.Enums.Status'Draft')"
        assert _filter(several, supports_in=True) == listed
        left_out = Compare("status", Comparison.NOT_IN, ("Open", "Draft"))
        assert _filter(left_out, supports_in=True) == f"not ({listed})"
        assert _filter(Compare("name", Comparison.IN, ("a",)), supports_in=True) == "(name eq 'a')"

    def test_a_service_that_ignores_case_needs_no_small_letters(self) -> None:
        assert _filter(Compare("name", Comparison.CONTAINS, "PuMp"), ignores_case=True) == "contains(name,'PuMp')"


class TestGrasp:
    def test_equal_texts_are_looked_at_again_where_case_is_ignored(self) -> None:
        grasp = _odata(ignores_case=True).grasp("orders")
        equal = Compare("name", Comparison.EQ, "a")
        assert grasp(ALWAYS, Pushed(equal)) == Pushed(equal, is_exact=False)
        assert grasp(ALWAYS, Pushed(Compare("name", Comparison.NOT_EQ, "a"))) is None
        for exact in (
            Compare("status", Comparison.EQ, "Open"),
            Compare("id", Comparison.IN, (_KEY,)),
            Compare("price", Comparison.EQ, Decimal(1), Decimal),
            Compare("name", Comparison.CONTAINS, "a"),
        ):
            assert grasp(ALWAYS, Pushed(exact)) == Pushed(exact)

    def test_elsewhere_the_service_decides(self) -> None:
        equal = Pushed(Compare("name", Comparison.NOT_EQ, "a"))
        assert _odata().grasp("orders")(ALWAYS, equal) == equal


class TestAnswers:
    def _page(self, body: Any) -> Page:
        return _odata().page(Read("orders", frozenset()), Answer(200, {}, json.dumps(body).encode()))

    def test_rows_and_version(self) -> None:
        page = self._page({"value": [{"id": _KEY, "@odata.etag": 'W/"1"'}]})
        assert _odata().getter("@odata.etag")(page.rows[0]) == 'W/"1"'
        assert page.next is None

    @pytest.mark.parametrize(
        "link", ["orders?$skiptoken=a%20b", "https://internal.test/odata/orders?$skiptoken=a%20b", "?$skiptoken=a%20b"]
    )
    def test_of_a_link_only_the_query_is_taken(self, link: str) -> None:
        following = self._page({"value": [], "@odata.nextLink": link}).next
        assert following is not None
        assert (following.path, unquote(following.query)) == ("orders", "$skiptoken=a b")

    @pytest.mark.parametrize("body", [{}, {"value": None}, {"value": [1]}, [], "text", {"d": {"results": []}}])
    def test_anything_else_is_a_bad_answer(self, body: Any) -> None:
        with pytest.raises(BadAnswer):
            self._page(body)

    def test_values_within(self) -> None:
        row = {"vendor": {"name": "Bolt"}, "lines": [{"id": 1}], "gone": None}
        assert _odata().getter("vendor.name")(row) == "Bolt"
        assert _odata().getter("gone.name")(row) is None
        assert _odata().children("lines")(row) == [{"id": 1}]
        assert _odata().children("vendor")(row) is None


class TestTroubles:
    def _trouble(self, status: int, body: Any) -> Any:
        return _odata().trouble(Answer(status, {}, json.dumps(body).encode()))

    def test_the_service_says_why(self) -> None:
        said = {
            "code": "Bad",
            "message": "An error has occurred.",
            "details": [{"message": "Name is no property."}],
            "innererror": {"message": "Could not find it.", "stacktrace": "at Secret.Place()"},
        }
        trouble = self._trouble(400, {"error": said})
        assert isinstance(trouble, Rejected)
        assert trouble.upstream is not None
        assert trouble.upstream.code == "Bad"
        assert trouble.upstream.message == "An error has occurred. Name is no property. Could not find it."

    def test_an_unknown_name_comes_from_the_right_system(self) -> None:
        assert isinstance(self._trouble(404, {"error": {"code": "", "message": "No such set."}}), Rejected)
        assert isinstance(self._trouble(404, "nothing"), WrongSystem)
        assert isinstance(_odata().trouble(Answer(404, {}, b"<html>")), WrongSystem)

    def test_a_good_answer_is_none(self) -> None:
        assert self._trouble(200, {"value": []}) is None
