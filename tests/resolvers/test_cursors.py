"""Cursors: what they keep, whom they belong to, and that nobody else can make one."""

import base64
import contextlib
import string
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError

from connectors.plan import Continuation, KeyPosition, Phase, RowNumber
from resolvers.cursors import Place, fingerprint, read_cursor, write_cursor
from schema.errors import ErrorCode
from tests.resolvers.graph import Graph
from tests.resolvers.tables import order_row, table

KEY = b"k" * 32
DAY = 24 * 60 * 60
QUERY = """
query Page(
  $after: String, $filter: PurchaseOrderFilter, $orderBy: [PurchaseOrderSort!], $ids: [ID!], $keys: [String!]
) {
  purchaseOrders(first: 2, after: $after, filter: $filter, orderBy: $orderBy, connectionIds: $ids, systems: $keys) {
    nodes { remoteId }
    pageInfo { endCursor }
  }
}
"""


def place(value: Any, key: str = "4500000001", phase: Phase = Phase.VALUES) -> Place:
    return Place(KeyPosition(phase, (value,), key))


def code_of(error: pytest.ExceptionInfo[GraphQLError]) -> Any:
    return (error.value.extensions or {})["code"]


def graph(**settings: Any) -> Graph:
    rows = [order_row(f"k{index}", number=str(index)) for index in range(6)]
    return Graph([table("a", rows), table("b", rows)], **settings)


@pytest.mark.parametrize(
    ("value", "value_type"),
    [
        (datetime(2026, 3, 1, 12, 0, 0, 123456, UTC), datetime),
        (date(2026, 3, 1), date),
        (Decimal("-12.50"), Decimal),
        (Decimal("1E+3"), Decimal),
        ('quote " and Ünïcode', str),
        ("", str),
    ],
)
def test_a_place_reads_back_as_it_was_written(value: Any, value_type: type[Any]) -> None:
    places = {
        "con_values": place(value),
        "con_nulls": place(None, "a/b", Phase.NULLS),
        "con_rows": Place(RowNumber(400, "7")),
        "con_answer": Place(Continuation("cursor=ab&limit=100", 3)),
        "con_first_answer": Place(Continuation(None, 3)),
        "con_new": Place(),
        "con_done": Place(is_done=True),
    }
    assert read_cursor(KEY, "q", write_cursor(KEY, "q", places), [value_type]) == places


def test_nobody_else_can_read_it() -> None:
    """What a source says of how to go on may hold what its clients should not see."""
    cursor = write_cursor(KEY, "q", {"con_a": Place(Continuation("token=canary", 3))})
    content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for start in range(len(content)):
        with contextlib.suppress(zlib.error):
            assert b"canary" not in zlib.decompressobj().decompress(content[start:])
    assert b"canary" not in content


def test_any_other_character_makes_it_invalid() -> None:
    cursor = write_cursor(KEY, "q", {"con_a": place("x"), "con_b": Place()})
    others = string.ascii_letters + string.digits + "-_"
    for index, found in enumerate(cursor):
        for other in (others[(others.index(found) + step) % len(others)] for step in (1, 2, 31)):
            with pytest.raises(GraphQLError) as caught:
                read_cursor(KEY, "q", cursor[:index] + other + cursor[index + 1 :], [str])
            assert code_of(caught) == ErrorCode.INVALID_CURSOR.name


@pytest.mark.parametrize("change", ["", "%s=", "%s!", " %s", "!%s", "%sA", "null", "é", "AAAA", "=" * 40, "%s%s"])
def test_text_around_or_instead_of_it_makes_it_invalid(change: str) -> None:
    cursor = write_cursor(KEY, "q", {"con_a": place("x")})
    with pytest.raises(GraphQLError) as caught:
        read_cursor(KEY, "q", change.replace("%s", cursor), [str])
    assert code_of(caught) == ErrorCode.INVALID_CURSOR.name
    assert (caught.value.extensions or {})["field"] == "after"


def test_another_key_or_query_refuses_it() -> None:
    cursor = write_cursor(KEY, "q", {"con_a": place("x")})
    with pytest.raises(GraphQLError, match="not one of ours"):
        read_cursor(b"K" * 32, "q", cursor, [str])
    with pytest.raises(GraphQLError, match="another filter, order or choice"):
        read_cursor(KEY, "p", cursor, [str])


