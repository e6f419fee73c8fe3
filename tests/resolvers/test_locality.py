"""Filters that name a connection, and rows that are flagged as deleted."""

from typing import Any

import pytest

from resolvers.ports import LiveSource
from schema.ids import RecordId
from schema.model import EntityType
from tests.resolvers.graph import Graph
from tests.resolvers.tables import Abilities, order_row, source_of, table
from tests.resolvers.walking import Identity, walk

ROWS = [
    order_row("k1", number="1", vendor="v1"),
    order_row("k2", number="2", vendor="v2"),
    order_row("k3", number="3"),
    order_row("k4", number="4", vendor="v1", deleted=True, state="C"),
    order_row("k5", number="5", deleted=True, state="I"),
    order_row("k6", number="6", deleted=False, state="C"),
]
SHOWN = {"k1", "k2", "k3", "k6"}


def order(connection: str, key: str) -> str:
    return str(RecordId(EntityType.PURCHASE_ORDER, connection, key).encode())


def vendor(connection: str, key: str) -> str:
    return str(RecordId(EntityType.VENDOR, connection, key).encode())


@pytest.fixture(params=[True, False], ids=["pushed", "here"])
def lives(request: pytest.FixtureRequest) -> list[LiveSource]:
    return [table(name, ROWS, Abilities(filters=request.param, page_size=50)) for name in "ab"]


async def found(lives: list[LiveSource], condition: dict[str, Any]) -> set[Identity]:
    return set((await walk(Graph(lives), 50, condition=condition)).rows)


def asked(lives: list[LiveSource]) -> list[bool]:
    return [bool(source_of(live).reads) for live in lives]


def both(keys: set[str]) -> set[Identity]:
    return {(connection, key) for connection in ("con_a", "con_b") for key in keys}


async def test_a_connection_is_chosen_and_nobody_else_is_asked(lives: list[LiveSource]) -> None:
    assert await found(lives, {"connectionId": {"eq": "con_b"}}) == {("con_b", key) for key in SHOWN}
    assert asked(lives) == [False, True]


@pytest.mark.parametrize(
    ("condition", "connections"),
    [
        ({"ne": "con_b"}, {"con_a"}),
        ({"in": ["con_b", "con_z"]}, {"con_b"}),
        ({"in": []}, set()),
        ({"notIn": ["con_a", "con_b"]}, set()),
        ({"notIn": []}, {"con_a", "con_b"}),
        ({"isNull": True}, set()),
        ({"isNull": False}, {"con_a", "con_b"}),
    ],
)
async def test_conditions_on_the_connection(
    lives: list[LiveSource], condition: dict[str, Any], connections: set[str]
) -> None:
    assert {name for name, _ in await found(lives, {"connectionId": condition})} == connections
    negated = {name for name, _ in await found(lives, {"not": {"connectionId": condition}})}
    assert negated == {"con_a", "con_b"} - connections


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        ({"eq": order("con_a", "k1")}, {("con_a", "k1")}),
        ({"in": [order("con_a", "k1"), order("con_b", "k2")]}, {("con_a", "k1"), ("con_b", "k2")}),
        ({"in": []}, set()),
        ({"eq": order("con_z", "k1")}, set()),
        ({"eq": vendor("con_a", "k1")}, set()),
        ({"eq": "nonsense"}, set()),
        ({"eq": ""}, set()),
        ({"ne": order("con_a", "k1")}, both(SHOWN) - {("con_a", "k1")}),
        ({"notIn": [order("con_a", "k1"), "nonsense"]}, both(SHOWN) - {("con_a", "k1")}),
        ({"isNull": True}, set()),
        ({"isNull": False}, both(SHOWN)),
    ],
)
async def test_conditions_on_the_id(lives: list[LiveSource], condition: dict[str, Any], keys: set[Identity]) -> None:
    assert await found(lives, {"id": condition}) == keys
    assert await found(lives, {"not": {"id": condition}}) == both(SHOWN) - keys


