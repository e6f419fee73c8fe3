"""The demo data of Odoo hang together: plant, maintenance, store and purchases tell one story."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import pytest

from connectors.sandbox.demo import demo_vendors
from connectors.systems.odoo.sandbox import USERS, demo_data, samples, sandbox
from tests.connectors.sandbox.odoo_plant import MODELS, Caller

Rows = dict[str, list[dict[str, Any]]]
TODAY = date(2026, 11, 20)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


@cache
def demo(currency: str = "EUR") -> Rows:
    return demo_data(7, today=TODAY, currency=currency)


def by_id(rows: Rows, model: str) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in rows[model]}


def lines_of(rows: Rows) -> dict[int, list[dict[str, Any]]]:
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in rows["purchase.order.line"]:
        if not line["display_type"]:
            found[line["order_id"]].append(line)
    return found


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_everything_named_is_there(currency: str) -> None:
    rows = demo(currency)
    ids = {model: {row["id"] for row in found} for model, found in rows.items()}
    followed: Counter[str] = Counter()
    for model, found in rows.items():
        assert len(ids[model]) == len(found), model
        for row in found:
            for name, value in row.items():
                field = MODELS[model].fields[name]
                if field.relation and value:
                    targets = value if field.is_many else [value]
                    assert set(targets) <= ids[field.relation], (model, row["id"], name)
                    followed[f"{model}.{name}"] += 1
    assert len(followed) > 60


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_every_value_is_one_of_its_field(currency: str) -> None:
    kinds: dict[str, tuple[type, ...]] = {
        **dict.fromkeys(("char", "text", "html", "selection"), (str,)),
        **dict.fromkeys(("float", "monetary"), (Decimal, int, float)),
        "properties": (list,),
        **dict.fromkeys(("one2many", "many2many"), (list,)),
        **dict.fromkeys(("integer", "many2one"), (int,)),
        "boolean": (bool,),
        "date": (date,),
        "datetime": (datetime,),
    }
    for model, found in demo(currency).items():
        for row in found:
            for name, value in row.items():
                field = MODELS[model].fields[name]
                assert field.store, f"{model}.{name} is computed"
                assert value is None or isinstance(value, kinds[field.type]), (model, name, value)
                if field.selection and value is not None:
                    assert value in field.selection, (model, name, value)


def test_required_fields_of_the_main_models_are_filled() -> None:
    rows = demo()
    for model in ("purchase.order", "maintenance.request", "maintenance.equipment", "stock.quant"):
        required = [field.name for field in MODELS[model].fields.values() if field.required and field.store]
        assert required
        for row in rows[model]:
            assert all(row.get(name) is not None for name in required), (model, row)


def test_counts() -> None:
    rows = demo()
    counted = ("purchase.order", "product.supplierinfo", "maintenance.equipment", "maintenance.request")
    assert [len(rows[name]) for name in counted] == [200, len(rows["product.supplierinfo"]), 80, 150]
    assert sum(bool(row["default_code"]) for row in rows["product.product"]) == 120
    assert sum(1 for row in rows["res.partner"] if row.get("is_company")) == 61
    small = demo_data(1, today=TODAY, orders=5, vendors=3, products=4, equipment=2, requests=3)
    assert [len(small[name]) for name in counted] == [5, len(small["product.supplierinfo"]), 2, 3]
    assert "purchase.order" not in demo_data(1, today=TODAY, orders=0, vendors=1, products=0, equipment=0, requests=0)
    with pytest.raises(ValueError, match="the words suffice for"):
        demo_data(1, products=5_000)
    with pytest.raises(KeyError):
        demo_data(1, currency="QQQ")


def test_the_same_seed_gives_the_same_rows() -> None:
    assert demo_data(7, today=TODAY) == demo()
    assert demo_data(8, today=TODAY) != demo()
    assert samples() == samples()


def test_shared_vendors_are_vendors_here_too() -> None:
    shared = demo_vendors(Random(3), "EU", 4)  # noqa: S311 - it invents data
    rows = demo_data(7, today=TODAY, shared_vendors=shared, vendors=10)
    companies = {row["name"]: row for row in rows["res.partner"] if row.get("is_company")}
    assert len(companies) == 11
    for vendor in shared:
        assert companies[vendor.name]["vat"] == vendor.vat_number
        assert companies[vendor.name]["city"] == vendor.city


def test_no_day_is_in_the_future_that_cannot_be() -> None:
    past = {"create_date", "write_date", "date_order", "date_approve", "effective_date", "in_date"}
    past |= {"close_date", "request_date", "invoice_date", "scrap_date"}
    for model, found in demo().items():
        for row in found:
            for name in past & set(row):
                if isinstance(row[name], datetime):
                    assert row[name] <= MIDNIGHT, (model, name, row)
                elif row[name] is not None:
                    assert row[name] <= TODAY, (model, name, row)
            if "write_date" in row:
                assert row["create_date"] <= row["write_date"], (model, row)


def test_orders_say_what_their_lines_say() -> None:
    rows = demo()
    lines = lines_of(rows)
    for order in rows["purchase.order"]:
        own = lines[order["id"]]
        assert own
        assert order["amount_total"] == sum(line["price_total"] for line in own)
        assert order["amount_untaxed"] == sum(line["price_subtotal"] for line in own)
        assert order["amount_untaxed"] + order["amount_tax"] == order["amount_total"]
        goods = [line for line in own if line["qty_received_method"] == "stock_moves"]
        assert all(0 <= line["qty_received"] <= line["product_qty"] for line in own)
        assert all(line["qty_invoiced"] <= line["qty_received"] for line in goods)
        if order["state"] != "purchase":
            assert (order["receipt_status"], order["invoice_status"], order["date_approve"]) == (None, "no", None)
        elif order["receipt_status"] == "full":
            assert all(line["qty_received"] == line["product_qty"] for line in goods)
        elif order["receipt_status"] == "pending":
            assert not any(line["qty_received"] for line in goods)
        assert bool(order["effective_date"]) == (order["receipt_status"] in ("partial", "full"))
        assert bool(order["invoice_ids"]) == any(line["qty_invoiced"] for line in own)


def test_orders_are_of_every_kind() -> None:
    orders = demo()["purchase.order"]
    assert {row["state"] for row in orders} == {"draft", "sent", "to approve", "purchase", "cancel"}
    assert {row["receipt_status"] for row in orders} == {None, "pending", "partial", "full"}
    assert {row["invoice_status"] for row in orders} == {"no", "to invoice", "invoiced"}
    assert sum(row["receipt_status"] == "pending" and row["date_planned"] < MIDNIGHT for row in orders) > 3
    kinds = {row["display_type"] for row in demo()["purchase.order.line"]}
    assert kinds == {None, "line_section", "line_note"}
    numbers = [row["name"] for row in orders]
    assert numbers == sorted(numbers)
    assert {row["parent_id"] for row in demo()["res.partner"] if row.get("parent_id")}


def test_bills_are_paid_due_and_overdue() -> None:
    bills = demo()["account.move"]
    assert {row["payment_state"] for row in bills} == {"paid", "not_paid"}
    assert all(
        row["amount_residual"] == (0 if row["payment_state"] == "paid" else row["amount_total"]) for row in bills
    )
    assert any(row["payment_state"] == "not_paid" and row["invoice_date_due"] < TODAY for row in bills)


def test_what_is_short_is_on_its_way() -> None:
    rows = demo()
    on_hand: Counter[int] = Counter()
    places = {row["id"] for row in rows["stock.location"] if row.get("warehouse_id") and row["usage"] == "internal"}
    for quant in rows["stock.quant"]:
        if quant["location_id"] in places:
            on_hand[quant["product_id"]] += quant["quantity"]
            assert 0 <= quant["reserved_quantity"] <= quant["quantity"]
    orders = by_id(rows, "purchase.order")
    coming = {
        line["product_id"]
        for line in rows["purchase.order.line"]
        if not line["display_type"]
        and orders[line["order_id"]]["receipt_status"] in ("pending", "partial")
        and line["qty_received"] < line["product_qty"]
    }
    rules = rows["stock.warehouse.orderpoint"]
    short = {rule["product_id"] for rule in rules if on_hand[rule["product_id"]] < rule["product_min_qty"]}
    assert 5 < len(short) < len(rules) / 2
    assert len(short & coming) > len(short) / 2
    assert short - coming
    assert len({quant["location_id"] for quant in rows["stock.quant"]}) >= 5
    assert sum(quant["quantity"] for quant in rows["stock.quant"]) == 0


def test_what_refills_is_bought_where_it_is_sold() -> None:
    rows = demo()
    templates = by_id(rows, "product.product")
    sellers = {(row["product_tmpl_id"], row["partner_id"]) for row in rows["product.supplierinfo"]}
    partners = by_id(rows, "res.partner")
    refills = {order["id"]: order for order in rows["purchase.order"] if order["origin"] == "Replenishment"}
    assert len(refills) > 5
    for line in rows["purchase.order.line"]:
        if line["order_id"] in refills and not line["display_type"]:
            vendor = partners[refills[line["order_id"]]["partner_id"]]["commercial_partner_id"]
            assert (templates[line["product_id"]]["product_tmpl_id"], vendor) in sellers


def test_requests_are_open_overdue_and_done() -> None:
    rows = demo()
    stages = by_id(rows, "maintenance.stage")
    machines = by_id(rows, "maintenance.equipment")
    counts: Counter[int] = Counter()
    open_counts: Counter[int] = Counter()
    for request in rows["maintenance.request"]:
        done = bool(stages[request["stage_id"]].get("done"))
        assert bool(request["close_date"]) == done
        assert request["schedule_date"] < request["schedule_end"]
        counts[request["equipment_id"]] += 1
        open_counts[request["equipment_id"]] += not done and not request["archive"]
        assert request["maintenance_team_id"] == machines[request["equipment_id"]]["maintenance_team_id"]
    for machine in machines.values():
        assert machine["maintenance_count"] == counts[machine["id"]]
        assert machine["maintenance_open_count"] == open_counts[machine["id"]]
    overdue = [r for r in rows["maintenance.request"] if not r["close_date"] and r["schedule_date"] < MIDNIGHT]
    ahead = [r for r in rows["maintenance.request"] if not r["close_date"] and r["schedule_date"] > MIDNIGHT]
    assert len(overdue) > 3
    assert len(ahead) > 3
    assert any(request["archive"] for request in rows["maintenance.request"])
    assert len({machine["serial_no"] for machine in machines.values()}) == len(machines)
    assert any(machine["scrap_date"] for machine in machines.values())


def test_orders_name_the_requests_that_they_are_for() -> None:
    rows = demo()
    requests = by_id(rows, "maintenance.request")
    named = [row["origin"] for row in rows["purchase.order"] if (row["origin"] or "").startswith("Maintenance request")]
    assert named
    assert all(requests[int(origin.split()[-1])]["close_date"] is None for origin in named)


async def test_every_model_of_the_samples_can_be_read() -> None:
    caller = Caller(sandbox(), key=USERS["switchgear"])
    found = {name: await caller.call(name, "search_read", fields=["display_name"]) for name in MODELS}
    assert {name for name, rows in found.items() if not rows} <= {
        *("mrp.production", "res.country.state", "stock.lot", "stock.move")
    }
    assert all(row["display_name"] for rows in found.values() for row in rows)
    everything = [caller.call(name, "search_read", limit=1) for name in ("purchase.order", "product.product")]
    assert all(await asyncio.gather(*everything))
