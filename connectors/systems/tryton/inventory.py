"""Products, with what lies beside them: stock in all places and in each, what is assigned, ordered and kept ready.

Tryton keeps no stock: it counts moves, whenever it is asked for the quantity of a product at places that the question
names. So places are read first. Counting is one question for all places together, and one for each place apart.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.composites import Calculated, EachChild, Many, OverChildren, Parts
from connectors.decisions import Case, First
from connectors.fields import At, Can, FieldSpec
from connectors.keys import NUMBER
from connectors.query import Compare, Comparison, all_of
from connectors.spec import Beside, Places, Resource
from connectors.systems.tryton.values import all_counted, cost, counted, identifier, only, total
from connectors.systems.tryton.words import in_unit, searched, stamp, text
from schema.inventory import InventoryItem, InventoryItemStatus, InventoryItemType

_STORES = Compare("type", Comparison.EQ, "storage")
_HERE = {"with_childs": False}
_FREE = {"with_childs": False, "stock_assign": True}


def _moves(*conditions: Compare) -> Beside:
    return Beside("stock.move", key="product", order="id", where=all_of(*conditions))


_BESIDE = {
    "counted": Beside(
        "product.product", key="id", order="id", context=_HERE, places=Places("locations", "stock.location", _STORES)
    ),
    "free": Beside(
        "product.product", key="id", order="id", context=_FREE, places=Places("locations", "stock.location", _STORES)
    ),
    "levels": Beside(
        "product.product",
        key="id",
        order="id",
        where=Compare("quantity", Comparison.NOT_EQ, 0, int),
        context=_HERE,
        places=Places("locations", "stock.location", _STORES, apart=True),
    ),
    "assigned": _moves(
        Compare("state", Comparison.EQ, "assigned"),
        Compare("from_location.type", Comparison.EQ, "storage"),
    ),
    "arriving": _moves(
        Compare("state", Comparison.IN, ("draft", "assigned")),
        Compare("from_location.type", Comparison.EQ, "supplier"),
        Compare("to_location.type", Comparison.EQ, "storage"),
    ),
    "points": Beside("stock.order_point", key="product", order="id", where=Compare("type", Comparison.EQ, "purchase")),
}

_LEVELS = Many(
    "@levels",
    key=("id", "@place.id"),
    fields={
        "location": Parts(
            {
                "code": At("@place.code"),
                "name": At("@place.name"),
                "type": At("@place.type"),
                "parentCode": At("@place.parent.code"),
            }
        ),
        "onHand": in_unit(Calculated(counted, {"amount": ("quantity", Decimal)}), "default_uom"),
    },
    unsupported=("lot",),
    unmapped=("asOf", "available", "reserved", "unitCost"),
)


def _over(collection: str, function: Callable[..., Any], path: str) -> Parts:
    """A number made of what lies beside a product; Tryton keeps all of it in the product's unit."""
    return in_unit(OverChildren(collection, function, {"amount": (path, Decimal)}), "default_uom")


def _identifier(kind: str) -> FieldSpec:
    return OverChildren("identifiers", identifier(kind), {"kind": ("type", str), "code": ("code", str)})


products = Resource(
    entity=InventoryItem,
    source="product.product",
    key="id",
    key_form=NUMBER,
    title="name",
    max_keys=200,
    beside=_BESIDE,
    fields={
        "number": text("code"),
        "name": searched("name"),
        "type": First(
            (
                Case("type", "service", InventoryItemType.SERVICE),
                Case("consumable", True, InventoryItemType.CONSUMABLE),
                Case("type", "goods", InventoryItemType.STOCK),
            ),
            filter=Can.EQ,
        ),
        "sourceType": At("type"),
        "status": First(
            (Case("active", True, InventoryItemStatus.ACTIVE), Case("active", False, InventoryItemStatus.INACTIVE)),
            filter=Can.EQ,
        ),
        "createdAt": stamp("create_date"),
        "updatedAt": stamp("last_modified_at"),
        "category": EachChild("categories", Parts({"code": At("code"), "label": At("rec_name")})),
        "baseUnit": At("default_uom.symbol"),
        "purchaseUnit": At("purchase_uom.symbol"),
        "barcode": _identifier("ean"),
        "manufacturerPartNumber": _identifier("mpn"),
        "standardCost": OverChildren(
            "cost_prices", cost, {"amount": ("cost_price", Decimal), "currency": ("company.currency.code", str)}
        ),
        "onHand": _over("@counted", all_counted, "quantity"),
        "available": _over("@free", all_counted, "quantity"),
        "reserved": _over("@assigned", total, "internal_quantity"),
        "onOrder": _over("@arriving", total, "internal_quantity"),
        "minimum": _over("@points", only, "min_quantity"),
        "maximum": _over("@points", only, "target_quantity"),
        "reorderPoint": _over("@points", only, "min_quantity"),
        "stockLevels": _LEVELS,
    },
    unsupported=("sourceStatus", "isDeleted", "organization", "safetyStock"),
    unmapped=(
        "averageCost",
        "description",
        "isBelowMinimum",
        "isCritical",
        "isLotTracked",
        "isSerialTracked",
        "leadTimeDays",
        "preferredVendor",
        "reorderQuantity",
    ),
)
