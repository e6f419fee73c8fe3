"""Where assets are in their tree: from the top, one read for each level and kind of place, and why it is not known."""

from typing import Any

import pytest

from tests.resolvers.plant import Plant, demo_plant

QUERY = """
query Assets($filter: AssetFilter, $first: Int = 200) {
  assets(first: $first, filter: $filter, connectionIds: ["con_sap-eu"]) {
    nodes { number name kind path meta { missing { path reason } } }
    sources { status upstreamCalls calls { purpose path requests status } }
  }
}
"""


@pytest.fixture
def plant() -> Plant:
    return demo_plant(orders=0)


async def assets(plant: Plant, **filters: Any) -> Any:
    return (await plant.run(QUERY, filter=filters or None))["assets"]


def true_path(plant: Plant, equipment: dict[str, Any]) -> str:
    """The names above an equipment in the system's own rows."""
    machines = {
        row["Equipment"]: row for row in plant.rows("sap-eu", "Equipment") if row["ValidityEndDate"].year == 9999
    }
    places = {row["FunctionalLocation"]: row for row in plant.rows("sap-eu", "FunctionalLocation")}
    names, machine = [equipment["EquipmentName"]], equipment
    while machine["SuperordinateEquipment"]:
        machine = machines[machine["SuperordinateEquipment"]]
        names.append(machine["EquipmentName"])
    place = machine["FunctionalLocation"]
    while place:
        names.append(places[place]["FunctionalLocationName"])
        place = places[place]["SuperiorFunctionalLocation"]
    return " / ".join(reversed(names))


async def test_every_asset_tells_its_place_from_the_top(plant: Plant) -> None:
    found = {row["number"]: row["path"] for row in (await assets(plant, kind={"eq": "EQUIPMENT"}))["nodes"]}
    own = [row for row in plant.rows("sap-eu", "Equipment") if row["ValidityEndDate"].year == 9999]
    expected = {row["Equipment"]: true_path(plant, row) for row in own if row["Equipment"] in found}
    assert found == expected
    assert max(path.count(" / ") for path in found.values()) == 4
    places = (await assets(plant, kind={"eq": "FUNCTIONAL_LOCATION"}))["nodes"]
    assert sorted(row["path"].count(" / ") for row in places)[0] == 0
    assert {row["path"].split(" / ")[0] for row in places} == {"Mill at the canal"}


async def test_a_level_is_read_once_for_all_rows(plant: Plant) -> None:
    page = await assets(plant, kind={"eq": "EQUIPMENT"})
    (link,) = (call for call in page["sources"][0]["calls"] if call["purpose"] == "LINK")
    assert (link["path"], link["status"]) == ("nodes.path", "OK")
    assert link["requests"] <= 4  # stations, lines and the site; machines are among the rows
    assert page["sources"][0]["upstreamCalls"] == sum(call["requests"] for call in page["sources"][0]["calls"])


async def test_only_who_selects_it_pays_for_it(plant: Plant) -> None:
    page = (await plant.run(QUERY.replace(" path meta", " meta"), filter=None))["assets"]
    assert [call["purpose"] for call in page["sources"][0]["calls"]] == ["ROWS", "ROWS"]


async def test_a_place_that_is_not_there_leaves_no_path_and_says_so(plant: Plant) -> None:
    for row in plant.rows("sap-eu", "FunctionalLocation"):
        if row["FunctionalLocation"] == "1010":
            row["SuperiorFunctionalLocation"] = "1000"
    for row in (await assets(plant, kind={"eq": "FUNCTIONAL_LOCATION"}))["nodes"]:
        assert row["path"] is None
        assert {"path": "path", "reason": "EMPTY_AT_SOURCE"} in row["meta"]["missing"]


async def test_places_that_lie_in_each_other_have_no_path_and_no_end_of_calls(plant: Plant) -> None:
    for row in plant.rows("sap-eu", "FunctionalLocation"):
        if row["FunctionalLocation"] == "1010":
            row["SuperiorFunctionalLocation"] = next(
                other["FunctionalLocation"]
                for other in plant.rows("sap-eu", "FunctionalLocation")
                if other["SuperiorFunctionalLocation"] == "1010"
            )
    page = await assets(plant, kind={"eq": "EQUIPMENT"})
    assert {row["path"] for row in page["nodes"]} == {None}
    assert {"path": "path", "reason": "UNPARSABLE"} in page["nodes"][0]["meta"]["missing"]
    assert page["sources"][0]["upstreamCalls"] < 10
