"""What Tryton does not say outright is worked out here, and says nothing where nothing is known."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.systems.tryton.values import all_counted, cost, counted, hours, identifier, only, total, used
from schema.scalars import Currency
from schema.values import Money


def amounts(*found: str | None) -> list[dict[str, Any]]:
    return [{"amount": None if text is None else Decimal(text)} for text in found]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("131.50799999999998", "131.508"),
        ("0.30000000000000004", "0.3"),
        ("299999999999999.97", "300000000000000"),
        ("-5.999999999999999", "-6"),
        ("33.333", "33.333"),
        ("12.0", "12.0"),
        ("0", "0"),
    ],
)
def test_noise_of_binary_numbers_is_no_part_of_a_count(written: str, meant: str) -> None:
    assert f"{counted(Decimal(written))}" == meant


def test_nothing_counted_is_null_and_nothing_there_is_zero() -> None:
    assert counted(None) is None
    assert all_counted([]) == total([]) == 0
    assert total(amounts("1.5", None, "2")) == Decimal("3.5")


def test_only_one_order_point_tells_a_limit() -> None:
    assert only(amounts("20")) == 20
    assert only(amounts(None)) is only([]) is only(amounts("2", "1")) is None


def test_the_cost_of_one_company_is_known() -> None:
    row = {"amount": Decimal("6.1250"), "currency": "EUR"}
    assert cost([row]) == Money(amount=Decimal("6.1250"), currency=Currency("EUR"))
    assert cost([row | {"currency": None}]) == Money(amount=Decimal("6.1250"), currency=None)
    assert cost([row, row]) is cost([]) is cost([row | {"amount": None}]) is None


def test_the_first_identifier_of_a_kind_is_taken() -> None:
    rows = [{"kind": "mpn", "code": "6204-2RS"}, {"kind": "ean", "code": "4006381333931"}, {"kind": "mpn", "code": "B"}]
    assert identifier("mpn")(rows) == "6204-2RS"
    assert identifier("isbn")(rows) is None


def test_hours_of_cycles_add_up() -> None:
    spans = [timedelta(hours=1, minutes=30), None, timedelta(minutes=15)]
    assert hours([{"span": span} for span in spans]) == Decimal("1.75")
    assert hours([{"span": None}]) is hours([]) is None


@pytest.mark.parametrize(("state", "meant"), [("done", "0.75"), ("assigned", "0"), ("cancelled", "0")])
def test_material_is_used_once_it_has_moved(state: str, meant: str) -> None:
    assert used(state, Decimal("0.75")) == Decimal(meant)
    assert used(state, None) is used(None, Decimal("0.75")) is None
