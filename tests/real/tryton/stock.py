"""Creates places, what lies at them, and the points at which more is ordered."""

import datetime
from typing import Any

from tests.real.tryton.administrator import Administrator

FOUND_ON = datetime.date(2024, 1, 2)


def create_stock(administrator: Administrator, plant: dict[str, Any]) -> None:
    """Create the plant's places, let its stock be found there, and create its order points."""
    for location in administrator.call("model.stock.location.search_read", [], 0, None, None, ["code", "name"]):
        administrator.remember("stock.location", location["code"] or location["name"], location["id"])
    for place in plant["locations"]:
        _create_place(administrator, place)
    _find(administrator, plant["found"])
    records = [_order_point(administrator, point) for point in plant["order_points"]]
    administrator.create("stock.order_point", records)


def _create_place(administrator: Administrator, place: dict[str, Any]) -> None:
    record = {"name": place["name"], "code": place["code"], "type": place.get("is", "storage")}
    if "in" in place:
        record["parent"] = administrator.id("stock.location", place["in"])
    for zone in ("input", "output", "storage"):
        if name := place.get(zone):
            inner = {"name": name, "type": "storage"}
            (record[f"{zone}_location"],) = administrator.create("stock.location", [inner], [name])
    if record["type"] == "warehouse":
        record["production_location"] = administrator.id("stock.location", "PROD")
    administrator.create("stock.location", [record], [place["code"] or place["name"]])


def _find(administrator: Administrator, found: list[dict[str, Any]]) -> None:
    moves = [
        {
            "product": administrator.id("product.product", item["product"]),
            "unit": _unit(administrator, item["product"]),
            "quantity": float(item["quantity"]),
            "from_location": administrator.id("stock.location", "Lost and Found"),
            "to_location": administrator.id("stock.location", item["at"]),
            "effective_date": FOUND_ON,
        }
        for item in found
    ]
    administrator.call("model.stock.move.do", administrator.create("stock.move", moves))


def _unit(administrator: Administrator, product: str) -> int:
    (row,) = administrator.call(
        "model.product.product.read", [administrator.id("product.product", product)], ["default_uom"]
    )
    unit: int = row["default_uom"]
    return unit


def _order_point(administrator: Administrator, point: dict[str, Any]) -> dict[str, Any]:
    places = {"location": "at", "provisioning_location": "from", "overflowing_location": "to"}
    quantities = {"min_quantity": "minimum", "target_quantity": "target", "max_quantity": "maximum"}
    return {
        "type": point.get("type", "purchase"),
        "product": administrator.id("product.product", point["product"]),
        **{name: administrator.id("stock.location", point[word]) for name, word in places.items() if word in point},
        **{name: float(point[word]) for name, word in quantities.items() if word in point},
    }
