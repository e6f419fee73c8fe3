"""Custom fields and raw from a real Odoo, held against Odoo's own answers."""

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.systems.odoo import spec
from tests.gateway.running import RunningGateway
from tests.real.gateway import over_odoo
from tests.real.odoo.recorder import Recorder
from tests.real.odoo.server import Odoo
from tests.real.odoo_questions import CUSTOM_ASSETS, UPDATE, rows
from tests.real.surveys import drifts, survey

pytestmark = pytest.mark.real


@pytest.fixture
def recorded(odoo: Odoo) -> Iterator[Recorder]:
    with odoo.recording() as recorder:
        yield recorder


@pytest.fixture
async def gateway(tmp_path: Path, odoo: Odoo, recorded: Recorder) -> AsyncIterator[RunningGateway]:
    async with over_odoo(tmp_path, odoo, recorded.url) as running:
        recorded.requests.clear()
        yield running


def exact(value: Any) -> Any:
    """A number of JSON as the digits say."""
    match value:
        case float():
            return Decimal(repr(value))
        case list():
            return [exact(item) for item in value]
        case dict():
            return {name: exact(item) for name, item in value.items()}
        case _:
            return value


async def test_a_field_made_now_shows_in_raw_and_with_the_settings_as_a_field(
    gateway: RunningGateway, recorded: Recorder, odoo: Odoo
) -> None:
    """And nobody restarts anything: neither Odoo nor the gateway."""
    (connection,) = (await gateway.data("{ connections { nodes { id } } }"))["connections"]["nodes"]
    zone = {"entity": "ASSET", "key": "zone", "path": "x_zone"}
    with odoo.with_custom_field("maintenance.equipment", "x_zone", "char"):
        first = odoo.rows("maintenance.equipment", [], ["name"])[0]["id"]
        odoo.ask("maintenance.equipment", "write", ids=[first], vals={"x_zone": "Zone 1"})
        raw = {key: row["raw"] for key, row in (await rows(gateway, CUSTOM_ASSETS)).items()}
        payload = (await gateway.data(UPDATE, id=connection["id"], fields=[zone]))["updateConnectionSettings"]
        recorded.requests.clear()
        found = await rows(gateway, CUSTOM_ASSETS)
        made = [item.path.rpartition("/")[2] for item in recorded.requests]
    assert raw[str(first)]["x_zone"] == "Zone 1"
    assert {row["x_zone"] for row in raw.values()} == {"Zone 1", False}
    assert payload == {"errors": []}
    assert found[str(first)]["customFields"] == [{"key": "zone", "label": "x_zone", "type": "TEXT", "value": "Zone 1"}]
    assert made == ["fields_get", "web_search_read"]
    gone = await rows(gateway, CUSTOM_ASSETS)
    assert [field["value"] for row in gone.values() for field in row["customFields"]] == [None] * len(found)
    assert {gap["reason"] for row in gone.values() for gap in row["meta"]["missing"]} == {"NOT_SUPPORTED_BY_SYSTEM"}


async def test_a_custom_field_that_is_deleted_and_made_again_is_told_of(gateway: RunningGateway, odoo: Odoo) -> None:
    (connection,) = (await gateway.data("{ connections { nodes { id } } }"))["connections"]["nodes"]
    found = await survey(gateway)
    assert {path for paths in found.values() for path, kind in paths.items() if kind is None} == set()
    with odoo.with_custom_field("maintenance.equipment", "x_zone", "char"):
        assert await survey(gateway) == found, "nobody reads it"
        zone = {"entity": "ASSET", "key": "zone", "path": "x_zone"}
        payload = (await gateway.data(UPDATE, id=connection["id"], fields=[zone]))["updateConnectionSettings"]
        assert payload == {"errors": []}
        assert (await survey(gateway))["ASSET maintenance.equipment"]["x_zone"] == "TEXT"
        assert await drifts(gateway) == []
    await survey(gateway)
    with odoo.with_custom_field("maintenance.equipment", "x_zone", "integer"):
        await survey(gateway)
    gone, made = await drifts(gateway)
    assert (gone["removed"], gone["affected"]) == (["x_zone"], ["customFields.zone"])
    assert (made["added"], made["removed"], made["changed"]) == (["x_zone"], [], [])


@pytest.mark.parametrize("root", ["purchaseOrders", "workOrders", "assets", "vendors", "inventoryItems"])
async def test_raw_is_what_odoo_itself_says(gateway: RunningGateway, odoo: Odoo, root: str) -> None:
    model = next(item.source for item in spec.odoo.resources if item.model.list_root == root)
    found = await rows(gateway, f"{{ found: {root}(first: 200) {{ nodes {{ remoteId raw }} isComplete }} }}")
    names = sorted({name for row in found.values() for name in row["raw"]})
    asked_for = {"domain": [], "specification": {name: {} for name in names}, "context": {"active_test": False}}
    own = odoo.call("switchgear", model, "web_search_read", **asked_for)
    same = {str(row["id"]): row for row in own["records"]}
    assert found
    assert {"create_date", "write_date", "display_name", "name"} <= set(names)
    for remote_id, row in found.items():
        assert {name: exact(value) for name, value in row["raw"].items()} == same[remote_id]
