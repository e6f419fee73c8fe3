"""Items, work orders and assets of a real Tryton, with the rights that each needs and the questions that each costs."""

from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.running import RunningGateway, running_gateway
from tests.real.gateway import connect
from tests.real.tryton.recorder import Recorder
from tests.real.tryton.server import PASSWORDS, Tryton
from tests.real.tryton_answers import ASSETS, ITEMS, WORK, stock

pytestmark = pytest.mark.real

ENTITIES = {
    "production": ("workOrders", WORK),
    "account.asset": ("assets", ASSETS),
    "product.product": ("inventoryItems", ITEMS),
}


@pytest.fixture
def recorded(tryton: Tryton) -> Any:
    with tryton.recording() as recorder:
        yield recorder


@pytest.fixture
async def gateway(tmp_path: Path, tryton: Tryton, recorded: Recorder) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path) as running:
        await connect_as(running, tryton, recorded.url, "switchgear")
        recorded.requests.clear()
        yield running


async def connect_as(gateway: RunningGateway, tryton: Tryton, url: str, user: str) -> None:
    answers = {"url": url, "database": tryton.database, "username": user, "password": PASSWORDS[user]}
    payload = await connect(gateway, "tryton", "session", answers)
    assert payload["errors"] == []


async def asked(gateway: RunningGateway, model: str, **variables: Any) -> dict[str, Any]:
    root, query = ENTITIES[model]
    found: dict[str, Any] = (await gateway.data(query, **variables))[root]
    return found


def value(quantity: dict[str, str] | None) -> Decimal | None:
    return None if quantity is None else Decimal(quantity["value"])


async def test_stock_is_what_tryton_itself_counts(gateway: RunningGateway, tryton: Tryton) -> None:
    page = await asked(gateway, "product.product")
    assert page["isComplete"] is True
    own = {str(row["id"]): row for row in tryton.rows("product.product", [], ["code", "name"])}
    assert {row["remoteId"] for row in page["nodes"]} == set(own)
    for row in page["nodes"]:
        key = int(row["remoteId"])
        assert (row["number"], row["name"]) == (own[row["remoteId"]]["code"], own[row["remoteId"]]["name"])
        assert value(row["onHand"]) == stock(tryton, key)
        assert value(row["available"]) == stock(tryton, key, stock_assign=True)
        assert value(row["reserved"]) == stock(tryton, key) - stock(tryton, key, stock_assign=True)
        levels = row["stockLevels"]["nodes"]
        assert sum((Decimal(level["onHand"]["value"]) for level in levels), Decimal(0)) == stock(tryton, key)
        assert {level["location"]["type"] for level in levels} <= {"storage"}
    assert any(value(row["reserved"]) for row in page["nodes"])
    assert max(len(row["stockLevels"]["nodes"]) for row in page["nodes"]) > 2


async def test_all_items_share_their_questions(gateway: RunningGateway, recorded: Recorder, tryton: Tryton) -> None:
    page = await asked(gateway, "product.product")
    stores = len(tryton.rows("stock.location", [["type", "=", "storage"]], ["id"]))
    methods = Counter(item.method for item in recorded.requests)
    assert methods == {
        "model.product.product.search_read": 3 + stores,  # the items, two totals, and the levels at each store
        "model.stock.location.search_read": 3,
        "model.stock.move.search_read": 2,
        "model.stock.order_point.search_read": 1,
    }
    assert page["sources"][0]["upstreamCalls"] == len(recorded.requests)


async def test_one_order_point_tells_the_limits_and_several_tell_none(gateway: RunningGateway) -> None:
    items = {row["number"]: row for row in (await asked(gateway, "product.product"))["nodes"]}
    bearing, seal = items["BRG-6204"], items['SEAL 12"']
    assert [value(bearing[name]) for name in ("minimum", "reorderPoint", "maximum")] == [20, 20, 60]
    assert seal["minimum"] is seal["reorderPoint"] is seal["maximum"] is None
    assert {"path": "minimum", "reason": "EMPTY_AT_SOURCE"} in seal["meta"]["missing"]
    assert bearing["standardCost"] == {"amount": "6.1250", "currency": "EUR"}


async def test_lines_of_orders_lead_to_their_items(gateway: RunningGateway, recorded: Recorder) -> None:
    lines = "lines(first: 50) { nodes { itemNumber item { number onHand { value sourceUnit } } } }"
    page = (await gateway.data(f"{{ purchaseOrders(first: 50) {{ nodes {{ {lines} }} }} }}"))["purchaseOrders"]
    linked = [line for order in page["nodes"] for line in order["lines"]["nodes"] if line["itemNumber"]]
    assert len(linked) > 20
    assert all(line["item"]["number"] == line["itemNumber"] for line in linked)
    assert all(line["item"]["onHand"] for line in linked)
    assert sum(item.method == "model.product.product.search_read" for item in recorded.requests) == 2


