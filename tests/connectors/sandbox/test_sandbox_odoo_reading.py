"""Reading records: values, nested specifications, order, pages, and what rights and rules leave of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.sandbox.odoo_plant import Caller, plant

NESTED = {
    "name": {},
    "partner_id": {"fields": {"name": {}, "ref": {}}},
    "order_line": {"fields": {"name": {}, "product_id": {"fields": {"default_code": {}, "display_name": {}}}}},
}
BEARING = {"id": 41, "default_code": "BRG", "display_name": "[BRG] Bearing"}


async def test_values_as_they_are_written() -> None:
    names = ["name", "partner_id", "partner_ref", "date_order", "date_approve", "amount_total", "currency_rate"]
    names += ["receipt_status", "locked", "invoice_count", "order_line", "user_id", "note", "priority"]
    rows = await Caller().call("purchase.order", "search_read", fields=names, order="id", limit=2)
    assert rows[0] == {
        "id": 3,
        "name": "P00003",
        "partner_id": [7, "MÜLLER"],
        "partner_ref": "HP/17",
        "date_order": "2024-02-10 00:00:00",
        "date_approve": False,
        "amount_total": 833.52,
        "currency_rate": 0.0,
        "receipt_status": "partial",
        "locked": False,
        "invoice_count": 0,
        "order_line": [4, 3, 5],
        "user_id": [5, "Buyer"],
        "note": False,
        "priority": "0",
    }
    assert rows[1]["amount_total"] == 32480.0
    assert (rows[1]["user_id"], rows[1]["order_line"]) == (False, [])


async def test_numbers_as_text() -> None:
    answer = await Caller().post("purchase.order", "read", ids=[4], fields=["amount_total", "invoice_count"])
    assert '"amount_total": 32480.0' in answer.text
    assert '"invoice_count": 0' in answer.text
    answer = await Caller().post("purchase.order.line", "read", ids=[6], fields=["price_unit_discounted"])
    assert "5.33749995" in answer.text


async def test_dates_and_moments() -> None:
    caller = Caller()
    rows = await caller.call("maintenance.equipment", "read", ids=[1], fields=["warranty_date", "cost", "write_date"])
    assert rows == [{"id": 1, "warranty_date": "2024-03-04", "cost": 12.5, "write_date": "2024-01-01 00:00:00"}]


async def test_a_many2one_without_its_name() -> None:
    for load in ("", None):
        rows = await Caller().call("purchase.order", "search_read", fields=["partner_id"], order="id", load=load)
        assert rows[0] == {"id": 3, "partner_id": 7}


@pytest.mark.parametrize("fields", [[], None])
async def test_no_fields_are_all_fields(fields: Any) -> None:
    rows = await Caller().call("res.partner", "search_read", fields=fields, domain=[["id", "=", 7]])
    assert {"name", "display_name", "child_ids", "write_date"} <= set(rows[0])


@pytest.mark.parametrize(
    ("model", "number", "name"),
    [
        ("purchase.order", 3, "P00003 (HP/17)"),
        ("purchase.order", 4, "P00004"),
        ("product.product", 41, "[BRG] Bearing"),
        ("product.product", 42, "Advice"),
        ("res.partner", 10, "MÜLLER, Night desk"),
        ("maintenance.equipment", 1, "Pump/SN-1"),
        ("maintenance.equipment", 2, "Fan"),
        ("stock.location", 3, "WH/Stock/Shelf"),
        ("stock.quant", 2, "WH/Stock/Shelf"),
        ("res.country.state", 1, "Hesse (DE)"),
        ("stock.warehouse.orderpoint", 1, "stock.warehouse.orderpoint,1"),
    ],
)
async def test_names(model: str, number: int, name: str) -> None:
    assert (await Caller().call(model, "read", ids=[number], fields=["display_name"]))[0]["display_name"] == name


async def test_nested_in_one_call() -> None:
    found = await Caller().call(
        "purchase.order", "web_search_read", domain=[], specification=NESTED, order="id", limit=80
    )
    assert found["length"] == 3
    assert found["records"][0] == {
        "id": 3,
        "name": "P00003",
        "partner_id": {"id": 7, "name": "MÜLLER", "ref": "V-1"},
        "order_line": [
            {"id": 4, "name": "a", "product_id": False},
            {"id": 3, "name": "b", "product_id": BEARING},
            {"id": 5, "name": "c", "product_id": {"id": 42, "default_code": False, "display_name": "Advice"}},
        ],
    }
    assert found["records"][2]["partner_id"]["name"] == "Gießerei Émile"


async def test_what_a_specification_may_say() -> None:
    caller = Caller()

    async def lines(**nested: Any) -> Any:
        answer = await caller.call("purchase.order", "web_read", ids=[3], specification={"order_line": nested})
        return answer[0]["order_line"]

    assert await lines() == [4, 3, 5]
    assert await lines(fields={}) == [{"id": 4}, {"id": 3}, {"id": 5}]
    assert await lines(fields={"name": {}}, limit=1) == [{"id": 4, "name": "a"}, {"id": 3}, {"id": 5}]
    assert await lines(fields={}, order="name desc") == [{"id": 5}, {"id": 3}, {"id": 4}]
    assert await lines(order="id") == [3, 4, 5]
    bare = await caller.call("purchase.order", "web_read", ids=[3], specification={"partner_id": {}, "user_id": {}})
    assert bare == [{"id": 3, "partner_id": 7, "user_id": 5}]


@pytest.mark.parametrize(
    ("arguments", "length"),
    [
        ({}, 3),
        ({"limit": 0}, 3),
        ({"limit": 2}, 3),
        ({"limit": 80}, 3),
        ({"limit": 2, "offset": 2}, 3),
        ({"limit": 1, "offset": 1}, 3),
        ({"limit": 1, "count_limit": 2}, 2),
        ({"limit": 1, "count_limit": 9}, 3),
        ({"limit": 2, "count_limit": 2}, 2),
        ({"limit": 2, "count_limit": 1}, 2),
        ({"offset": 3}, 0),
        ({"offset": 9, "limit": 1}, 0),
    ],
)
async def test_how_many_there_are(arguments: dict[str, int], length: int) -> None:
    found = await Caller().call(
        "purchase.order", "web_search_read", domain=[], specification={}, order="id", **arguments
    )
    assert found["length"] == length


async def test_counts() -> None:
    caller = Caller()
    assert await caller.call("purchase.order", "search_count", domain=[]) == 3
    assert await caller.call("purchase.order", "search_count", domain=[], limit=2) == 2
    assert await caller.call("res.partner", "search_count", domain=[["parent_id", "=", 7]]) == 1


async def test_archived_records_below_another() -> None:
    caller = Caller()
    asked = {"ids": [7], "specification": {"child_ids": {}}}
    assert (await caller.call("res.partner", "web_read", **asked))[0]["child_ids"] == [10]
    context = {"active_test": False}
    assert (await caller.call("res.partner", "web_read", **asked, context=context))[0]["child_ids"] == [10, 11]
    rows = await caller.call("maintenance.request", "read", ids=[2], fields=["equipment_id"])
    assert rows[0]["equipment_id"] == [2, "Fan"]


async def test_missing_ids_are_left_out() -> None:
    assert [row["id"] for row in await Caller().call("purchase.order", "read", ids=[5, 99, 3], fields=["name"])] == [
        5,
        3,
    ]


@pytest.mark.parametrize("name", ["nope", "partner_id.name", "order_line.name", ""])
async def test_names_of_fields_that_do_not_exist(name: str) -> None:
    caller = Caller()
    expected = (500, "ValueError", f"Invalid field '{name}' on 'purchase.order'")
    assert await caller.refused("purchase.order", "search_read", fields=[name]) == expected
    assert await caller.refused("purchase.order", "read", ids=[3], fields=[name]) == expected
    refused = await caller.refused("purchase.order", "web_search_read", domain=[], specification={name: {}})
    assert refused == expected
    nested: Any = {"order_line": {"fields": {"order_id": {"fields": {name: {}}}}}}
    assert await caller.refused("purchase.order", "web_search_read", domain=[], specification=nested) == expected


@pytest.mark.parametrize(
    ("model", "order", "ids"),
    [
        ("purchase.order", "name", [3, 4, 5]),
        ("purchase.order", "name desc", [5, 4, 3]),
        ("purchase.order", "date_planned, id", [5, 3, 4]),
        ("purchase.order", "date_planned desc, id", [4, 3, 5]),
        ("purchase.order", "date_planned nulls first", [4, 5, 3]),
        ("purchase.order", "date_planned DESC NULLS Last", [3, 5, 4]),
        ("purchase.order", " state  ASC , id DESC ", [4, 5, 3]),
        ("purchase.order", "locked desc, id", [5, 3, 4]),
        ("purchase.order", "amount_total", [5, 3, 4]),
        ("purchase.order", "partner_id", [5, 3, 4]),
        ("purchase.order", "partner_id desc", [4, 3, 5]),
        ("purchase.order", "user_id", [3, 5, 4]),
        ("purchase.order", "user_id desc", [4, 5, 3]),
        ("purchase.order", "currency_id, id", [3, 5, 4]),
        ("purchase.order", None, [4, 5, 3]),
        ("purchase.order", "", [4, 5, 3]),
        ("maintenance.request", None, [3, 2, 1]),
        ("maintenance.request", "equipment_id, id", [1, 2, 3]),
        ("maintenance.request", "equipment_id desc", [3, 2, 1]),
        ("maintenance.request", "stage_id", [1, 2, 3]),
        ("maintenance.request", "priority desc, id", [1, 3, 2]),
        ("product.product", "name", [42, 41]),
        ("res.partner", "complete_name", [9, 1, 7, 10]),
        ("res.partner", "ref, id", [7, 9, 1, 10]),
        ("stock.location", "complete_name", [5, 1, 2, 3, 4]),
    ],
)
async def test_order(model: str, order: str | None, ids: list[int]) -> None:
    assert await Caller().call(model, "search", domain=[], order=order) == ids


async def test_what_an_order_does_not_tell_apart_comes_in_any_order() -> None:
    caller = Caller()
    found = {tuple(await caller.call("purchase.order", "search", domain=[], order="company_id")) for _ in range(20)}
    assert len(found) > 1
    assert {tuple(sorted(each)) for each in found} == {(3, 4, 5)}


@pytest.mark.parametrize(
    ("order", "status", "name", "message"),
    [
        ("nope", 500, "ValueError", "Invalid field 'nope' on model 'purchase.order'"),
        ("partner_id.name", 500, "ValueError", "Invalid field property 'name' on purchase.order.partner_id"),
        ("order_line", 500, "ValueError", "Cannot convert purchase.order.order_line to SQL because it is not stored"),
        ("display_name", 500, "ValueError", "Cannot convert purchase.order.display_name to SQL"),
        ("is_late", 500, "ValueError", "Cannot convert purchase.order.is_late to SQL"),
        ("name up", 422, "UserError", 'Invalid "order" specified (name up)'),
        ("name,", 422, "UserError", 'Invalid "order" specified (name,)'),
        ("-name", 422, "UserError", 'Invalid "order" specified (-name)'),
        ("name desc asc", 422, "UserError", 'Invalid "order" specified'),
        (["name"], 422, "UserError", 'Invalid "order" specified'),
    ],
)
async def test_orders_that_odoo_refuses(order: Any, status: int, name: str, message: str) -> None:
    found = await Caller().refused("purchase.order", "search", domain=[], order=order)
    assert found[:2] == (status, name)
    assert found[2].startswith(message)


@pytest.mark.parametrize(
    ("context", "on_hand", "free"),
    [
        ({}, 6.5, 4.5),
        ({"location": 4}, 48.0, 48.0),
        ({"location": [3, 4]}, 49.5, 49.5),
        ({"location_id": 4}, 6.5, 4.5),
        ({"warehouse_id": 1}, 6.5, 4.5),
    ],
)
async def test_quantities_count_the_stock_of_warehouses(context: dict[str, Any], on_hand: float, free: float) -> None:
    names = ["qty_available", "free_qty", "incoming_qty", "virtual_available", "reordering_min_qty"]
    found = await Caller().call("product.product", "read", ids=[41], fields=names, context=context)
    assert found == [
        {
            "id": 41,
            "qty_available": on_hand,
            "free_qty": free,
            "incoming_qty": 4.0,
            "virtual_available": on_hand + 4,
            "reordering_min_qty": 20.0,
        }
    ]


async def test_quantities_of_rules_and_quants() -> None:
    caller = Caller()
    names = ["qty_on_hand", "qty_forecast", "qty_to_order"]
    rule = (await caller.call("stock.warehouse.orderpoint", "read", ids=[1], fields=names))[0]
    assert rule == {"id": 1, "qty_on_hand": 6.5, "qty_forecast": 10.5, "qty_to_order": 19.5}
    quant = await caller.call("stock.quant", "read", ids=[1], fields=["available_quantity", "product_uom_id", "value"])
    assert quant == [{"id": 1, "available_quantity": 3.0, "product_uom_id": [1, "Units"], "value": 25.625}]


async def test_what_is_not_computed_is_not_guessed() -> None:
    caller = Caller()
    assert (await caller.post("purchase.order", "read", ids=[3], fields=["on_time_rate"])).status_code == 501


async def test_no_right_to_what_a_call_nests() -> None:
    caller = Caller(plant(rights={"limited": ["purchase.order", "purchase.order.line"]}), key="limited-key")

    async def status(**specification: Any) -> int:
        asked = {"domain": [], "specification": specification}
        return (await caller.post("purchase.order", "web_search_read", **asked)).status_code

    assert await status(partner_id={}) == 200
    assert await status(partner_id={"fields": {"display_name": {}}}) == 200
    assert await status(partner_id={"fields": {"name": {}}}) == 403
    assert await status(partner_id={"fields": {"display_name": {}, "ref": {}}}) == 403
    assert await status(order_line={"fields": {"product_id": {"fields": {"default_code": {}}}}}) == 403
    assert await status(order_line={"fields": {"product_id": {"fields": {"display_name": {}}}}}) == 200
    assert await status(invoice_ids={}) == 403
    _, name, message = await caller.refused("purchase.order", "read", ids=[3], fields=["invoice_ids"])
    assert name == "AccessError"
    assert message.startswith("Failed to read field purchase.order.invoice_ids\nYou are not allowed to access")
    rows = await caller.call("purchase.order", "search_read", domain=[["id", "=", 3]], fields=["partner_id"])
    assert rows[0]["partner_id"] == [7, "MÜLLER"]
    assert (await caller.post("purchase.order", "search", domain=[["partner_id.ref", "=", "x"]])).status_code == 403


async def test_rules_hide_records() -> None:
    rules = {"limited": {"maintenance.equipment": [["id", "!=", 2]], "maintenance.request": [["id", "<", 3]]}}
    caller = Caller(plant(rules=rules), key="limited-key")
    assert await caller.ids("maintenance.request", []) == [1, 2]
    assert await caller.ids("maintenance.request", [["equipment_id.name", "=", "Fan"]]) == []
    assert await caller.call("maintenance.request", "has_access", operation="read") is True
    assert await caller.call("maintenance.request", "has_access", operation="read", ids=[3]) is False
    status, name, message = await caller.refused("maintenance.request", "read", ids=[1, 3], fields=["name"])
    assert (status, name) == (403, "AccessError")
    assert "(maintenance.request)" in message
    nested = {"domain": [], "specification": {"equipment_id": {"fields": {"name": {}}}}}
    assert (await caller.post("maintenance.request", "web_search_read", **nested)).status_code == 403
    named = {"domain": [], "specification": {"equipment_id": {"fields": {"display_name": {}}}}}
    found = await caller.call("maintenance.request", "web_search_read", **named)
    assert found["records"][0]["equipment_id"] == {"id": 2, "display_name": "Fan"}


async def test_companies_narrow_what_is_seen() -> None:
    application = plant()
    application.data["res.company"].append({"id": 2, "name": "Other", "currency_id": 25})
    application.data["purchase.order"].append({"id": 6, "name": "P6", "company_id": 2})
    caller = Caller(application)
    assert await caller.ids("purchase.order", []) == [3, 4, 5, 6]
    assert await caller.ids("purchase.order", [], context={"allowed_company_ids": [2]}) == [6]
    assert await caller.ids("purchase.order", [], context={"allowed_company_ids": []}) == [3, 4, 5, 6]
    assert 7 in await caller.ids("res.partner", [], context={"allowed_company_ids": [2]})
    asked = {"ids": [41], "fields": ["currency_id"]}
    assert (await caller.call("product.product", "read", **asked))[0]["currency_id"] == [125, "EUR"]
    found = await caller.call("product.product", "read", **asked, context={"allowed_company_ids": [2]})
    assert found[0]["currency_id"] == [25, "JPY"]
