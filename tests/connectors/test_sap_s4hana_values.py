"""What S/4HANA does not say outright: who works on an order and how long, main addresses, and what is short."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.systems.sap_s4hana.partners import all_addresses, changed_at, contacts, main_address, of_main_address
from connectors.systems.sap_s4hana.stock import is_critical, is_short, lead_time
from connectors.systems.sap_s4hana.work import (
    assignees,
    started_at,
    superior,
    time_taken,
    total_hours,
    unit_cost,
    vendor,
)

NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
Rows = list[dict[str, Any]]


def operation(**values: Any) -> dict[str, Any]:
    names = ("work", "unit", "start", "end", "person", "supplier")
    return {**dict.fromkeys(names), "is_deleted": False, **values}


def test_hours_are_summed_where_all_are_known() -> None:
    one, other = operation(work=Decimal(2), unit="H"), operation(work=Decimal(30), unit="MIN")
    days, deleted = operation(work=Decimal(1), unit="TAG"), operation(work=Decimal(9), unit="H", is_deleted=True)
    assert total_hours([one, other, deleted]) == Decimal("2.5")
    assert total_hours([one, days]) is None
    assert total_hours([operation(work=Decimal(0), unit="H")]) is None
    assert total_hours([]) is None


def test_the_time_taken_is_known_when_all_operations_have_ended() -> None:
    early = operation(start=NOW.replace(hour=6), end=NOW.replace(hour=8, minute=30))
    late = operation(start=NOW.replace(hour=7), end=NOW.replace(hour=9, minute=45))
    assert started_at([late, early]) == NOW.replace(hour=6)
    assert time_taken([late, early]) == "PT3H45M"
    assert time_taken([early, operation(start=NOW)]) is None
    assert time_taken([early, operation(is_deleted=True)]) == "PT2H30M"
    assert time_taken([operation(start=NOW, end=NOW.replace(hour=1))]) is None
    assert time_taken([]) is None
    assert started_at([]) is None


def test_the_vendor_is_that_of_the_order_else_the_only_one_of_its_operations() -> None:
    operations = [operation(supplier="7"), operation(supplier="7"), operation(supplier="8", is_deleted=True)]
    assert vendor(operations, [{"function": "VN", "number": "9"}, {"function": "VW", "number": "1001"}]) == "9"
    assert vendor(operations, [{"function": "LF", "number": "9"}]) == "9"
    assert vendor(operations, []) == vendor(operations, None) == "7"
    assert vendor([*operations, operation(supplier="6")], []) is None
    assert vendor(None, None) is None


def test_everybody_who_works_is_named_once() -> None:
    operations = [operation(person="1001", supplier="7"), operation(person="1001"), operation(person="0")]
    found = assignees(operations, [{"function": "VN", "number": "7"}])
    assert [(item.remote_id, item.type.name) for item in found or () if item.type] == [
        ("1001", "PERSON"),
        ("7", "VENDOR"),
    ]
    assert assignees([operation()], []) is None


def test_an_order_that_leads_is_no_part_of_itself() -> None:
    assert superior("10", "10") is None
    assert superior("9", "10") == "9"
    assert superior(None, "10") is None


def test_a_price_is_that_of_one_and_zero_is_none() -> None:
    cost = unit_cost(Decimal(112), Decimal(100), "EUR")
    assert cost is not None
    assert (cost.amount, cost.currency) == (Decimal("1.12"), "EUR")
    assert unit_cost(Decimal(0), Decimal(1), "EUR") is unit_cost(Decimal(5), None, None) is None


def place(key: str, **values: Any) -> dict[str, Any]:
    names = ("street", "house", "line2", "city", "region", "postal_code", "country", "first", "last")
    return {**dict.fromkeys(names), "key": key, "city": f"Town {key}", **values}


STANDARD = [{"address": "2", "usage": "XXDEFAULT", "first": None, "last": None}]
ENDED = {"last": datetime(2025, 12, 31, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("usages", "addresses", "city"),
    [
        (STANDARD, [place("1"), place("2")], "Town 2"),
        (STANDARD, [place("1"), place("2", **ENDED)], "Town 1"),
        ([{**STANDARD[0], **ENDED}], [place("1"), place("2")], None),
        ([], [place("1")], "Town 1"),
        ([], [place("1"), place("2")], None),
        ([], [], None),
        (None, None, None),
    ],
)
def test_the_main_address_is_the_standard_one_or_the_only_one(usages: Any, addresses: Any, city: str | None) -> None:
    found = main_address(NOW, usages, addresses)
    assert (found.city if found else None) == city


def test_addresses_come_in_the_order_of_their_keys() -> None:
    found = all_addresses(NOW, [place("2"), place("1"), place("3", **ENDED), place("4", city=None)])
    assert [address.city for address in found or ()] == ["Town 1", "Town 2"]
    assert all_addresses(NOW, []) is None


def test_of_several_ways_to_reach_the_main_address_the_default_is_told() -> None:
    box = {"address": "1", "value": "a@x.example", "is_default": False}
    default, elsewhere = {**box, "value": "b@x.example", "is_default": True}, {**box, "address": "2"}
    assert of_main_address(NOW, [], [place("1")], [box, default, elsewhere]) == "b@x.example"
    assert of_main_address(NOW, [], [place("1")], [box]) == "a@x.example"
    assert of_main_address(NOW, [], [place("1")], [box, {**box, "value": "c@x.example"}]) is None
    assert of_main_address(NOW, [], [], [box]) is None


def test_contacts_are_those_of_today_and_the_salespeople_once() -> None:
    person = {"first": None, "last": None, "is_primary": True, "role": None, "department": "Sales", "phone": None}
    people: Rows = [{**person, "email": "a@x.example"}, {**person, "email": "b@x.example", "last": date(2026, 11, 19)}]
    desks: Rows = [
        {"name": "Order desk", "phone": "1"},
        {"name": "Order desk", "phone": "1"},
        {"name": None, "phone": "2"},
    ]
    found = contacts(NOW.date(), people, desks)
    assert [(item.name, item.role, item.email, item.is_primary) for item in found or ()] == [
        (None, "Sales", "a@x.example", True),
        ("Order desk", "Salesperson", None, None),
    ]
    assert contacts(NOW.date(), [], None) is None


def test_date_and_time_of_a_change_are_one_moment() -> None:
    row = {"day": date(2026, 6, 30), "time": "PT23H59M01S"}
    assert changed_at([row]) == datetime(2026, 6, 30, 23, 59, 1, tzinfo=UTC)
    assert changed_at([{**row, "day": None}]) is changed_at([]) is None
    with pytest.raises(ValueError, match="time of day"):
        changed_at([{**row, "time": "23:59"}])


def test_each_plant_is_held_against_its_own_reorder_point() -> None:
    stock = [
        {"plant": "1010", "amount": Decimal(5), "special": None},
        {"plant": "1010", "amount": Decimal(50), "special": "K"},
        {"plant": "1710", "amount": Decimal(500), "special": None},
    ]
    plants: Rows = [{"plant": "1010", "amount": Decimal(5)}, {"plant": "1020", "amount": Decimal(0)}]
    assert is_short(plants, stock) is False
    assert is_short([{"plant": "1010", "amount": Decimal(6)}], stock) is True
    assert is_short([*plants, {"plant": "1030", "amount": Decimal(1)}], stock) is True
    assert is_short([], stock) is is_short(plants[1:], stock) is is_short(plants, None) is None


def test_what_plants_say_of_a_product_together() -> None:
    assert lead_time([{"days": Decimal(7)}, {"days": Decimal(0)}, {"days": None}]) == 7
    assert lead_time([{"days": Decimal(7)}, {"days": Decimal(8)}]) is lead_time([]) is None
    assert is_critical([{"flag": False}, {"flag": True}]) is True
    assert is_critical([{"flag": False}]) is False
    assert is_critical([{"flag": None}]) is is_critical([]) is None
