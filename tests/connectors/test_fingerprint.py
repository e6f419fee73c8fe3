"""What is read of systems, what they say of it, and how that differs from before."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.effective import AddedField, AddedObject, EffectiveSystem
from connectors.errors import NoSuchRecords, PermissionDenied, Reauthorize, Unavailable
from connectors.fingerprint import Change, Surveyor, drift_of
from connectors.protocols.shapes import Form, FoundField, Shape
from connectors.readings import RECORD, Reading, readings_of
from connectors.registry import all_systems
from connectors.spec import System
from connectors.systems.odoo.spec import odoo
from connectors.systems.tryton.spec import tryton
from connectors.tally import Tally
from schema.custom import CustomFieldType
from schema.model import EntityType

READING = Reading(EntityType.VENDOR, None, "party", {path: frozenset({path}) for path in ("a", "b.c", "d.e.f", "gone")})
PARTY = Shape(("a",), {"a": FoundField("a", Form.TEXT), "b": FoundField("b", Form.LINK, target="other"),
                       "d": FoundField("d", Form.OTHER)})  # fmt: skip
OTHER = Shape(("c",), {"c": FoundField("c", Form.WHOLE)})


def telling(said: Any) -> Any:
    """A source whose system says this of its collections."""

    async def describe(name: str, tally: Tally, deadline: float) -> Any:
        return said(name) if callable(said) else said

    return SimpleNamespace(describe=describe)


async def survey(said: Any) -> dict[str, str | None]:
    deadline = asyncio.get_running_loop().time() + 1
    return dict(await Surveyor(telling(said), Tally()).survey(READING, deadline))


async def test_a_fingerprint_is_what_is_read_and_nothing_else() -> None:
    found = await survey({"party": PARTY, "other": OTHER})
    assert found == {"a": "TEXT", "b.c": "WHOLE", "d.e.f": "OTHER", "gone": None}
    assert await survey({"other": OTHER}) == dict.fromkeys(READING.fields)
    assert await survey(NoSuchRecords("no module")) == dict.fromkeys(READING.fields)


@pytest.mark.parametrize("said", [None, PermissionDenied("not for you"), {"party": Shape(())}])
async def test_what_is_not_told_is_left_out(said: Any) -> None:
    assert await survey(said) == {}


async def test_links_that_lead_to_what_is_not_told_are_left_out() -> None:
    found = await survey(lambda name: {"party": PARTY} if name == "party" else PermissionDenied("not for you"))
    assert found == {"a": "TEXT", "d.e.f": "OTHER", "gone": None}


@pytest.mark.parametrize("trouble", [Reauthorize("refused"), Unavailable("away")])
async def test_troubles_are_no_answers(trouble: Exception) -> None:
    def fail(name: str) -> Any:
        if isinstance(trouble, Reauthorize):
            return trouble
        raise trouble

    with pytest.raises(type(trouble)):
        await survey(fail)


def test_only_what_was_told_both_times_can_differ() -> None:
    before = {"a": "TEXT", "b.c": "WHOLE", "gone": None}
    assert drift_of(READING, before, before) is None
    assert drift_of(READING, before, {"a": "TEXT"}) is None
    assert drift_of(READING, {}, before) is None
    drift = drift_of(READING, before, {"a": "FLOAT", "b.c": None, "gone": "TEXT"})
    assert drift is not None
    assert (drift.added, drift.removed, drift.changed) == (("gone",), ("b.c",), (Change("a", "TEXT", "FLOAT"),))
    assert drift.affected == ("a", "b.c")


@pytest.mark.parametrize("system", all_systems(), ids=lambda system: system.key)
def test_every_field_that_is_mapped_is_among_the_readings(system: System) -> None:
    found = readings_of(EffectiveSystem(system))
    assert len({reading.name for reading in found}) == len(found)
    for resource in system.resources:
        named = {name for item in found if item.entity is resource.model.type for names in item.fields.values()
                 for name in names}  # fmt: skip
        filled = {name for name, spec in resource.fields.items() if any(spec.paths())}
        assert filled <= {name.partition(".")[0] for name in named}
        assert all("@" not in path for item in found for path in item.fields)


def test_what_the_settings_add_is_read_too() -> None:
    shape = Shape(("id",), {"id": FoundField("id", Form.WHOLE)})
    zone = AddedField(EntityType.ASSET, "zone", "x_zone", CustomFieldType.TEXT, None, ("maintenance.equipment",))
    tools = AddedObject("tools", "x_tool", shape, ("x_name",))
    found = {reading.name: reading for reading in readings_of(EffectiveSystem(odoo, (zone,), (tools,)))}
    assert found["ASSET maintenance.equipment"].fields["x_zone"] == {"customFields.zone"}
    assert found["object tools x_tool"].fields == {"x_name": {"x_name"}, "id": {RECORD}}


def test_collections_beside_and_places_are_read_where_they_are() -> None:
    found = {reading.name: reading for reading in readings_of(EffectiveSystem(tryton))}
    assert "stockLevels.location" in found["INVENTORY_ITEM stock.location"].fields["code"]
    assert "minimum" in found["INVENTORY_ITEM stock.order_point"].fields["min_quantity"]
