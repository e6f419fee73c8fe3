"""The gateway answers from a real Odoo, and every value is held against Odoo's own answer."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.query import Compare, Comparison
from connectors.systems.odoo import spec
from schema.vendors import Vendor
from tests.gateway.running import RunningGateway, running_gateway
from tests.real.gateway import connect, odoo_answers, over_odoo
from tests.real.odoo.recorder import Asked, Recorder
from tests.real.odoo.server import Odoo
from tests.real.odoo_comparisons import (
    LINE_FIELDS,
    by_key,
    compare_asset,
    compare_item,
    compare_line,
    compare_order,
    compare_stock,
    compare_vendor,
    compare_work,
    key,
)
from tests.real.odoo_questions import (
    ASSETS,
    ITEMS,
    LINES,
    ORDERS,
    VENDORS,
    WORK_ORDERS,
    page,
    rows,
)

pytestmark = pytest.mark.real

Row = dict[str, Any]


@pytest.fixture
def recorded(odoo: Odoo) -> Iterator[Recorder]:
    with odoo.recording() as recorder:
        yield recorder


@pytest.fixture
async def gateway(tmp_path: Path, odoo: Odoo, recorded: Recorder) -> AsyncIterator[RunningGateway]:
    async with over_odoo(tmp_path, odoo, recorded.url) as running:
        recorded.requests.clear()
        yield running


def asked(recorded: Recorder) -> Counter[str]:
    return Counter(item.model for item in recorded.requests)


class TestRecords:
    async def test_orders_are_as_odoo_itself_has_them(self, gateway: RunningGateway, odoo: Odoo) -> None:
        found = await rows(gateway, ORDERS, first=200)
        fields = [
            "name",
            "state",
            "partner_id",
            "partner_ref",
            "date_order",
            "date_planned",
            "currency_id",
            "company_id",
        ]
        fields += ["amount_total", "amount_untaxed", "amount_tax", "write_date", "create_date", "order_line"]
        own = by_key(odoo.rows("purchase.order", [], [*fields, "payment_term_id", "incoterm_id"]))
        lines = by_key(odoo.rows("purchase.order.line", [], LINE_FIELDS))
        assert set(found) == set(own)
        assert len(own) >= 40
        for remote_id, row in found.items():
            compare_order(row, own[remote_id])
            for ours, line in zip(row["lines"]["nodes"], own[remote_id]["order_line"], strict=True):
                compare_line(ours, lines[str(line)])

    async def test_work_orders_are_as_odoo_itself_has_them(self, gateway: RunningGateway, odoo: Odoo) -> None:
        found = await rows(gateway, WORK_ORDERS, filter={"isDeleted": {"isNull": False}})
        fields = ["name", "maintenance_type", "archive", "stage_id", "kanban_state", "done", "schedule_date", "user_id"]
        fields += ["schedule_end", "equipment_id", "owner_user_id", "maintenance_team_id", "write_date", "priority"]
        own = by_key(odoo.rows("maintenance.request", [], fields))
        assert set(found) == set(own)
        for remote_id, row in found.items():
            compare_work(row, own[remote_id])

    async def test_archived_requests_are_left_out_unless_asked_for(self, gateway: RunningGateway, odoo: Odoo) -> None:
        archived = by_key(odoo.rows("maintenance.request", [["archive", "=", True]], ["name"]))
        assert archived
        assert not set(archived) & set(await rows(gateway, WORK_ORDERS))
        assert set(await rows(gateway, WORK_ORDERS, filter={"status": {"eq": "CANCELED"}})) == set(archived)

    async def test_assets_are_as_odoo_itself_has_them(self, gateway: RunningGateway, odoo: Odoo) -> None:
        found = await rows(gateway, ASSETS)
        fields = ["name", "model", "serial_no", "partner_ref", "partner_id", "effective_date", "scrap_date", "active"]
        own = by_key(odoo.rows("maintenance.equipment", [], [*fields, "warranty_date", "cost", "category_id"]))
        assert set(found) == set(own)
        for remote_id, row in found.items():
            compare_asset(row, own[remote_id])

    async def test_vendors_are_whoever_was_bought_from(self, gateway: RunningGateway, odoo: Odoo) -> None:
        found = await rows(gateway, VENDORS)
        domain = ["|", ["supplier_rank", ">", 0], ["purchase_line_ids", "!=", False]]
        fields = ["ref", "complete_name", "is_company", "active", "vat", "email", "phone", "website", "street"]
        fields.append("street2")
        own = by_key(odoo.rows("res.partner", domain, [*fields, "city", "zip", "country_id", "child_ids"]))
        people = by_key(odoo.rows("res.partner", [["type", "=", "contact"]], ["name"]))
        assert set(found) == set(own)
        for remote_id, row in found.items():
            compare_vendor(row, own[remote_id])
            below = [people[str(child)]["name"] for child in own[remote_id]["child_ids"] if str(child) in people]
            assert [item["name"] for item in row["contacts"]] == below

    async def test_items_are_as_odoo_itself_has_them(self, gateway: RunningGateway, odoo: Odoo) -> None:
        found = await rows(gateway, ITEMS)
        fields = [
            "default_code",
            "name",
            "uom_id",
            "barcode",
            "categ_id",
            "standard_price",
            "tracking",
            "active",
            "type",
        ]
        own = by_key(odoo.rows("product.product", [], [*fields, "reordering_min_qty", "nbr_reordering_rules"]))
        inside = ["location_id.usage", "in", ["internal", "transit"]]
        quants = odoo.rows(
            "stock.quant", [inside], ["product_id", "location_id", "lot_id", "quantity", "reserved_quantity"]
        )
        assert set(found) == set(own)
        for remote_id, row in found.items():
            compare_item(row, own[remote_id])
            compare_stock(row, [quant for quant in quants if key(quant["product_id"]) == remote_id])


class TestLinks:
    async def test_a_page_of_orders_reads_its_vendors_and_items_in_one_call_each(
        self, gateway: RunningGateway, recorded: Recorder
    ) -> None:
        found = await page(gateway, ORDERS, first=200)
        assert asked(recorded) == {"purchase.order": 1, "res.partner": 1, "product.product": 1}
        assert found["sources"][0]["upstreamCalls"] == len(recorded.requests)

    async def test_every_vendor_of_an_order_is_found(self, gateway: RunningGateway, odoo: Odoo) -> None:
        """A contact below a company, one whom no bill has ranked yet, and an archived one too."""
        found = await rows(gateway, ORDERS, first=200)
        vendors = {row["vendor"]["name"] for row in found.values()}
        assert {"Hydra Pumps B.V., Night desk", "Bought from but not ranked", "Altmetall Vogt"} <= vendors

    async def test_assets_have_their_work_and_work_has_its_asset(
        self, gateway: RunningGateway, odoo: Odoo, recorded: Recorder
    ) -> None:
        found = await rows(gateway, ASSETS)
        assert asked(recorded) == {"maintenance.equipment": 1, "res.partner": 1, "maintenance.request": 1}
        open_work = odoo.rows("maintenance.request", [["archive", "=", False]], ["equipment_id"])
        for remote_id, row in found.items():
            own = {str(work["id"]) for work in open_work if key(work["equipment_id"]) == remote_id}
            assert {work["remoteId"] for work in row["workOrders"]["nodes"]} == own
        recorded.requests.clear()
        await rows(gateway, WORK_ORDERS)
        assert asked(recorded) == {"maintenance.request": 1, "maintenance.equipment": 1}

    async def test_vendors_have_their_orders(self, gateway: RunningGateway, odoo: Odoo, recorded: Recorder) -> None:
        found = await rows(gateway, VENDORS)
        assert asked(recorded) == {"res.partner": 1, "purchase.order": 1}
        orders = odoo.rows("purchase.order", [], ["partner_id"])
        for remote_id, row in found.items():
            own = {str(order["id"]) for order in orders if key(order["partner_id"]) == remote_id}
            assert {order["remoteId"] for order in row["purchaseOrders"]["nodes"]} == own

    async def test_stock_is_read_beside_all_items_at_once(self, gateway: RunningGateway, recorded: Recorder) -> None:
        await rows(gateway, ITEMS)
        beside = {"stock.quant": 1, "stock.warehouse.orderpoint": 1, "stock.move": 1}
        assert asked(recorded) == {"product.product": 1, **beside}


class TestQuestions:
    async def test_a_filter_is_pushed_down(self, gateway: RunningGateway, recorded: Recorder, odoo: Odoo) -> None:
        wanted = {"status": {"eq": "ISSUED"}, "orderDate": {"gte": "2024-02-10"}, "total": {"amount": {"gt": "500"}}}
        found = await page(gateway, ORDERS, first=200, filter=wanted)
        domain = [["state", "=", "purchase"], ["date_order", ">=", "2024-02-10 00:00:00"], ["amount_total", ">", 500]]
        own = by_key(odoo.rows("purchase.order", domain, []))
        assert {row["remoteId"] for row in found["nodes"]} == set(own) != set()
        assert found["sources"][0]["filteredHere"] == []
        sent = domain_of(recorded.requests[0])
        assert ["state", "in", ["purchase"]] in sent
        assert ["date_order", ">=", "2024-02-10"] in sent
        assert ["amount_total", ">", "500"] in sent

    async def test_a_day_is_the_same_wherever_the_user_lives(self, gateway: RunningGateway, odoo: Odoo) -> None:
        wanted = {"orderDate": {"lte": "2024-02-10"}}
        before = await rows(gateway, ORDERS, first=200, filter=wanted)
        (user,) = odoo.rows("res.users", [["login", "=", "switchgear"]], ["tz"])
        odoo.ask("res.users", "write", ids=[user["id"]], vals={"tz": "America/Los_Angeles"})
        try:
            assert await rows(gateway, ORDERS, first=200, filter=wanted) == before
        finally:
            odoo.ask("res.users", "write", ids=[user["id"]], vals={"tz": user["tz"]})

    async def test_text_with_every_strange_sign_is_found(self, gateway: RunningGateway, recorded: Recorder) -> None:
        found = await rows(gateway, VENDORS, filter={"name": {"contains": "100%_PURE\\fine"}})
        assert [row["number"] for row in found.values()] == ["V-2"]
        assert ["complete_name", "ilike", "100\\%\\_PURE\\\\fine"] in domain_of(recorded.requests[0])

    @pytest.mark.parametrize(("field", "order"), [("UPDATED_AT", "write_date"), ("TOTAL", "amount_total")])
    @pytest.mark.parametrize("direction", ["ASC", "DESC"])
    async def test_pages_follow_an_order_that_odoo_makes(
        self, gateway: RunningGateway, recorded: Recorder, odoo: Odoo, field: str, order: str, direction: str
    ) -> None:
        keys: list[str] = []
        after = None
        while True:
            found = await page(
                gateway, ORDERS, first=10, after=after, orderBy=[{"field": field, "direction": direction}]
            )
            keys += [row["remoteId"] for row in found["nodes"]]
            if not found["pageInfo"]["hasNextPage"]:
                break
            after = found["pageInfo"]["endCursor"]
        values = {str(row["id"]): row[order] for row in odoo.rows("purchase.order", [], [order])}
        assert sorted(keys, key=int) == sorted(values, key=int)
        sorted_values = [values[remote_id] for remote_id in keys]
        assert sorted_values == sorted(sorted_values, reverse=direction == "DESC")
        questions = [item for item in recorded.requests if item.model == "purchase.order"]
        assert 5 <= len(questions) <= 6
        assert all(item.arguments["order"].startswith(f"{order} {direction.lower()}") for item in questions)
        assert all(item.arguments["limit"] <= 40 for item in questions)

    async def test_what_is_short_is_found(self, gateway: RunningGateway, recorded: Recorder, odoo: Odoo) -> None:
        found = await page(gateway, ITEMS, filter={"isBelowMinimum": {"eq": True}})
        rules = odoo.rows("stock.warehouse.orderpoint", [], ["product_id", "qty_on_hand", "product_min_qty"])
        short = {key(rule["product_id"]) for rule in rules if rule["qty_on_hand"] < rule["product_min_qty"]}
        assert {row["remoteId"] for row in found["nodes"]} == short != set()
        assert found["sources"][0]["filteredHere"] == ["isBelowMinimum"]
        assert ["orderpoint_ids", "!=", False] in domain_of(recorded.requests[0])

    async def test_what_is_late_is_found(self, gateway: RunningGateway, recorded: Recorder, odoo: Odoo) -> None:
        found = await page(gateway, WORK_ORDERS, filter={"isOverdue": {"eq": True}})
        domain = [["archive", "=", False], ["done", "=", False], ["schedule_end", "<", "2026-01-01 00:00:00"]]
        assert {row["remoteId"] for row in found["nodes"]} == set(by_key(odoo.rows("maintenance.request", domain, [])))
        assert found["nodes"]
        assert found["sources"][0]["filteredHere"] == ["isOverdue"]
        assert ["done", "=", True] in domain_of(recorded.requests[0])

    async def test_days_are_asked_for_as_days(self, gateway: RunningGateway, recorded: Recorder, odoo: Odoo) -> None:
        wanted = {"reportedAt": {"gte": "2024-02-03T12:00:00Z", "lt": "2024-03-05T00:00:00Z"}}
        found = await page(gateway, WORK_ORDERS, filter=wanted, orderBy=[{"field": "REPORTED_AT"}])
        domain = [["request_date", ">", "2024-02-03"], ["request_date", "<", "2024-03-05"], ["archive", "=", False]]
        own = odoo.rows("maintenance.request", domain, ["request_date"])
        days = {str(row["id"]): f"{row['request_date']}T00:00:00Z" for row in own}
        assert {row["remoteId"]: row["reportedAt"] for row in found["nodes"]} == days
        assert [row["reportedAt"] for row in found["nodes"]] == sorted(days.values())
        assert found["sources"][0]["filteredHere"] == []
        assert recorded.requests[0].arguments["order"].startswith("request_date asc")


class TestRights:
    async def test_a_missing_right_is_told_of_one_kind_of_record_and_the_rest_is_there(
        self, gateway: RunningGateway, odoo: Odoo
    ) -> None:
        with odoo.without_right_to_read("maintenance.request"):
            refused = await page(gateway, WORK_ORDERS)
            assets = await page(gateway, "{ found: assets(first: 5) { nodes { name } isComplete } }")
        (source,) = refused["sources"]
        assert (source["status"], source["error"]["code"]) == ("PERMISSION_DENIED", "UPSTREAM_PERMISSION_DENIED")
        assert (refused["nodes"], refused["isComplete"]) == ([], False)
        assert (len(assets["nodes"]), assets["isComplete"]) == (5, True)

    async def test_a_user_without_rights_in_purchasing_has_the_rest(self, tmp_path: Path, odoo: Odoo) -> None:
        async with running_gateway(tmp_path) as gateway:
            payload = await connect(gateway, "odoo", "api_key", odoo_answers(odoo, odoo.url, "technician"))
            assert payload["errors"] == []
            orders, vendors = await page(gateway, ORDERS, first=5), await page(gateway, VENDORS)
            items, work = await page(gateway, ITEMS), await rows(gateway, WORK_ORDERS)
        assert orders["sources"][0]["status"] == "PERMISSION_DENIED"
        assert len(vendors["nodes"]) > 10
        assert items["isComplete"] is True
        for item in items["nodes"]:
            gaps = {gap["path"]: gap["reason"] for gap in item["meta"]["missing"]}
            assert item["onHand"] is not None
            for path in ("onOrder", "minimum", "maximum", "reorderPoint"):
                assert (item[path], gaps[path]) == (None, "NOT_PERMITTED")
        assert 0 < len(work) < 25  # no error: Odoo shows only those that concern the user

    async def test_stock_that_may_not_be_read_is_null_and_says_why(self, gateway: RunningGateway, odoo: Odoo) -> None:
        with odoo.without_right_to_read("stock.quant"):
            found = await rows(gateway, ITEMS)
        for item in found.values():
            gaps = {gap["path"]: gap["reason"] for gap in item["meta"]["missing"]}
            assert gaps["onHand"] == gaps["stockLevels"] == "NOT_PERMITTED"
            assert item["onOrder"] is not None

    async def test_lines_are_there_without_the_right_to_read_products(
        self, gateway: RunningGateway, odoo: Odoo
    ) -> None:
        """But not what stands on the product alone: Odoo refuses a question that asks for it as a whole."""
        with odoo.without_right_to_read("product.product"):
            found = await page(gateway, LINES)
            refused = await page(gateway, LINES.replace("description", "description itemNumber"))
        lines = [line for row in found["nodes"] for line in row["lines"]["nodes"]]
        assert {line["type"] for line in lines} == {"GOODS", "SERVICE", "TEXT"}
        assert all(line["item"] is None and line["description"] for line in lines)
        assert found["nodes"][1]["meta"]["missing"] == [{"path": "lines.item", "reason": "NOT_PERMITTED"}]
        assert refused["sources"][0]["status"] == "PERMISSION_DENIED"

    async def test_a_key_that_has_expired_asks_for_a_new_authorization(
        self, gateway: RunningGateway, odoo: Odoo
    ) -> None:
        assert (await page(gateway, ORDERS, first=5))["isComplete"]
        with odoo.key_expired("switchgear"):
            refused = await page(gateway, ORDERS, first=5)
        (source,) = refused["sources"]
        assert (source["status"], source["error"]["code"]) == ("REAUTHORIZATION_REQUIRED", "REAUTHORIZATION_REQUIRED")
        assert source["error"]["remediation"]
        assert (await page(gateway, ORDERS, first=5))["isComplete"]


class TestConnecting:
    @pytest.mark.parametrize("key", ["expired", "wrong"])
    async def test_a_bad_key_is_refused_and_nothing_is_kept(self, tmp_path: Path, odoo: Odoo, key: str) -> None:
        async with running_gateway(tmp_path) as gateway:
            wrong = odoo_answers(odoo, odoo.url) | {"apiKey": odoo.keys.get(key, "0" * 40)}
            payload = await connect(gateway, "odoo", "api_key", wrong)
            assert payload["errors"][0]["code"] == "CREDENTIALS_REJECTED"
            assert payload["connection"] is payload["apiToken"] is None
            assert (await gateway.data("{ connections { nodes { id } } }"))["connections"]["nodes"] == []

    async def test_an_unknown_database_is_a_misconfiguration(self, tmp_path: Path, odoo: Odoo) -> None:
        async with running_gateway(tmp_path) as gateway:
            payload = await connect(gateway, "odoo", "api_key", odoo_answers(odoo, odoo.url) | {"database": "other"})
        assert payload["errors"][0]["code"] == "CONNECTION_MISCONFIGURED"
        assert "database" in payload["errors"][0]["message"]

    async def test_an_odoo_without_a_module_has_the_rest(
        self, tmp_path: Path, odoo: Odoo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both ways in which a module can be missing: a model that is not there, and a field that it would add."""
        absent = replace(spec.odoo.resources[1], source="maintenance.not_installed")
        where = Compare("rank_of_no_module", Comparison.GT, 0, int)
        others = (replace(item, where=where) if item.entity is Vendor else item for item in spec.odoo.resources[2:])
        changed = replace(spec.odoo, resources=(spec.odoo.resources[0], absent, *others))
        monkeypatch.setattr("connectors.registry._packaged", lambda key: changed if key == "odoo" else None)
        async with running_gateway(tmp_path) as gateway:
            payload = await connect(gateway, "odoo", "api_key", odoo_answers(odoo, odoo.url))
            assert payload["errors"] == []
            orders = await rows(
                gateway, "{ found: purchaseOrders { nodes { remoteId } isComplete sources { status } } }"
            )
            missing = [await page(gateway, WORK_ORDERS), await page(gateway, VENDORS)]
        assert orders
        for found in missing:
            (source,) = found["sources"]
            assert (source["status"], source["error"]["code"]) == ("UNSUPPORTED", "ENTITY_UNSUPPORTED")
            assert "module" in source["error"]["message"]


def domain_of(item: Asked) -> list[Any]:
    """The conditions of a question, without the signs that join them."""
    return [token for token in item.arguments["domain"] if isinstance(token, list)]
