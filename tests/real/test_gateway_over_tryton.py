"""The gateway answers from a real Tryton, and every value is held against Tryton's own answer."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.running import RunningGateway, running_gateway
from tests.real.gateway import connect
from tests.real.tryton.recorder import Recorder
from tests.real.tryton.server import PASSWORDS, Tryton

pytestmark = pytest.mark.real

ORDERS = """
query Orders($filter: PurchaseOrderFilter, $orderBy: [PurchaseOrderSort!]) {
  purchaseOrders(first: 200, filter: $filter, orderBy: $orderBy) {
    nodes {
      remoteId number title status sourceStatus approvalStatus receiptStatus billingStatus vendorName
      orderDate requiredDate currency memo reference lineCount createdAt updatedAt version
      total { amount currency } subtotal { amount } taxTotal { amount } organization { name }
      vendor { remoteId number name email address { city country } }
      lines(first: 200) {
        nodes {
          type itemNumber description requiredDate
          quantityOrdered { value unit sourceUnit } unitPrice { amount currency } lineTotal { amount }
        }
      }
      meta { missing { path reason } }
    }
    isComplete
    sources { status count filteredHere upstreamCalls error { code message remediation } }
  }
}
"""
FIELDS = [
    "number", "description", "state", "shipment_state", "invoice_state", "party.rec_name", "party.name", "party.code",
    "purchase_date", "delivery_date", "currency.code", "comment", "reference", "total_amount", "untaxed_amount",
    "tax_amount", "company.rec_name", "create_date", "last_modified_at", "lines.quantity", "lines.unit_price",
    "lines.amount", "lines.product.code", "lines.unit.symbol", "lines.type", "lines.delivery_date",
]  # fmt: skip
STATUS = {
    "draft": "DRAFT",
    "quotation": "PENDING_APPROVAL",
    "confirmed": "ISSUED",
    "processing": "ISSUED",
    "done": "CLOSED",
    "cancelled": "CANCELED",
}


@pytest.fixture
def recorded(tryton: Tryton) -> Any:
    with tryton.recording() as recorder:
        yield recorder


@pytest.fixture
async def gateway(tmp_path: Path, tryton: Tryton, recorded: Recorder) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path) as running:
        payload = await connect(running, "tryton", "session", credentials(tryton, recorded.url))
        assert payload["errors"] == []
        recorded.requests.clear()
        yield running


def credentials(tryton: Tryton, url: str, user: str = "switchgear") -> dict[str, str]:
    return {"url": url, "database": tryton.database, "username": user, "password": PASSWORDS[user]}


async def orders(gateway: RunningGateway, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await gateway.data(ORDERS, **variables))["purchaseOrders"]
    return found


async def test_every_order_is_as_tryton_itself_has_it(gateway: RunningGateway, tryton: Tryton) -> None:
    page = await orders(gateway)
    assert page["isComplete"] is True
    own = {str(row["id"]): row for row in tryton.rows("purchase.purchase", [], FIELDS)}
    assert {row["remoteId"] for row in page["nodes"]} == set(own)
    assert len(page["nodes"]) == len(own) >= 25
    for row in page["nodes"]:
        compare_order(row, own[row["remoteId"]])


def compare_order(ours: dict[str, Any], own: dict[str, Any]) -> None:
    party = own["party."] or {}
    assert ours["number"] == (own["number"] or None)
    assert ours["title"] == (own["description"] or None)
    assert ours["status"] == STATUS[own["state"]]
    assert ours["sourceStatus"] == own["state"]
    assert ours["vendorName"] == party.get("rec_name")
    assert (ours["vendor"] or {}).get("number") == party.get("code")
    assert (ours["vendor"] or {}).get("name") == party.get("name")
    assert ours["orderDate"] == (own["purchase_date"] and own["purchase_date"].isoformat())
    assert ours["requiredDate"] == (own["delivery_date"] and own["delivery_date"].isoformat())
    assert ours["currency"] == own["currency."]["code"]
    assert ours["memo"] == (own["comment"] or None)
    assert ours["reference"] == (own["reference"] or None)
    assert Decimal(ours["total"]["amount"]) == own["total_amount"]
    assert Decimal(ours["subtotal"]["amount"]) == own["untaxed_amount"]
    assert Decimal(ours["taxTotal"]["amount"]) == own["tax_amount"]
    assert ours["organization"]["name"] == own["company."]["rec_name"]
    assert ours["updatedAt"] == own["last_modified_at"].replace(tzinfo=None).isoformat() + "Z"
    assert ours["lineCount"] == len(own["lines."]) == len(ours["lines"]["nodes"])
    for line, own_line in zip(ours["lines"]["nodes"], own["lines."], strict=True):
        compare_line(line, own_line)


def compare_line(ours: dict[str, Any], own: dict[str, Any]) -> None:
    if own["quantity"] is None:
        assert ours["quantityOrdered"] is None
    else:
        assert Decimal(ours["quantityOrdered"]["value"]) == Decimal(str(own["quantity"]))
        assert ours["quantityOrdered"]["sourceUnit"] == (own["unit."] or {}).get("symbol")
    for name, own_name in (("unitPrice", "unit_price"), ("lineTotal", "amount")):
        amount = ours[name] and Decimal(ours[name]["amount"])
        assert amount == own[own_name], name
    assert ours["itemNumber"] == (own["product."] or {}).get("code")


async def test_a_filter_is_pushed_down(gateway: RunningGateway, recorded: Recorder, tryton: Tryton) -> None:
    page = await orders(gateway, filter={"status": {"eq": "CLOSED"}})
    own = tryton.rows("purchase.purchase", [["state", "=", "done"]], ["id"])
    assert {row["remoteId"] for row in page["nodes"]} == {str(row["id"]) for row in own} != set()
    assert page["sources"][0]["filteredHere"] == []
    (asked,) = [item for item in recorded.requests if item.method == "model.purchase.purchase.search_read"]
    assert ["state", "in", ["done"]] in _leaves(asked.parameters[0])


async def test_calls_are_counted_and_vendors_come_in_one(gateway: RunningGateway, recorded: Recorder) -> None:
    page = await orders(gateway)
    assert page["sources"][0]["upstreamCalls"] == len(recorded.requests)
    assert sum(item.method == "model.party.party.search_read" for item in recorded.requests) == 1


async def test_a_changed_password_asks_for_a_new_authorization(gateway: RunningGateway, tryton: Tryton) -> None:
    assert (await orders(gateway))["isComplete"]
    tryton.set_password("switchgear", "another-Passw0rd-of-this-test")
    try:
        page = await orders(gateway)
    finally:
        tryton.set_password("switchgear", PASSWORDS["switchgear"])
        tryton.forget_failed_logins()
    (source,) = page["sources"]
    assert (source["status"], source["error"]["code"]) == ("REAUTHORIZATION_REQUIRED", "REAUTHORIZATION_REQUIRED")
    assert source["error"]["remediation"]
    assert page["nodes"] == []
    assert page["isComplete"] is False


async def test_an_ended_session_is_opened_again(gateway: RunningGateway, tryton: Tryton) -> None:
    await orders(gateway)
    tryton.end_sessions("switchgear")
    assert (await orders(gateway))["isComplete"] is True


async def test_a_missing_right_is_a_permission(gateway: RunningGateway, tryton: Tryton) -> None:
    with tryton.without_right_to_read("purchase.purchase"):
        page = await orders(gateway)
        vendors = (await gateway.data("{ vendors(first: 5) { nodes { name } isComplete } }"))["vendors"]
    (source,) = page["sources"]
    assert (source["status"], source["error"]["code"]) == ("PERMISSION_DENIED", "UPSTREAM_PERMISSION_DENIED")
    assert page["isComplete"] is False
    assert len(vendors["nodes"]) == 5
    assert vendors["isComplete"] is True


async def test_a_wrong_password_is_refused_and_nothing_is_kept(tmp_path: Path, tryton: Tryton) -> None:
    async with running_gateway(tmp_path) as gateway:
        wrong = credentials(tryton, tryton.url) | {"password": "not-the-password"}
        try:
            payload = await connect(gateway, "tryton", "session", wrong)
        finally:
            tryton.forget_failed_logins()
        assert payload["errors"][0]["code"] == "CREDENTIALS_REJECTED"
        assert payload["connection"] is payload["apiToken"] is None
        assert (await gateway.data("{ connections { nodes { id } } }"))["connections"]["nodes"] == []


async def test_an_unknown_database_is_a_misconfiguration(tmp_path: Path, tryton: Tryton) -> None:
    async with running_gateway(tmp_path) as gateway:
        payload = await connect(gateway, "tryton", "session", credentials(tryton, tryton.url) | {"database": "other"})
        assert payload["errors"][0]["code"] == "CONNECTION_MISCONFIGURED"
        assert "/" not in payload["errors"][0]["message"]


def _leaves(domain: list[Any]) -> list[Any]:
    if domain and isinstance(domain[0], str) and domain[0] not in ("AND", "OR"):
        return [domain]
    return [leaf for item in domain if isinstance(item, list) for leaf in _leaves(item)]


CUSTOM = """
query ($paths: [String!]) { purchaseOrders(first: 200) {
    nodes { remoteId raw(paths: $paths) customFields { key label type value } vendorName meta { missing { path } } }
    isComplete sources { upstreamCalls } } }