async def test_an_id_is_asked_of_its_own_connection_only(lives: list[LiveSource]) -> None:
    await found(lives, {"id": {"eq": order("con_b", "k1")}})
    await found(lives, {"vendorId": {"eq": vendor("con_b", "v1")}})
    assert asked(lives) == [False, True]


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        ({"eq": vendor("con_a", "v1")}, {("con_a", "k1")}),
        ({"in": [vendor("con_a", "v1"), vendor("con_b", "v2")]}, {("con_a", "k1"), ("con_b", "k2")}),
        ({"in": []}, set()),
        ({"eq": order("con_a", "v1")}, set()),
        ({"eq": "nonsense"}, set()),
        ({"ne": vendor("con_a", "v1")}, {("con_a", "k2"), ("con_b", "k1"), ("con_b", "k2")}),
        ({"notIn": [vendor("con_b", "v1")]}, {("con_a", "k1"), ("con_a", "k2"), ("con_b", "k2")}),
        ({"isNull": True}, both({"k3", "k6"})),
        ({"isNull": False}, both({"k1", "k2"})),
    ],
)
async def test_conditions_on_a_link(lives: list[LiveSource], condition: dict[str, Any], keys: set[Identity]) -> None:
    assert await found(lives, {"vendorId": condition}) == keys
    assert await found(lives, {"not": {"vendorId": condition}}) == both(SHOWN) - keys


async def test_the_key_in_the_system_is_sought_everywhere(lives: list[LiveSource]) -> None:
    assert await found(lives, {"remoteId": {"eq": "k1"}}) == both({"k1"})
    assert await found(lives, {"remoteId": {"contains": "K"}}) == both(SHOWN)
    assert await found(lives, {"remoteId": {"startsWith": "1"}}) == set()


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        ({}, SHOWN),
        ({"isDeleted": {"eq": True}}, {"k4", "k5"}),
        ({"isDeleted": {"eq": False}}, {"k6"}),
        ({"isDeleted": {"isNull": True}}, {"k1", "k2", "k3"}),
        ({"isDeleted": {"isNull": False}}, {"k4", "k5", "k6"}),
        ({"or": [{"isDeleted": {"eq": True}}, {"isDeleted": {"isNull": False}}, {}]}, {*SHOWN, "k4", "k5"}),
        ({"isDeleted": None}, SHOWN),
        ({"isDeleted": {}}, SHOWN),
        ({"status": {"eq": "CANCELED"}}, {"k4", "k6"}),
        ({"status": {"in": ["CANCELED", "DRAFT"]}}, {"k4", "k6"}),
        ({"status": {"eq": "ISSUED"}}, {"k1", "k2", "k3"}),
        ({"status": {"ne": "ISSUED"}}, {"k4", "k6"}),
        ({"status": {"ne": "CANCELED"}}, {"k1", "k2", "k3"}),
        ({"not": {"status": {"eq": "ISSUED"}}}, {"k4", "k6"}),
        ({"not": {"status": {"eq": "CANCELED"}}}, {"k1", "k2", "k3"}),
        ({"status": {"isNull": True}}, set()),
        ({"status": {"in": []}}, set()),
        ({"number": {"in": ["4", "5", "6"]}}, {"k6"}),
        ({"or": [{"status": {"eq": "CANCELED"}}, {"number": {"eq": "1"}}]}, {"k1", "k4", "k6"}),
        ({"not": {"number": {"eq": "4"}}}, SHOWN),
    ],
)
async def test_deleted_rows_are_hidden_unless_they_are_asked_for(
    lives: list[LiveSource], condition: dict[str, Any], keys: set[str]
) -> None:
    assert await found(lives, condition) == both(keys)


async def test_nothing_is_found_without_asking_anybody(lives: list[LiveSource]) -> None:
    assert await found(lives, {"number": {"in": []}}) == set()
    assert await found(lives, {"or": []}) == set()
    assert asked(lives) == [False, False]
