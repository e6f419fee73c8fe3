"""What is true of the plant in the SAP bench: work orders, assets and products, read by people and from plain data.

Statuses, prices and the sums of stock are written by hand for the rows where they are easily got wrong.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schema.assets import AssetKind, AssetStatus
from schema.inventory import InventoryItemStatus, InventoryItemType
from schema.maintenance import Assignee, AssigneeType, WorkOrderStatus, WorkOrderTaskStatus
from schema.severity import Criticality, Priority
from schema.values import Money, Quantity

Row = dict[str, Any]
Data = Mapping[str, list[Row]]
Truth = dict[str, dict[str, Any]]


def _euros(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")  # type: ignore[arg-type]


_ORDER_STATUSES = {
    WorkOrderStatus.PLANNED: "4000001 4000019 4000021",
    WorkOrderStatus.RELEASED: "4000002 4000003 4000016 4000018 4000020 4000022 800023 EXT-9 10",
    WorkOrderStatus.IN_PROGRESS: "4000004",
    WorkOrderStatus.COMPLETED: "4000005 4000006 4000007 4000008",
    WorkOrderStatus.CLOSED: "4000009 4000010",
    WorkOrderStatus.ON_HOLD: "4000011 9",
    WorkOrderStatus.CANCELED: "4000012 4000013 4000014 4000017",
    WorkOrderStatus.UNKNOWN: "4000015",
}
_ORDERS_ABOUT_TO_BE_DELETED = ("4000012", "4000013", "4000014")
_PRIORITIES = {"1": Priority.CRITICAL, "2": Priority.HIGH, "3": Priority.MEDIUM, "4": Priority.LOW, "": Priority.NONE}

_LATE = "4000003 4000004 9 10"
_NOT_KNOWN_TO_BE_LATE = "4000015 800023 EXT-9"
"""What is overdue on the morning of the suite, and what has no status, or no day to be done by."""

_BY_HAND: Truth = {
    "4000001": {
        "description": "Seal drips, 40 drops a minute.\nSpare pump stands ready.",
        "dueAt": datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        "vendor": None,
        "assignees": None,
        "estimatedHours": Decimal("6.5"),
        "actualHours": None,
        "parts.unitCost": [_euros("212.40"), _euros("1.12")],
        "title": "Replace seal of vacuum pump 1",
        "sourceStatus": "CRTD MANC PRC",
        "asset": "EQ-10000001",
        "organization.code": "1010",
        "location.parentCode": "1010",
        "workCenter.code": "RES-0100",
        "parts.item": ["PMP-SEAL-43", "SEA-ORING-50"],
        "parts.quantityPlanned.value": [Decimal(1), Decimal(2)],
        "parts.quantityPlanned.sourceUnit": ["ST", "ST"],
        "parts.quantityPlanned.unit": ["H87", "H87"],
        "parts.location.code": ["0001", "0001"],
    },
    "4000016": {
        "vendor": "9",
        "assignees": [Assignee(remote_id="9", name=None, type=AssigneeType.VENDOR)],
        "dueAt": datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC),
    },
    "4000021": {"parent": "4000004"},
    "10": {
        "parent": "9",
        "vendor": None,
        "assignees": [
            Assignee(remote_id=number, name=None, type=AssigneeType.VENDOR) for number in ("10300001", "10300002")
        ],
        "dueAt": datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC),
        "actualStart": datetime(2026, 11, 18, 6, 0, tzinfo=UTC),
        "actualDuration": "PT25H15M",
    },
    "4000002": {"supervisor.remoteId": "1001", "plannerGroup.code": "920"},
    "4000004": {
        "vendor": "10300001",
        "estimatedHours": Decimal("22.5"),
        "actualHours": Decimal("12.75"),
        "actualStart": datetime(2026, 10, 2, 6, 10, tzinfo=UTC),
        "actualDuration": None,
        "tasks.number": ["0010", "0020", "0020 0010", "0030"],
        "tasks.title": ["Dismantle", "Replace bearings and seal", "Fetch lifting gear", "Alignment by the maker"],
        "tasks.status": [
            WorkOrderTaskStatus.COMPLETED,
            WorkOrderTaskStatus.IN_PROGRESS,
            WorkOrderTaskStatus.OPEN,
            WorkOrderTaskStatus.OPEN,
        ],
        "tasks.plannedHours": [Decimal(8), Decimal(12), Decimal("0.5"), Decimal(2)],
        "tasks.assignee": [None, None, None, None],
        "parts.item": ["BRG-6205-2RS", "LUB-HLP-46", None, None],
        "parts.description": [
            "Deep groove ball bearing 6205-2RS",
            "Hydraulic oil HLP 46",
            "Special gasket, made to drawing",
            "Mind the coupling guard",
        ],
        "parts.quantityUsed.value": [Decimal(2), Decimal("10.25"), Decimal(0), Decimal(0)],
        "parts.quantityUsed.sourceUnit": ["ST", "L", "ST", None],
        "parts.quantityUsed.unit": ["H87", "LTR", "H87", None],
    },
    "4000010": {"asset": "FL-?0100000000000000003"},
    "4000020": {"asset": None, "tasks.number": [], "parts.item": []},
    "9": {
        "parent": None,
        "assignees": [Assignee(remote_id="1001", name=None, type=AssigneeType.PERSON)],
        "estimatedHours": Decimal("0.5"),
        "actualHours": Decimal("0.75"),
        "tasks.number": ["0010", "0020"],
        "tasks.status": [WorkOrderTaskStatus.UNKNOWN, WorkOrderTaskStatus.CANCELED],
        "tasks.plannedHours": [Decimal("0.5"), None],
        "tasks.actualHours": [Decimal("0.75"), None],
    },
}


def maintenance_orders(data: Data) -> Truth:
    """The truth about maintenance orders by key."""
    statuses = {key: status for status, keys in _ORDER_STATUSES.items() for key in keys.split()}
    found: Truth = {}
    for row in data["MaintenanceOrder"]:
        key = row["MaintenanceOrder"]
        found[key] = {
            "number": key,
            "sourceType": row["MaintenanceOrderType"],
            "status": statuses[key],
            "isDeleted": key in _ORDERS_ABOUT_TO_BE_DELETED if row["SystemStatusText"] else None,
            "priority": _PRIORITIES.get(row.get("MaintPriority", ""), Priority.UNKNOWN),
            "asset": _either(row.get("Equipment"), row.get("FunctionalLocation")),
            "isOverdue": None if key in _NOT_KNOWN_TO_BE_LATE.split() else key in _LATE.split(),
            "scheduledStart": row.get("MaintOrdBasicStartDateTime"),
            "scheduledFinish": row.get("MaintOrdBasicEndDateTime"),
            "actualFinish": row.get("MainWorkCompletedDateTime"),
            "createdAt": row.get("MaintOrderCreationDateTime"),
            "updatedAt": row.get("LastChangeDateTime"),
        } | _BY_HAND.get(key, {})
    return found


def _either(equipment: str | None, location: str | None) -> str | None:
    return f"EQ-{equipment}" if equipment else f"FL-{location}" if location else None


_CRITICALITIES = {"A": Criticality.HIGH, "B": Criticality.MEDIUM, "C": Criticality.LOW, "": Criticality.NONE}
_EQUIPMENT_STATUSES = {
    "9": AssetStatus.INACTIVE,
    "10000010": AssetStatus.DISPOSED,
    "10000012": AssetStatus.IN_STORE,
    "10000019": AssetStatus.DISPOSED,
}
_EQUIPMENT_BY_HAND: Truth = {
    "10000001": {
        "name": "Vacuum pump 1",
        "description": "Liquid ring pump.\nSeal water 6 bar.",
        "parent": "FL-?0100000000000000004",
        "manufacturer": "Halderau",
        "model": "HV 40-200",
        "serialNumber": "HP-2019-0042",
        "purchasePrice.amount": Decimal(18400),
        "purchasePrice.currency": "EUR",
        "purchaseDate": date(2019, 12, 20),
        "commissionedDate": date(2020, 1, 15),
    },
    "10000002": {"parent": "EQ-10000001"},
    "10000010": {"parent": None, "decommissionedDate": date(2026, 3, 31)},
    "10000013": {"purchasePrice.amount": Decimal(250_000), "purchasePrice.currency": "JPY"},
    "10000017": {"parent": "EQ-9"},
}


def equipment(data: Data) -> Truth:
    """The truth about equipment by key: what is now, and nothing of what was."""
    return {
        row["Equipment"]: _asset(row)
        | {
            "number": row["Equipment"],
            "name": row.get("EquipmentName") or None,
            "kind": AssetKind.EQUIPMENT,
            "status": _EQUIPMENT_STATUSES.get(row["Equipment"], AssetStatus.UNKNOWN),
            "isDeleted": row.get("EquipmentIsMarkedForDeletion", False),
        }
        | _EQUIPMENT_BY_HAND.get(row["Equipment"], {})
        for row in data["Equipment"]
        if row["ValidityEndDate"].year == 9999
    }


_LOCATION_TEXTS = {"?0100000000000000001": "Werk am Rheinhafen.\nZwei Papiermaschinen, ein Kesselhaus."}
_LOCATION_STATUSES = {
    "?0100000000000000006": AssetStatus.INACTIVE,
    "?0100000000000000007": AssetStatus.DISPOSED,
    "1710-GONE": AssetStatus.DISPOSED,
    "1710-CWS-9": AssetStatus.DISPOSED,
}


def functional_locations(data: Data) -> Truth:
    """The truth about functional locations by their inner key."""
    return {
        row["FunctionalLocation"]: _asset(row)
        | {
            "number": row["FunctionalLocationLabelName"],
            "name": row["FunctionalLocationName"],
            "description": _LOCATION_TEXTS.get(row["FunctionalLocation"]),
            "kind": AssetKind.FUNCTIONAL_LOCATION,
            "status": _LOCATION_STATUSES.get(row["FunctionalLocation"], AssetStatus.UNKNOWN),
            "isDeleted": row.get("FuncnlLocIsMarkedForDeletion", False),
            "parent": _either(None, row.get("SuperiorFunctionalLocation")),
        }
        for row in data["FunctionalLocation"]
    }


def _asset(row: Row) -> dict[str, Any]:
    return {
        "criticality": _CRITICALITIES[row.get("ABCIndicator", "")],
        "manufacturer": row.get("AssetManufacturerName") or None,
        "organization.code": row.get("CompanyCode") or None,
        "location.code": row.get("AssetLocation") or None,
        "costCenter": row.get("CostCenter") or None,
        "updatedAt": row.get("LastChangeDateTime"),
    }


_TYPES = {
    InventoryItemType.SPARE_PART: "ERSA",
    InventoryItemType.CONSUMABLE: "HIBE VERB",
    InventoryItemType.RAW_MATERIAL: "ROH",
    InventoryItemType.NON_STOCK: "NLAG",
    InventoryItemType.SERVICE: "DIEN SERV",
    InventoryItemType.STOCK: "HAWA FERT",
    InventoryItemType.UNKNOWN: "ZZZZ",
}
_ITEM_STATUSES = {"ELC-VFD-15": InventoryItemStatus.OBSOLETE, "INS-FLOW-80": InventoryItemStatus.UNKNOWN}


def _pieces(amount: int) -> Quantity:
    return Quantity(value=Decimal(amount), unit="H87", source_unit="ST")


def _litres(amount: str) -> Quantity:
    return Quantity(value=Decimal(amount), unit="LTR", source_unit="L")


def _packs(amount: str) -> Quantity:
    return Quantity(value=Decimal(amount), unit=None, source_unit="PAK")


_PRODUCTS_BY_HAND: Truth = {
    "PMP-40-200": {
        "name": "Centrifugal pump 40-200, cast iron",
        "barcode": "4006381333931",
        "manufacturerPartNumber": "HV 40-200",
        "averageCost": _euros("1795.32"),
        "standardCost": Money(amount=Decimal(2040), currency="USD"),  # type: ignore[arg-type]
        "description": "Centrifugal pump, single stage.\nMaterial EN-GJL-250.",
        "isCritical": True,
        "reorderQuantity": _pieces(1),
        "leadTimeDays": None,
        "onHand": _pieces(4),
        "maximum": _pieces(4),
        "reorderPoint": _pieces(2),
        "safetyStock": _pieces(1),
    },
    "PMP-SEAL-43": {
        "leadTimeDays": 10,
        "isCritical": False,
        "onHand": _pieces(4 + 2 + 1 + 3 + 2 + 5),
        "available": _pieces(4 + 3),
        "averageCost": _euros("208.15"),
        "standardCost": None,
        "stockLevels.available.value": [Decimal(amount) for amount in (0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 3)],
    },
    "SEA-ORING-50": {"onHand": _pieces(312), "available": _pieces(240), "averageCost": _euros("1.12")},
    "BRG-22216-E": {"onHand": _pieces(4), "available": _pieces(3), "averageCost": None, "reorderPoint": _pieces(1)},
    "BRG-6205-2RS": {"averageCost": None, "standardCost": _euros("6.84"), "available": _pieces(8)},
    "LUB-HLP-46": {
        "onHand": _litres("384.625"),
        "available": _litres("354.5"),
        "averageCost": _euros("3.18"),
        "reorderPoint": _litres("410.5"),
        "stockLevels.lot": ["0000000109", "B-2/6", "B-2/6"],
        "stockLevels.onHand.value": [Decimal("149.5"), Decimal(205), Decimal("30.125")],
        "isLotTracked": True,
    },
    "FST-M12-60": {"onHand": _pieces(560), "updatedAt": None},
    "PRF-UMLAUT": {"name": "Prüfmaß äöüß ÄÖÜ €12 ½ Å, Größe groß", "onHand": _pieces(7), "available": _pieces(0)},
    "SEA-GSK-100": {"name": None, "stockLevels.lot": []},
    "STL-PLT-10": {"standardCost": _euros("1.185"), "averageCost": Money(amount=Decimal(165), currency="JPY")},  # type: ignore[arg-type]
    "9": {"averageCost": _euros("0.084")},
    "10": {
        "name": "Teil",
        "standardCost": _euros("0.05"),
        "averageCost": None,
        "onHand": _packs("0.25"),
        "available": _packs("0.25"),
        "stockLevels.location.code": ["0001", "0001", "0002"],
        "stockLevels.available.value": [Decimal("0.125"), Decimal(0), Decimal("0.125")],
    },
}


_SHORT = "BRG-6205-2RS CHM-COOL-GL DRV-VBLT-SPA LUB-HLP-46 VLV-BALL-50"
_ENOUGH = "BRG-22216-E DRV-CPL-55 FST-M12-60 PMP-40-200 PMP-SEAL-43 SEA-ORING-50"
"""Which products have less in a plant than its reorder point, and which do not; the others have none."""


def products(data: Data) -> Truth:
    """The truth about products by key."""
    types = {code: meant for meant, codes in _TYPES.items() for code in codes.split()}
    return {
        row["Product"]: {
            "number": row["Product"],
            "type": types[row["ProductType"]],
            "status": _ITEM_STATUSES.get(row["Product"], InventoryItemStatus.ACTIVE),
            "isDeleted": row.get("IsMarkedForDeletion", False),
            "baseUnit": row["BaseUnit"],
            "isBelowMinimum": {**dict.fromkeys(_SHORT.split(), True), **dict.fromkeys(_ENOUGH.split(), False)}.get(
                row["Product"]
            ),
            "category.code": row.get("ProductGroup") or None,
        }
        | _PRODUCTS_BY_HAND.get(row["Product"], {})
        for row in data["A_Product"]
    }