async def test_a_production_is_a_work_order_with_tasks_and_parts(gateway: RunningGateway, tryton: Tryton) -> None:
    page = await asked(gateway, "production")
    states = {str(row["id"]): row["state"] for row in tryton.rows("production", [], ["state"])}
    assert {row["remoteId"]: row["sourceStatus"] for row in page["nodes"]} == states
    assert {row["type"] for row in page["nodes"]} == {"OTHER"}
    (running,) = [row for row in page["nodes"] if row["status"] == "IN_PROGRESS"]
    tasks = [(task["title"], task["status"], task["sourceStatus"]) for task in running["tasks"]["nodes"]]
    assert tasks == [
        ("Assemble", "COMPLETED", "finished"),
        ("Test run", "IN_PROGRESS", "running"),
        ("Pack", "OPEN", "waiting"),
    ]
    assert [task["actualHours"] for task in running["tasks"]["nodes"]] == ["1.5", None, "1.5"]
    used = {part["item"]["number"]: value(part["quantityUsed"]) for part in running["parts"]["nodes"]}
    assert used == {'SEAL 12"': 2, "PLATE-5": Decimal("0.75")}
    assert {"path": "asset", "reason": "NOT_SUPPORTED_BY_SYSTEM"} in running["meta"]["missing"]


async def test_an_asset_is_what_the_books_say(gateway: RunningGateway, tryton: Tryton) -> None:
    page = await asked(gateway, "account.asset", filter={"status": {"eq": "INACTIVE"}})
    closed = tryton.rows("account.asset", [["state", "=", "closed"]], ["value", "product.name", "purchase_date"])
    assert [(row["name"], Decimal(row["purchasePrice"]["amount"]), row["purchaseDate"]) for row in page["nodes"]] == [
        (row["product."]["name"], row["value"], row["purchase_date"].isoformat()) for row in closed
    ]
    assert page["sources"][0]["filteredHere"] == []
    vendors = {row["vendor"]["name"] for row in (await asked(gateway, "account.asset"))["nodes"] if row["vendor"]}
    assert len(vendors) == 1


@pytest.mark.parametrize(
    ("model", "guarded"),
    [
        ("production", "production"),
        ("account.asset", "account.asset"),
        ("product.product", "product.template"),  # variants are guarded by the right to their template
    ],
)
async def test_a_missing_right_costs_that_entity_alone(
    gateway: RunningGateway, tryton: Tryton, model: str, guarded: str
) -> None:
    with tryton.without_right_to_read(guarded):
        page = await asked(gateway, model)
        orders = (await gateway.data("{ purchaseOrders(first: 5) { nodes { number } isComplete } }"))["purchaseOrders"]
    (source,) = page["sources"]
    assert (source["status"], source["error"]["code"]) == ("PERMISSION_DENIED", "UPSTREAM_PERMISSION_DENIED")
    assert (page["nodes"], page["isComplete"]) == ([], False)
    assert (len(orders["nodes"]), orders["isComplete"]) == (5, True)


@pytest.mark.parametrize(
    ("model", "lost"),
    [
        ("stock.order_point", {"minimum", "maximum", "reorderPoint"}),
        ("stock.move", {"reserved", "onOrder"}),
        ("stock.location", {"onHand", "available", "reserved", "onOrder", "stockLevels"}),
    ],
)
async def test_a_missing_right_beside_items_leaves_fields_null(
    gateway: RunningGateway, tryton: Tryton, model: str, lost: set[str]
) -> None:
    with tryton.without_right_to_read(model):
        page = await asked(gateway, "product.product")
    assert page["isComplete"] is True
    for row in page["nodes"]:
        assert {gap["path"] for gap in row["meta"]["missing"] if gap["reason"] == "NOT_PERMITTED"} == lost


async def test_a_user_without_groups_reads_what_everybody_may(tmp_path: Path, tryton: Tryton) -> None:
    async with running_gateway(tmp_path) as gateway:
        await connect_as(gateway, tryton, tryton.url, "limited")
        items = await asked(gateway, "product.product")
        assert items["isComplete"] is True
        gaps = {gap["path"]: gap["reason"] for gap in items["nodes"][0]["meta"]["missing"]}
        assert gaps["reserved"] == gaps["onOrder"] == "NOT_PERMITTED"
        assert {value(row["onHand"]) for row in items["nodes"]} != {0}
        assert (await asked(gateway, "account.asset"))["sources"][0]["status"] == "PERMISSION_DENIED"
        without_parts = (await gateway.data("{ workOrders(first: 9) { nodes { number } isComplete } }"))["workOrders"]
        assert without_parts["isComplete"] is True
