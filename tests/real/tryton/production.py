"""Creates the productions of `plant.json` with their works, and leads each to the state where it shall stand."""

import datetime
from typing import Any

from tests.real.tryton.administrator import Administrator

MADE = "PUMP-K"
WORKED = datetime.timedelta(hours=1, minutes=30)
PATHS = {
    "draft": [],
    "waiting": ["wait"],
    "assigned": ["wait", "assign_try"],
    "running": ["wait", "assign_try", "run"],
    "done": ["wait", "assign_try", "run", "do"],
    "cancelled": ["wait", "cancel"],
}


def create_productions(administrator: Administrator, plant: dict[str, Any]) -> None:
    """Create work centers and operations, then the productions one by one."""
    warehouse = administrator.id("stock.location", "WH")
    for model, names, more in (
        ("production.work.center", plant["work_centers"], {"warehouse": warehouse}),
        ("production.routing.operation", plant["operations"], {}),
    ):
        administrator.create(model, [{"name": name, **more} for name in names], names)
    for production in plant["productions"]:
        _create_production(administrator, production, plant["made_of"])


def _part(administrator: Administrator, product: str, quantity: float) -> dict[str, Any]:
    id_ = administrator.id("product.product", product)
    (row,) = administrator.call("model.product.product.read", [id_], ["default_uom"])
    return {"product": id_, "unit": row["default_uom"], "quantity": float(quantity)}


def _create_production(administrator: Administrator, production: dict[str, Any], made_of: list[dict[str, Any]]) -> None:
    warehouse = administrator.id("stock.location", production.get("warehouse", "WH"))
    center = production.get("center")
    record: dict[str, Any] = {
        "type": production.get("type", "assembly"),
        "warehouse": warehouse,
        "location": administrator.id("stock.location", "PROD"),
        "reference": production.get("reference"),
        "work_center": administrator.id("production.work.center", center) if center else None,
        "works": [
            ["create", [_work(administrator, name, center, 10 * place)]]
            for place, name in enumerate(production.get("works", ()), 1)
        ],
    }
    if production.get("product", MADE):
        (stored,) = administrator.call("model.stock.location.read", [warehouse], ["storage_location"])
        quantity = production["quantity"]
        record |= _part(administrator, MADE, quantity)
        inputs = [_part(administrator, part["product"], part["quantity"] * quantity) for part in made_of]
        to_work = {"from_location": stored["storage_location"], "to_location": record["location"]}
        record["inputs"] = [["create", [part | to_work for part in inputs]]]
    (id_,) = administrator.create("production", [record])
    for step in PATHS[production["until"]]:
        if step == "do":
            _work_off(administrator, id_, production)
        administrator.call(f"model.production.{step}", [id_])
    if production["until"] != "done":
        _work_off(administrator, id_, production)


def _work(administrator: Administrator, operation: str, center: str | None, sequence: int) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "operation": administrator.id("production.routing.operation", operation),
        "work_center": administrator.id("production.work.center", center) if center else None,
    }


def _work_off(administrator: Administrator, production: int, plan: dict[str, Any]) -> None:
    """Finished works have a cycle that is done, started ones one that runs; paused ones wait for a second one."""
    for word, steps, cycles in (("finished", ("run", "do"), 1), ("started", ("run",), 1), ("paused", ("run", "do"), 2)):
        for operation in plan.get(word, ()):
            place = ["operation.name", "=", operation]
            (work,) = administrator.find("production.work", ["production", "=", production], place)
            first, *_ = administrator.create("production.work.cycle", [{"work": work}] * cycles)
            for step in steps:
                if step == "do":
                    administrator.call("model.production.work.cycle.write", [first], {"duration": WORKED})
                administrator.call(f"model.production.work.cycle.{step}", [first])
