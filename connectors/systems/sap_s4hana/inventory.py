"""Products of S/4HANA with their stock, which another service keeps in eleven-part rows, one for each kind of stock."""

from datetime import timedelta
from decimal import Decimal

from connectors.composites import Calculated, Many, OverChildren, Parts, quantity
from connectors.decisions import Case, Codes, First
from connectors.derived import FromWords
from connectors.fields import At, Can, Lookup, Ref
from connectors.keys import padded
from connectors.spec import Beside, Resource
from connectors.systems.sap_s4hana.stock import (
    average_cost,
    is_critical,
    is_short,
    lead_time,
    limit,
    own_stock,
    standard_cost,
    unrestricted,
    unrestricted_total,
)
from connectors.systems.sap_s4hana.texts import english
from connectors.systems.sap_s4hana.units import UNITS
from schema.inventory import InventoryItem, InventoryItemStatus, InventoryItemType

_PRODUCT = padded(40)
_PLACE = (
    "Plant",
    "StorageLocation",
    "Batch",
    "Supplier",
    "Customer",
    "WBSElementInternalID",
    "SDDocument",
    "SDDocumentItem",
    "InventorySpecialStockType",
    "InventoryStockType",
)
"""What tells the rows of one product's stock apart."""
_AMOUNT = {
    "amount": ("MatlWrhsStkQtyInMatlBaseUnit", Decimal),
    "unit": ("MaterialBaseUnit", str),
    "kind": ("InventoryStockType", str),
    "special": ("InventorySpecialStockType", str),
}
_COST = {
    "control": ("InventoryValuationProcedure", str),
    "standard": ("StandardPrice", Decimal),
    "average": ("MovingAveragePrice", Decimal),
    "per": ("PriceUnitQty", Decimal),
    "currency": ("Currency", str),
}

_STOCK_LEVELS = Many(
    "@stock",
    key=_PLACE,
    fields={
        "location": Parts({"code": At("StorageLocation"), "type": At("InventoryStockType"), "parentCode": At("Plant")}),
        "lot": At("Batch"),
        "onHand": quantity("MatlWrhsStkQtyInMatlBaseUnit", "MaterialBaseUnit", Lookup("MaterialBaseUnit", UNITS)),
        "available": Calculated(unrestricted, _AMOUNT),
    },
    unsupported=("reserved", "asOf"),
    unmapped=("unitCost",),
)


_PLANNING = "to_ProductSupplyPlanning"


def _limit(path: str) -> OverChildren:
    return OverChildren("to_Plant", limit, {"amount": (f"{_PLANNING}.{path}", Decimal), "unit": ("BaseUnit", str)})


_IS_SHORT = FromWords(
    is_short,
    {
        "plants": OverChildren(
            "to_Plant",
            list,
            {"plant": ("Plant", str), "amount": (f"{_PLANNING}.ReorderThresholdQuantity", Decimal)},
        ),
        "stock": OverChildren("@stock", list, _AMOUNT | {"plant": ("Plant", str)}),
    },
)


products = Resource(
    entity=InventoryItem,
    source="API_PRODUCT_SRV/A_Product",
    key="Product",
    key_form=_PRODUCT,
    title="name",
    page_size=100,
    is_asked_by_address=True,
    max_keys=60,
    beside={"stock": Beside("API_MATERIAL_STOCK_SRV/A_MatlStkInAcctMod", key="Material", order=_PLACE)},
    fields={
        "number": Ref("Product", filter=Can.EQ | Can.NULL, form=_PRODUCT),
        "name": OverChildren(
            "to_Description", english, {"language": ("Language", str), "text": ("ProductDescription", str)}
        ),
        "description": OverChildren(
            "to_ProductBasicText", english, {"language": ("Language", str), "text": ("LongText", str)}
        ),
        "type": Codes(
            "ProductType",
            {
                "ERSA": InventoryItemType.SPARE_PART,
                "HIBE": InventoryItemType.CONSUMABLE,
                "VERB": InventoryItemType.CONSUMABLE,
                "ROH": InventoryItemType.RAW_MATERIAL,
                "NLAG": InventoryItemType.NON_STOCK,
                "DIEN": InventoryItemType.SERVICE,
                "SERV": InventoryItemType.SERVICE,
                "HAWA": InventoryItemType.STOCK,
                "FERT": InventoryItemType.STOCK,
            },
            filter=Can.EQ,
        ),
        "sourceType": At("ProductType"),
        "status": First(
            (
                Case("IsMarkedForDeletion", True, InventoryItemStatus.OBSOLETE),
                Case("CrossPlantStatus", "", InventoryItemStatus.ACTIVE),
            ),
            filter=Can.EQ,
        ),
        "sourceStatus": At("CrossPlantStatus"),
        "isDeleted": At("IsMarkedForDeletion", filter=Can.EQ, required=True),
        "updatedAt": At(
            "LastChangeDateTime",
            filter=Can.EQ | Can.RANGE | Can.NULL,
            sort=True,
            resolution=timedelta(milliseconds=1),
        ),
        "category": Parts({"code": At("ProductGroup", filter=Can.EQ | Can.NULL)}),
        "baseUnit": At("BaseUnit"),
        "purchaseUnit": At("PurchaseOrderQuantityUnit"),
        "barcode": At("ProductStandardID", filter=Can.EQ | Can.NULL),
        "manufacturerPartNumber": At("ProductManufacturerNumber", filter=Can.EQ | Can.NULL),
        "standardCost": OverChildren("to_Valuation", standard_cost, _COST),
        "averageCost": OverChildren("to_Valuation", average_cost, _COST),
        "isLotTracked": At("IsBatchManagementRequired"),
        "isCritical": OverChildren("to_Plant", is_critical, {"flag": ("ProductIsCriticalPrt", bool)}),
        "onHand": OverChildren("@stock", own_stock, _AMOUNT),
        "available": OverChildren("@stock", unrestricted_total, _AMOUNT),
        "maximum": _limit("MaximumStockQuantity"),
        "reorderPoint": _limit("ReorderThresholdQuantity"),
        "reorderQuantity": _limit("FixedLotSizeQuantity"),
        "safetyStock": _limit("SafetyStockQuantity"),
        "leadTimeDays": OverChildren(
            "to_Plant", lead_time, {"days": (f"{_PLANNING}.PlannedDeliveryDurationInDays", Decimal)}
        ),
        "isBelowMinimum": _IS_SHORT,
        "stockLevels": _STOCK_LEVELS,
    },
    unsupported=(
        "createdAt",
        "organization",
        "reserved",
        "onOrder",
    ),
    unmapped=(
        "isSerialTracked",
        "minimum",
        "preferredVendor",
    ),
)
