"""updateConnectionSettings: what is wrong is named, what is absent stays, and nobody reaches another's settings."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.customer_plant import PERMITS, ZONE, add_permits, add_zone, remove_zone, update, updated
from tests.gateway.running import RunningGateway, StandIn, running_gateway, stand_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = """
query ($id: ID!) {
  connection(id: $id) {
    name tags metadata
    settings { maxAgeSeconds staleOnError timeoutMs options customFields { key } customObjects { object } }
  }
}
"""


@dataclass
class Office:
    """A connection, and the keys of its customer and of another one."""

    gateway: RunningGateway
    erp: StandIn
    connection: str
    key: str
    other_key: str

    async def settings(self) -> Any:
        """The connection as it is now."""
        return (await self.gateway.data(SETTINGS, id=self.connection))["connection"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with stand_in() as erp, running_gateway(tmp_path_factory.mktemp("office")) as gateway:
        add_zone(erp.box)
        add_permits(erp.box)
        connection, _ = await gateway.connected(erp, "Ours")
        yield Office(gateway, erp, connection, await gateway.key("Ours"), await gateway.key("Theirs"))


def custom(**changes: Any) -> dict[str, Any]:
    return {"customFields": [{**ZONE, **changes}]}


def allowed(**changes: Any) -> dict[str, Any]:
    return {"customObjects": [{**PERMITS, **changes}]}


@pytest.mark.parametrize(
    ("settings", "field", "said"),
    [
        ({"timeoutMs": 0}, "timeoutMs", "between 1 and 120000"),
        ({"maxAgeSeconds": -1}, "maxAgeSeconds", "greater than or equal to 0"),
        ({"options": {"client": "100"}}, "options.client", "no option"),
        (custom(key="two words"), "customFields.0.key", "letters"),
        (custom(path="YY1_Zone&$top=1"), "customFields.0.path", "joined by dots"),
        (custom(path="YY1_Zon"), "customFields.0.path", "did you mean 'YY1_Zone'?"),
        (custom(path="yy1_zone"), "customFields.0.path", "did you mean 'YY1_Zone'?"),
        (custom(path="to_PurchaseOrderItem"), "customFields.0.path", "is a link"),
        (custom(path="to_PurchaseOrderItem.Material"), "customFields.0.path", "several rows"),
        (custom(path="YY1_Zone.Name"), "customFields.0.path", "is no link"),
        ({"customFields": [ZONE, {**ZONE, "path": "Supplier"}]}, "customFields.1.key", "already"),
        (allowed(source="../secrets"), "customObjects.0.source", "as its system does"),
        (
            allowed(source="YY1_PERMIT_CDS/YY1_PERMITS"),
            "customObjects.0.source",
            "did you mean 'YY1_PERMIT_CDS/YY1_PERMIT'?",
        ),
        (allowed(source="YY1_NO_SERVICE/YY1_PERMIT"), "customObjects.0.source", "describes no object"),
        (allowed(fields=["Zonne"]), "customObjects.0.fields.0", "did you mean 'Zone'?"),
        ({"customObjects": [PERMITS, PERMITS]}, "customObjects.1.object", "already"),
    ],
)
async def test_a_mistake_is_named_and_nothing_changes(
    office: Office, settings: dict[str, Any], field: str, said: str
) -> None:
    before = await office.settings()
    payload = await update(office.gateway, office.connection, name="Never", settings=settings)
    (error,) = payload["errors"]
    assert payload["connection"] is None
    assert (error["__typename"], error["code"]) == ("ValidationFailed", "VALIDATION_FAILED")
    assert error["field"] == f"settings.{field}"
    assert said in error["message"]
    assert await office.settings() == before


async def test_all_mistakes_are_told_at_once(office: Office) -> None:
    settings = {
        "customFields": [{**ZONE, "path": "Nowhere"}, {**ZONE, "key": "other", "path": "Nobody"}],
        "customObjects": [{**PERMITS, "fields": ["Nothing"]}],
    }
    payload = await update(office.gateway, office.connection, settings=settings)
    assert [error["field"] for error in payload["errors"]] == [
        "settings.customFields.0.path",
        "settings.customFields.1.path",
        "settings.customObjects.0.fields.0",
    ]


async def test_what_is_absent_stays_and_null_takes_back(office: Office) -> None:
    connection = await updated(office.gateway, office.connection, **custom(), **allowed(), timeoutMs=2000)
    assert connection["settings"]["customFields"] == [{**ZONE, "label": "Explosion zone", "type": "TEXT"}]
    (found,) = connection["settings"]["customObjects"]
    assert found == {
        **PERMITS,
        "label": None,
        "fields": ["Permit", "Position", "Zone", "ValidTo", "Load", "Closed"],
    }
    await update(office.gateway, office.connection, name="Renamed", tags=["a"], metadata={"x": 1})
    await updated(office.gateway, office.connection, maxAgeSeconds=60, staleOnError=True)
    assert await office.settings() == {
        "name": "Renamed",
        "tags": ["a"],
        "metadata": {"x": 1},
        "settings": {
            "maxAgeSeconds": 60,
            "staleOnError": True,
            "timeoutMs": 2000,
            "options": {},
            "customFields": [{"key": "zone"}],
            "customObjects": [{"object": "permits"}],
        },
    }
    await updated(office.gateway, office.connection, timeoutMs=None, maxAgeSeconds=None, customFields=[])
    now = (await office.settings())["settings"]
    assert (now["timeoutMs"], now["maxAgeSeconds"], now["customFields"]) == (10_000, 0, [])
    assert now["customObjects"] == [{"object": "permits"}]


async def test_settings_can_be_given_with_the_connection(office: Office) -> None:
    connection, _ = await office.gateway.connected(office.erp, "Ours", settings={**custom(), "timeoutMs": 3000})
    found = (await office.gateway.data(SETTINGS, id=connection))["connection"]["settings"]
    assert (found["customFields"], found["timeoutMs"]) == ([{"key": "zone"}], 3000)
    payload = await office.gateway.connect(office.erp.url, settings=custom(path="Nowhere"))
    assert payload["errors"][0]["field"] == "settings.customFields.0.path"


async def test_what_the_system_has_by_now_is_found(office: Office) -> None:
    """Although it was asked a moment ago, and had no such field then."""
    remove_zone(office.erp.box)
    refused = await update(office.gateway, office.connection, settings=custom(key="late"))
    add_zone(office.erp.box)
    accepted = await update(office.gateway, office.connection, settings=custom(key="late"))
    assert [error["field"] for error in refused["errors"]] == ["settings.customFields.0.path"]
    assert accepted["errors"] == []


async def test_a_system_out_of_reach_is_a_refusal_of_the_change(office: Office) -> None:
    office.erp.trouble("down")
    try:
        payload = await update(office.gateway, office.connection, settings=custom())
        renamed = await update(office.gateway, office.connection, name="No look is needed")
    finally:
        office.erp.trouble("none")
    assert payload["errors"][0]["__typename"] == "ConnectionUnavailable"
    assert renamed["errors"] == []


async def test_nobody_reaches_the_settings_of_another(office: Office) -> None:
    await updated(office.gateway, office.connection, **custom())
    before = await office.settings()
    beside, _ = await office.gateway.connected(office.erp, "Ours")
    neighbour = await office.gateway.key("Ours", kind="CONNECTION", connectionId=beside)
    office.erp.box.requests.clear()
    for key in (office.other_key, neighbour):
        for fields in ([], [{**ZONE, "key": "theirs"}]):
            settings = {"customFields": fields}
            payload = await update(office.gateway, office.connection, key, settings=settings)
            assert (payload["connection"], payload["errors"][0]["code"]) == (None, "CONNECTION_NOT_FOUND")
    assert office.erp.box.requests == []
    assert (await office.gateway.data(SETTINGS, office.other_key, id=office.connection))["connection"] is None
    reader = await office.gateway.key("Ours", scopes=["READ"])
    body = await office.gateway.ask(
        'mutation ($id: ID!) { updateConnectionSettings(input: {id: $id, name: "x"}) { errors { code } } }',
        reader,
        id=office.connection,
    )
    assert body["errors"][0]["extensions"]["code"] == "SCOPE_MISSING"
    assert await office.settings() == before
    own = await update(office.gateway, office.connection, office.key, name="By its own customer")
    assert own["errors"] == []


async def test_a_disconnected_connection_keeps_its_settings(office: Office) -> None:
    connection, _ = await office.gateway.connected(office.erp, "Ours", settings=custom())
    await office.gateway.data(
        "mutation ($id: ID!) { disconnectSystem(input: {id: $id}) { errors { code } } }", id=connection
    )
    payload = await update(office.gateway, connection, name="Too late")
    assert payload["errors"][0]["code"] == "CONNECTION_DISCONNECTED"


async def test_another_process_follows(office: Office) -> None:
    """What one process changes, the next refresh of another shows."""
    async with running_gateway(office.gateway.folder, office.gateway.process.keyring) as other:
        await updated(office.gateway, office.connection, **custom(key="seen_elsewhere"))
        await other.process.directory.refresh()
        query = "{ purchaseOrders(first: 1) { nodes { customFields { key } } } }"
        found = (await other.data(query, office.key))["purchaseOrders"]["nodes"]
        assert {"key": "seen_elsewhere"} in [field for node in found for field in node["customFields"]]