"""
OBJECTS = """
query ($id: ID!, $filter: CustomObjectFilter, $after: String) {
  customObjects(connectionId: $id, object: "categories", first: 2, filter: $filter, after: $after) {
    nodes { remoteId displayName fields { key type value } } pageInfo { hasNextPage endCursor }
    isComplete sources { filteredHere error { message } } } }
"""
UPDATE = """
mutation ($id: ID!, $settings: ConnectionSettingsInput) {
  updateConnectionSettings(input: {id: $id, settings: $settings}) { errors { field message } } }
"""


async def update(gateway: RunningGateway, **settings: Any) -> Any:
    (connection,) = (await gateway.data("{ connections { nodes { id } } }"))["connections"]["nodes"]
    payload = (await gateway.data(UPDATE, id=connection["id"], settings=settings))["updateConnectionSettings"]
    return connection["id"], payload["errors"]


async def test_raw_is_what_tryton_itself_says(gateway: RunningGateway, tryton: Tryton, recorded: Recorder) -> None:
    found = (await gateway.data(CUSTOM))["purchaseOrders"]
    assert (found["isComplete"], len(recorded.requests)) == (True, found["sources"][0]["upstreamCalls"])
    names = sorted(found["nodes"][0]["raw"])
    assert {"number", "state", "party", "total_amount", "rec_name", "create_date"} <= set(names)
    own = {str(row["id"]): row for row in tryton.rows("purchase.purchase", [], names)}
    for node in found["nodes"]:
        assert node["meta"]["missing"] == []
        assert set(node["raw"]) == set(own[node["remoteId"]])
        assert node["raw"]["party"] == own[node["remoteId"]]["party"]
        assert node["raw"]["number"] == own[node["remoteId"]]["number"]
    narrow = (await gateway.data(CUSTOM, paths=["party.code", "number", "nowhere"]))["purchaseOrders"]["nodes"]
    assert all(set(node["raw"]) == {"party.", "number"} and set(node["raw"]["party."]) == {"code"} for node in narrow)


async def test_fields_and_objects_of_any_model(gateway: RunningGateway, tryton: Tryton) -> None:
    paths = {
        "company": "company.rec_name",
        "warehouse": "warehouse",
        "total": "total_amount",
        "ordered": "purchase_date",
    }
    fields = [{"entity": "PURCHASE_ORDER", "key": key, "path": path} for key, path in paths.items()]
    categories = {"object": "categories", "source": "product.category", "fields": ["name", "create_date", "accounting"]}
    connection, errors = await update(gateway, customFields=fields, customObjects=[categories])
    assert errors == []
    own = {str(row["id"]): row for row in tryton.rows("purchase.purchase", [], [*paths.values()])}
    for node in (await gateway.data(CUSTOM))["purchaseOrders"]["nodes"]:
        values = {field["key"]: field["value"] for field in node["customFields"]}
        row = own[node["remoteId"]]
        assert values["company"] == row["company."]["rec_name"]
        assert values["warehouse"] == (str(row["warehouse"]) if row["warehouse"] else None)
        assert Decimal(values["total"]) == row["total_amount"]
        assert (values["ordered"] is None) == (row["purchase_date"] is None)
    rows, after = [], None
    while True:
        page = (await gateway.data(OBJECTS, id=connection, after=after))["customObjects"]
        assert page["isComplete"], page["sources"]
        rows += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    known = {str(row["id"]): row for row in tryton.rows("product.category", [], ["name"])}
    assert [row["remoteId"] for row in rows] == sorted(known, key=int)
    wanted = {"field": "name", "operator": "EQ", "value": rows[0]["fields"][0]["value"]}
    (one,) = (await gateway.data(OBJECTS, id=connection, filter=wanted))["customObjects"]["nodes"]
    assert one["remoteId"] == rows[0]["remoteId"]


async def test_a_field_that_tryton_does_not_have_is_told_at_once(gateway: RunningGateway) -> None:
    _, (error,) = await update(gateway, customFields=[{"entity": "VENDOR", "key": "x", "path": "nam"}])
    assert error["field"] == "settings.customFields.0.path"
    assert "did you mean 'name'?" in error["message"]
