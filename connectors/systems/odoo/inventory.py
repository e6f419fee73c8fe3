"""Products, with what lies beside them: stock at each place, rules of replenishment and receipts on the way."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.composites import Many, OverChildren, Parts, money, quantity
from connectors.decisions import Case, First, Flagged
from connectors.derived import AsOf, FromWords
from connectors.fields import At, Can, FieldSpec, Lookup, Ref
from connectors.query import Compare, Comparison, Where, all_of
from connectors.spec import Beside, Resource
from connectors.systems.odoo.sellers import lead_time, vendor
from connectors.systems.odoo.units import UNITS
from connectors.systems.odoo.values import is_short, only_limit, total
from connectors.systems.odoo.words import KEY, formatted, stamp, text
from schema.filters import Operator
from schema.inventory import InventoryItem, InventoryItemStatus, InventoryItemType

_OWN = ("internal", "transit")
_OPEN = ("waiting", "confirmed", "partially_available", "assigned")


def _in_unit(value: str | FieldSpec, unit: str) -> Parts:
    return quantity(value, unit, Lookup(unit, UNITS))


def _level(path: str) -> Parts:
    return _in_unit(path, "product_uom_id.display_name")


_LEVELS = Many(
    "@quants",
    key="id",
    fields={
        "location": Parts({"code": At("location_id"), "name": At("location_id.display_name")}),
        "lot": At("lot_id.display_name"),
        "onHand": _level("quantity"),
        "available": _level("available_quantity"),
        "reserved": _level("reserved_quantity"),
        "unitCost": money("product_id.standard_price", "product_id.cost_currency_id.name"),
        "asOf": At("write_date"),
    },
)


def _over(collection: str, function: Callable[..., Any], path: str) -> Parts:
    """A number made of what lies beside a product; Odoo keeps all of it in the product's unit."""
    return _in_unit(OverChildren(collection, function, {"amount": (path, Decimal)}), "uom_id.display_name")


def _of_seller(function: Callable[..., Any]) -> AsOf:
    """A value of the vendor that Odoo would buy a product from on a day."""
    sellers = OverChildren(
        "seller_ids",
        list,
        {
            "partner": ("partner_id", str),
            "is_active": ("partner_id.active", bool),
            "product": ("product_id", str),
            "first_day": ("date_start", date),
            "last_day": ("date_end", date),
            "sequence": ("sequence", int),
            "least": ("min_qty", Decimal),
            "price": ("price", Decimal),
            "delay": ("delay", int),
            "key": ("id", int),
        },
    )
    return AsOf(lambda now: FromWords(partial(function, now.date()), {"sellers": sellers, "product": Ref("id")}))


def _with_rules(operator: Operator, value: Any) -> Where | None:
    """Of a product without a rule nothing is known, so that only the others can meet most conditions."""
    finds_unknown = operator is Operator.IS_NULL and value
    return None if finds_unknown else Compare("orderpoint_ids", Comparison.PRESENT, kind=int)


products = Resource(
    entity=InventoryItem,
    source="product.product",
    key="id",
    key_form=KEY,
    title="name",
    beside={
        "quants": Beside(
            "stock.quant",
            key="product_id",
            order="id",
            where=Compare("location_id.usage", Comparison.IN, _OWN),
        ),
        "rules": Beside(
            "stock.warehouse.orderpoint",
            key="product_id",
            order="id",
            where=Compare("active", Comparison.EQ, True, bool),
        ),
        "receipts": Beside(
            "stock.move",
            key="product_id",
            order="id",
            where=all_of(
                Compare("state", Comparison.IN, _OPEN),
                Compare("location_id.usage", Comparison.EQ, "supplier"),
                Compare("location_dest_id.usage", Comparison.IN, _OWN),
            ),
        ),
    },
    fields={
        "number": text("default_code"),
        "name": text("name"),
        "description": formatted("description"),
        "type": First(
            (
                Case("type", "service", InventoryItemType.SERVICE),
                Case("type", "combo", InventoryItemType.KIT),
                Case("is_storable", True, InventoryItemType.STOCK),
                Case("type", "consu", InventoryItemType.CONSUMABLE),
            ),
            filter=Can.EQ,
        ),
        "sourceType": At("type"),
        "status": First(
            (Case("active", True, InventoryItemStatus.ACTIVE), Case("active", False, InventoryItemStatus.INACTIVE)),
            filter=Can.EQ,
        ),
        "createdAt": stamp("create_date"),
        "updatedAt": stamp("write_date"),
        "category": Parts({"code": At("categ_id"), "label": At("categ_id.display_name")}),
        "baseUnit": At("uom_id.display_name"),
        "barcode": text("barcode"),
        "standardCost": money("standard_price", "cost_currency_id.name"),
        "isLotTracked": Flagged("tracking", "lot"),
        "isSerialTracked": Flagged("tracking", "serial"),
        "onHand": _over("@quants", total, "quantity"),
        "available": _over("@quants", total, "available_quantity"),
        "reserved": _over("@quants", total, "reserved_quantity"),
        "onOrder": _over("@receipts", total, "product_qty"),
        "minimum": _over("@rules", only_limit, "product_min_qty"),
        "maximum": _over("@rules", only_limit, "product_max_qty"),
        "reorderPoint": _over("@rules", only_limit, "product_min_qty"),
        "leadTimeDays": _of_seller(lead_time),
        "isBelowMinimum": FromWords(
            is_short,
            {
                "rules": OverChildren(
                    "@rules", list, {"least": ("product_min_qty", Decimal), "place": ("location_id.parent_path", str)}
                ),
                "quants": OverChildren(
                    "@quants", list, {"amount": ("quantity", Decimal), "place": ("location_id.parent_path", str)}
                ),
            },
            narrowed=_with_rules,
        ),
        "preferredVendor": _of_seller(vendor),
        "stockLevels": _LEVELS,
    },
    unsupported=(
        "sourceStatus",
        "isDeleted",
        "organization",
        "purchaseUnit",
        "manufacturerPartNumber",
        "isCritical",
        "reorderQuantity",
        "safetyStock",
    ),
    unmapped=("averageCost",),
)