def test_it_lasts_a_day() -> None:
    cursor = write_cursor(KEY, "q", {"con_a": place("x")}, now=1_000_000)
    assert read_cursor(KEY, "q", cursor, [str], now=1_000_000 + DAY)
    with pytest.raises(GraphQLError, match="older than 24 hours") as caught:
        read_cursor(KEY, "q", cursor, [str], now=1_000_001 + DAY)
    assert code_of(caught) == ErrorCode.INVALID_CURSOR.name


def test_a_place_that_does_not_fit_the_order_is_refused() -> None:
    cursor = write_cursor(KEY, "q", {"con_a": place("not a day")})
    with pytest.raises(GraphQLError) as caught:
        read_cursor(KEY, "q", cursor, [date])
    assert code_of(caught) == ErrorCode.INVALID_CURSOR.name


def test_it_never_grows_beyond_four_kilobytes() -> None:
    places = {f"con_{index}": place(f"{index * 7919:x}" * 6) for index in range(500)}
    with pytest.raises(GraphQLError, match="4 KiB; ask fewer connections") as caught:
        write_cursor(KEY, "q", places)
    assert code_of(caught) == ErrorCode.QUERY_TOO_COMPLEX.name


def test_a_longer_text_is_not_even_read() -> None:
    with pytest.raises(GraphQLError) as caught:
        read_cursor(KEY, "q", "A" * 4_097, [str])
    assert code_of(caught) == ErrorCode.INVALID_CURSOR.name


def test_the_places_of_fifty_sources_fit() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 123000, UTC)
    places = {f"con_{index * 104729:020x}": place(moment, str(4_500_000_000 + index * 7919)) for index in range(50)}
    assert len(write_cursor(KEY, "q", places)) <= 4_096


def test_what_a_query_asks_decides_its_fingerprint() -> None:
    assert fingerprint("cus_1", "purchaseOrders", None) == fingerprint("cus_1", "purchaseOrders", None)
    assert fingerprint("cus_1", "purchaseOrders", None) != fingerprint("cus_2", "purchaseOrders", None)


async def end_of_page_one(**variables: Any) -> str:
    data = await graph().run(QUERY, **variables)
    cursor: str = data["purchaseOrders"]["pageInfo"]["endCursor"]
    return cursor


@pytest.mark.parametrize(
    "change",
    [
        {"filter": {"number": {"ne": "1"}}},
        {"filter": {"and": [{"number": {"ne": "0"}}, {"number": {"ne": "1"}}]}},
        {"orderBy": [{"field": "NUMBER", "direction": "ASC"}]},
        {"orderBy": [{"field": "UPDATED_AT", "direction": "DESC"}]},
        {"orderBy": None},
        {"ids": ["con_a"]},
        {"ids": ["con_a", "con_b"]},
        {"keys": ["sap_s4hana"]},
    ],
)
async def test_another_filter_order_or_choice_is_refused(change: dict[str, Any]) -> None:
    asked = {"filter": {"number": {"ne": "0"}}, "orderBy": [{"field": "NUMBER", "direction": "DESC"}]}
    cursor = await end_of_page_one(**asked)
    assert (await graph().run(QUERY, after=cursor, **asked))["purchaseOrders"]["nodes"]
    assert (await graph().refused(QUERY, after=cursor, **{**asked, **change}))["code"] == "INVALID_CURSOR"


async def test_another_customer_or_another_list_is_refused() -> None:
    cursor = await end_of_page_one()
    assert (await graph(tenant="cus_other").refused(QUERY, after=cursor))["code"] == "INVALID_CURSOR"
    vendors = "query ($after: String) { vendors(first: 2, after: $after) { nodes { id } } }"
    assert (await graph().refused(vendors, after=cursor))["code"] == "INVALID_CURSOR"


async def test_a_source_that_is_gone_is_left_out_and_a_new_one_waits_for_the_next_walk() -> None:
    before = graph()
    cursor = (await before.run(QUERY))["purchaseOrders"]["pageInfo"]["endCursor"]
    after = Graph([table("b", [order_row("k9")]), table("c", [order_row("k9")])])
    page = (await after.run(QUERY.replace("{ remoteId }", "{ connection { id } }"), after=cursor))["purchaseOrders"]
    assert page["nodes"] == [{"connection": {"id": "con_b"}}]
