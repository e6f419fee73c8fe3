"""The gateway answers from a real Odoo, and every value is held against Odoo's own answer."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.query import Compare, Comparison
from connectors.systems.odoo import spec
from schema.vendors import Vendor
from tests.real.gateway import RunningGateway, running_gateway
from tests.real.odoo.recorder import Asked, Recorder
from tests.real.odoo.server import Odoo

pytestmark = pytest.mark.real

Row = dict[str, Any]

SOURCES = "isComplete sources { status count filteredHere upstreamCalls error { code message remediation } }"
ORDERS = f"""
query Orders($first: Int, $after: String, $filter: PurchaseOrderFilter, $orderBy: [PurchaseOrderSort!]) {{
  found: purchaseOrders(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {{
    nodes {{
      remoteId number status sourceStatus approvalStatus receiptStatus billingStatus vendorName incoterm reference
      orderDate requiredDate currency lineCount createdAt updatedAt version paymentTerms {{ label }}
      total {{ amount currency }} subtotal {{ amount }} taxTotal {{ amount }} organization {{ name }}
      vendor {{ remoteId number name }}
      lines(first: 200) {{
        nodes {{
          type sourceType item {{ remoteId number name }} itemNumber description requiredDate
          quantityOrdered {{ value unit sourceUnit }} quantityReceived {{ value }}
          unitPrice {{ amount currency }} lineTotal {{ amount }}
        }}
      }}
      meta {{ missing {{ path reason }} }}
    }}
    pageInfo {{ hasNextPage endCursor }}
    {SOURCES}
  }}
}}
"""
WORK_ORDERS = f"""
query WorkOrders($filter: WorkOrderFilter, $orderBy: [WorkOrderSort!]) {{
  found: workOrders(first: 200, filter: $filter, orderBy: $orderBy) {{
    nodes {{
      remoteId title type status sourceStatus priority isDeleted scheduledStart scheduledFinish estimatedDuration
      requester {{ remoteId name }} supervisor {{ name }} plannerGroup {{ label }} updatedAt
      asset {{ remoteId name serialNumber }} meta {{ missing {{ path reason }} }}
    }}
    {SOURCES}
  }}
}}
"""
ASSETS = f"""
query Assets($filter: AssetFilter) {{
  found: assets(first: 200, filter: $filter) {{
    nodes {{
      remoteId name kind status model serialNumber partNumber assetClass {{ code label }} installedDate
      decommissionedDate warrantyEndDate purchasePrice {{ amount currency }} organization {{ name }}
      vendor {{ remoteId name }} workOrders(first: 50) {{ nodes {{ remoteId title status }} }}
    }}
    {SOURCES}
  }}
}}
"""
VENDORS = f"""
query Vendors($filter: VendorFilter) {{
  found: vendors(first: 200, filter: $filter) {{
    nodes {{
      remoteId number name type status taxNumber email phone website contacts {{ name role email phone }}
      address {{ line1 line2 city region postalCode country }} purchaseOrders(first: 50) {{ nodes {{ remoteId }} }}
    }}
    {SOURCES}
  }}
}}
"""
ITEMS = f"""
query Items($filter: InventoryItemFilter) {{
  found: inventoryItems(first: 200, filter: $filter) {{
    nodes {{
      remoteId number name type status baseUnit barcode category {{ code label }} standardCost {{ amount currency }}
      isLotTracked isSerialTracked onHand {{ value unit sourceUnit }} available {{ value }} reserved {{ value }}
      onOrder {{ value }} minimum {{ value }} maximum {{ value }} reorderPoint {{ value }}
      stockLevels(first: 50) {{
        nodes {{
          location {{ code name }} lot onHand {{ value sourceUnit }} available {{ value }} reserved {{ value }}
        }}
      }}
      meta {{ missing {{ path reason }} }}
    }}
    {SOURCES}
  }}
}}
"""
STATES = {
    "draft": "DRAFT",
    "sent": "DRAFT",
    "to approve": "PENDING_APPROVAL",
    "purchase": "ISSUED",
    "cancel": "CANCELED",
}


@pytest.fixture
def recorded(odoo: Odoo) -> Iterator[Recorder]:
    with odoo.recording() as recorder:
        yield recorder


@pytest.fixture
async def gateway(tmp_path: Path, odoo: Odoo, recorded: Recorder) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path) as running:
        payload = await running.connect("odoo", "api_key", credentials(odoo, recorded.url))
        assert payload["errors"] == []
        recorded.requests.clear()
        yield running


def credentials(odoo: Odoo, url: str, user: str = "switchgear") -> dict[str, str]:
    return {"url": url, "database": odoo.database, "apiKey": odoo.keys[user]}


async def page(gateway: RunningGateway, query: str, **variables: Any) -> Row:
    found: Row = (await gateway.data(query, **variables))["found"]
    return found


async def rows(gateway: RunningGateway, query: str, **variables: Any) -> dict[str, Row]:
    found = await page(gateway, query, **variables)
    assert found["isComplete"] is True, found["sources"]
    return {row["remoteId"]: row for row in found["nodes"]}


def by_key(own: list[Row]) -> dict[str, Row]:
    return {str(row["id"]): row for row in own}


def name(pair: Any) -> Any:
    return pair[1] if pair else None


def key(pair: Any) -> str | None:
    return str(pair[0]) if pair else None


def asked(recorded: Recorder) -> Counter[str]:
    return Counter(item.model for item in recorded.requests)


def moment(text: Any) -> str | None:
    return f"{text.replace(' ', 'T')}Z" if text else None


def number(value: Row | None, part: str = "value") -> Decimal | None:
    return None if value is None else Decimal(value[part])


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
        fields = [
            "ref",
            "complete_name",
            "is_company",
            "active",
            "vat",
            "email",
            "phone",
            "website",
            "street",
            "street2",
        ]
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


LINE_FIELDS = ["display_type", "product_id", "name", "product_qty", "qty_received", "price_unit", "price_subtotal"]
LINE_FIELDS += ["product_uom_id", "date_planned"]


def compare_order(ours: Row, own: Row) -> None:
    assert ours["number"] == own["name"]
    assert (ours["status"], ours["sourceStatus"]) == (STATES[own["state"]], own["state"])
    assert ours["vendorName"] == own["partner_id"][1]
    assert ours["vendor"]["remoteId"] == key(own["partner_id"])
    assert ours["reference"] == (own["partner_ref"] or None)
    assert ours["orderDate"] == own["date_order"][:10]
    assert ours["requiredDate"] == (own["date_planned"][:10] if own["date_planned"] else None)
    assert ours["currency"] == ours["total"]["currency"] == name(own["currency_id"])
    for part, field in (("total", "amount_total"), ("subtotal", "amount_untaxed"), ("taxTotal", "amount_tax")):
        assert number(ours[part], "amount") == own[field], part
    assert ours["organization"]["name"] == name(own["company_id"])
    assert (ours["createdAt"], ours["updatedAt"]) == (moment(own["create_date"]), moment(own["write_date"]))
    assert ours["version"] == own["write_date"]
    assert (ours["paymentTerms"] or {}).get("label") == name(own["payment_term_id"])
    assert ours["incoterm"] == (name(own["incoterm_id"])[1:4] if own["incoterm_id"] else None)
    assert ours["lineCount"] == len(own["order_line"])


def compare_line(ours: Row, own: Row) -> None:
    assert ours["sourceType"] == (own["display_type"] or None)
    assert ours["description"] == own["name"]
    assert (ours["item"] or {}).get("remoteId") == key(own["product_id"])
    assert ours["itemNumber"] == (ours["item"] or {}).get("number")
    if own["display_type"]:
        assert ours["type"] == "TEXT"
        assert ours["quantityOrdered"] is ours["quantityReceived"] is ours["unitPrice"] is ours["lineTotal"] is None
        return
    assert ours["type"] in ("GOODS", "SERVICE")
    assert number(ours["quantityOrdered"]) == own["product_qty"]
    assert ours["quantityOrdered"]["sourceUnit"] == name(own["product_uom_id"])
    assert number(ours["quantityReceived"]) == own["qty_received"]
    assert number(ours["unitPrice"], "amount") == own["price_unit"]
    assert number(ours["lineTotal"], "amount") == own["price_subtotal"]
    assert ours["requiredDate"] == own["date_planned"][:10]


def compare_work(ours: Row, own: Row) -> None:
    blocked = "ON_HOLD" if own["kanban_state"] == "blocked" else "RELEASED"
    assert ours["title"] == own["name"]
    assert ours["type"] == (own["maintenance_type"] or "unknown").upper()
    assert ours["status"] == ("CANCELED" if own["archive"] else "COMPLETED" if own["done"] else blocked)
    assert ours["sourceStatus"] == name(own["stage_id"])
    assert ours["priority"] == {"2": "MEDIUM", "3": "HIGH", False: "UNKNOWN"}.get(own["priority"], "LOW")
    assert ours["scheduledStart"] == moment(own["schedule_date"])
    assert ours["scheduledFinish"] == moment(own["schedule_end"])
    assert (ours["asset"] or {}).get("remoteId") == key(own["equipment_id"])
    assert (ours["requester"] or {}).get("name") == name(own["owner_user_id"])
    assert (ours["supervisor"] or {}).get("name") == name(own["user_id"])
    assert ours["plannerGroup"]["label"] == name(own["maintenance_team_id"])
    assert ours["updatedAt"] == moment(own["write_date"])


def compare_asset(ours: Row, own: Row) -> None:
    status = "UNKNOWN" if own["active"] else "INACTIVE"
    assert ours["name"] == own["name"]
    assert ours["kind"] == "EQUIPMENT"
    assert ours["status"] == ("DISPOSED" if own["scrap_date"] else status)
    assert ours["model"] == (own["model"] or None)
    assert ours["serialNumber"] == (own["serial_no"] or None)
    assert ours["partNumber"] == (own["partner_ref"] or None)
    assert (ours["assetClass"] or {}).get("label") == name(own["category_id"])
    assert ours["installedDate"] == own["effective_date"]
    assert ours["decommissionedDate"] == (own["scrap_date"] or None)
    assert ours["warrantyEndDate"] == (own["warranty_date"] or None)
    assert number(ours["purchasePrice"], "amount") == own["cost"]
    assert (ours["vendor"] or {}).get("remoteId") == key(own["partner_id"])


def compare_vendor(ours: Row, own: Row) -> None:
    assert ours["number"] == (own["ref"] or None)
    assert ours["name"] == own["complete_name"]
    assert ours["type"] == ("COMPANY" if own["is_company"] else "INDIVIDUAL")
    assert ours["status"] == ("ACTIVE" if own["active"] else "INACTIVE")
    for part, field in (("taxNumber", "vat"), ("email", "email"), ("phone", "phone"), ("website", "website")):
        assert ours[part] == (own[field] or None), part
    address = ours["address"] or {}
    for part, field in (("line1", "street"), ("line2", "street2"), ("city", "city"), ("postalCode", "zip")):
        assert address.get(part) == (own[field] or None), part
    assert (address.get("country") is None) == (own["country_id"] is False)


def compare_item(ours: Row, own: Row) -> None:
    assert ours["number"] == (own["default_code"] or None)
    assert ours["name"] == own["name"]
    assert ours["status"] == ("ACTIVE" if own["active"] else "INACTIVE")
    assert ours["baseUnit"] == name(own["uom_id"])
    assert ours["barcode"] == (own["barcode"] or None)
    assert (ours["category"]["code"], ours["category"]["label"]) == (key(own["categ_id"]), name(own["categ_id"]))
    assert number(ours["standardCost"], "amount") == own["standard_price"]
    assert (ours["isLotTracked"], ours["isSerialTracked"]) == (own["tracking"] == "lot", own["tracking"] == "serial")
    limit = own["reordering_min_qty"] if own["nbr_reordering_rules"] == 1 else None
    assert number(ours["minimum"]) == number(ours["reorderPoint"]) == limit


def compare_stock(ours: Row, quants: list[Row]) -> None:
    there = sum((quant["quantity"] for quant in quants), Decimal(0))
    reserved = sum((quant["reserved_quantity"] for quant in quants), Decimal(0))
    assert number(ours["onHand"]) == there
    assert number(ours["reserved"]) == reserved
    assert number(ours["available"]) == there - reserved
    for level, quant in zip(ours["stockLevels"]["nodes"], quants, strict=True):
        assert (level["location"]["code"], level["location"]["name"]) == (
            key(quant["location_id"]),
            name(quant["location_id"]),
        )
        assert level["lot"] == name(quant["lot_id"])
        assert number(level["onHand"]) == quant["quantity"]
        assert number(level["reserved"]) == quant["reserved_quantity"]


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
            payload = await gateway.connect("odoo", "api_key", credentials(odoo, odoo.url, "technician"))
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
            wrong = credentials(odoo, odoo.url) | {"apiKey": odoo.keys.get(key, "0" * 40)}
            payload = await gateway.connect("odoo", "api_key", wrong)
            assert payload["errors"][0]["code"] == "CREDENTIALS_REJECTED"
            assert payload["connection"] is payload["apiToken"] is None
            assert (await gateway.data("{ connections { nodes { id } } }"))["connections"]["nodes"] == []

    async def test_an_unknown_database_is_a_misconfiguration(self, tmp_path: Path, odoo: Odoo) -> None:
        async with running_gateway(tmp_path) as gateway:
            payload = await gateway.connect("odoo", "api_key", credentials(odoo, odoo.url) | {"database": "other"})
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
            payload = await gateway.connect("odoo", "api_key", credentials(odoo, odoo.url))
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
