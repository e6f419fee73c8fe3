"""Rows of SAP S/4HANA that the bench has beside the samples: what no sample shows, and what is easily confused."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

Row = dict[str, Any]

_MIDNIGHT = datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
_SAME = {
    "CompanyCode": "1010",
    "PurchaseOrderType": "UB",
    "PurchasingProcessingStatus": "02",
    "Supplier": "9",
    "PurchasingOrganization": "1010",
    "PurchasingGroup": "002",
    "PurchaseOrderDate": date(2026, 6, 1),
    "DocumentCurrency": "EUR",
}
_ORDERS: list[Row] = [
    {
        "PurchaseOrder": "9",
        "LastChangeDateTime": _MIDNIGHT.replace(microsecond=7),
        "CorrespncExternalReference": "O'B/1",
    },
    {
        "PurchaseOrder": "10",
        "LastChangeDateTime": _MIDNIGHT.replace(microsecond=5),
        "CorrespncExternalReference": "o'b/1",
    },
    {
        "PurchaseOrder": "100",
        "LastChangeDateTime": _MIDNIGHT.replace(microsecond=6),
        "CorrespncExternalReference": "OB/1",
    },
    {"PurchaseOrder": "66", "LastChangeDateTime": _MIDNIGHT.replace(microsecond=999), "PurchasingGroup": "003"},
    {"PurchaseOrder": "EXT-9", "LastChangeDateTime": _MIDNIGHT.replace(microsecond=1_000), "Supplier": "10"},
]
"""Beside the samples: numbers of different lengths that changed in the same millisecond, and alike references."""
_ITEMS: list[Row] = [
    {
        "PurchaseOrder": "9",
        "PurchaseOrderItem": "10",
        "OrderQuantity": Decimal("0.333"),
        "NetPriceAmount": Decimal("0.30"),
        "NetPriceQuantity": Decimal(1),
        "DocumentCurrency": "EUR",
        "PurchaseOrderItemCategory": "9",
    },
    {
        "PurchaseOrder": "9",
        "PurchaseOrderItem": "20",
        "OrderQuantity": Decimal(3),
        "NetPriceAmount": Decimal("1234567.89"),
        "NetPriceQuantity": Decimal(7),
        "DocumentCurrency": "EUR",
        "PurchaseOrderItemCategory": "",
        "IsCompletelyDelivered": True,
        "IsFinallyInvoiced": True,
    },
]
_NOW = date(9999, 12, 31)
_EQUIPMENT: list[Row] = [
    {
        "Equipment": "10000017",
        "ValidityEndDate": _NOW,
        "EquipmentName": "o'hare VALVE",
        "EquipmentCategory": "M",
        "ABCIndicator": "B",
        "AssetManufacturerName": "halderau",
        "SuperordinateEquipment": "9",
        "FunctionalLocation": "1710",
        "LastChangeDateTime": _MIDNIGHT,
    },
    {"Equipment": "10000018", "ValidityEndDate": date(2025, 1, 31), "EquipmentName": "Sold long ago"},
    {
        "Equipment": "10000019",
        "ValidityEndDate": _NOW,
        "EquipmentName": "Both flagged and in the store",
        "EquipmentIsMarkedForDeletion": True,
        "EquipmentIsInactive": True,
        "EquipmentIsInWarehouse": True,
    },
]
"""One criticality more, one that is no longer, and one to which all cases of the status apply."""
_LOCATIONS: list[Row] = [
    {
        "FunctionalLocation": "1710-CWS-9",
        "FunctionalLocationLabelName": "1710-CWS-9",
        "FunctionalLocationName": "Cooling Water System",
        "AssetManufacturerName": "Halderau",
        "ManufacturerPartTypeName": "CW 9",
        "ManufacturerSerialNumber": "0042",
        "SuperiorFunctionalLocation": "1710-CWS",
        "FuncnlLocIsDeactivated": True,
        "FuncnlLocIsMarkedForDeletion": True,
    }
]
_WORK_ORDERS: list[Row] = [
    {
        "MaintenanceOrder": "9",
        "MaintenanceOrderType": "PM01",
        "MaintenanceOrderDesc": "general CLEANING",
        "SystemStatusText": "REL  PCNF LKD",
        "MaintPriority": "2",
        "Equipment": "9",
        "MaintOrdBasicEndDateTime": datetime(2026, 11, 20, 6, 59, 59, tzinfo=UTC),
        "LeadingOrder": "9",
        "LastChangeDateTime": _MIDNIGHT,
    },
    {
        "MaintenanceOrder": "10",
        "MaintenanceOrderType": "PM01",
        "MaintenanceOrderDesc": "Part of the cleaning",
        "SystemStatusText": "REL",
        "MaintPriority": "2",
        "Equipment": "9",
        "MaintOrdBasicEndDateTime": datetime(2026, 11, 19, 14, 0, tzinfo=UTC),
        "LatestAcceptableCompletionDate": date(2026, 11, 19),
        "LeadingOrder": "9",
        "LastChangeDateTime": _MIDNIGHT,
    },
]
"""One that leads itself and was due a second before the clock of the suite, and one that was due a day earlier."""
_OPERATIONS: list[Row] = [
    {
        "MaintenanceOrder": "9",
        "MaintenanceOrderOperation": "0020",
        "MaintenanceOrderSubOperation": "",
        "OperationDescription": "Left out",
        "SystemStatusText": "REL",
        "IsMarkedForDeletion": True,
        "MaintOrdOperationWorkDuration": Decimal(2),
        "MaintOrdOpWorkDurationUnit": "TAG",
    },
    {
        "MaintenanceOrder": "10",
        "MaintenanceOrderOperation": "0010",
        "MaintenanceOrderSubOperation": "",
        "OperationDescription": "By one contractor",
        "SystemStatusText": "CNF  REL",
        "OperationSupplier": "10300001",
        "OpActualExecutionStartDateTime": datetime(2026, 11, 18, 6, 0, tzinfo=UTC),
        "OpActualExecutionEndDateTime": datetime(2026, 11, 18, 9, 30, tzinfo=UTC),
    },
    {
        "MaintenanceOrder": "10",
        "MaintenanceOrderOperation": "0020",
        "MaintenanceOrderSubOperation": "",
        "OperationDescription": "By another",
        "SystemStatusText": "CNF  REL",
        "OperationSupplier": "10300002",
        "OpActualExecutionStartDateTime": datetime(2026, 11, 18, 8, 0, tzinfo=UTC),
        "OpActualExecutionEndDateTime": datetime(2026, 11, 19, 7, 15, tzinfo=UTC),
    },
    {
        "MaintenanceOrder": "9",
        "MaintenanceOrderOperation": "0010",
        "MaintenanceOrderSubOperation": "",
        "OperationDescription": "Sweep",
        "SystemStatusText": "",
        "OperationPersonResponsible": "1001",
        "MaintOrdOperationWorkDuration": Decimal(30),
        "ActualWorkQuantity": Decimal(45),
        "MaintOrdOpWorkDurationUnit": "MIN",
    },
]
_PRODUCTS: list[Row] = [
    {"Product": f"TYPE-{kind}", "ProductType": kind, "BaseUnit": "ST"}
    for kind in ("VERB", "NLAG", "SERV", "HAWA", "FERT")
] + [{"Product": "10", "ProductType": "ZZZZ", "BaseUnit": "PAK", "ProductStandardID": "0042"}]
_DESCRIPTIONS: list[Row] = [
    {"Product": "10", "Language": "FR", "ProductDescription": "Pièce"},
    {"Product": "10", "Language": "DE", "ProductDescription": "Teil"},
    {"Product": "TYPE-HAWA", "Language": "EN", "ProductDescription": "fuse 16 a"},
]
_VALUATIONS: list[Row] = [
    {
        "Product": "10",
        "ValuationArea": area,
        "ValuationType": "",
        "InventoryValuationProcedure": "S",
        "StandardPrice": price,
        "MovingAveragePrice": Decimal(99),
        "PriceUnitQty": per,
        "Currency": "EUR",
    }
    for area, price, per in (("1010", Decimal(5), Decimal(100)), ("1710", Decimal(50), Decimal(1_000)))
]
"""Two plants that agree on the price of one, and write it for different numbers of pieces."""
_LEVEL: Row = {
    "Material": "10",
    "Plant": "1010",
    "StorageLocation": "0001",
    "Batch": "",
    "Supplier": "",
    "Customer": "",
    "WBSElementInternalID": "0",
    "SDDocument": "",
    "SDDocumentItem": "0",
    "InventorySpecialStockType": "",
    "InventoryStockType": "01",
    "MaterialBaseUnit": "PAK",
    "MatlWrhsStkQtyInMatlBaseUnit": Decimal("0.125"),
}
_STOCK: list[Row] = [
    _LEVEL | {"StorageLocation": "0002"},
    _LEVEL,
    _LEVEL | {"InventorySpecialStockType": "K", "Supplier": "9", "MatlWrhsStkQtyInMatlBaseUnit": Decimal(7)},
]

MORE: Mapping[str, list[Row]] = {
    "A_PurchaseOrder": [_SAME | order for order in _ORDERS],
    "A_PurchaseOrderItem": _ITEMS,
    "Equipment": _EQUIPMENT,
    "FunctionalLocation": _LOCATIONS,
    "MaintenanceOrder": _WORK_ORDERS,
    "MaintenanceOrderOperation": _OPERATIONS,
    "A_Product": _PRODUCTS,
    "A_ProductDescription": _DESCRIPTIONS,
    "A_ProductValuation": _VALUATIONS,
    "A_MatlStkInAcctMod": _STOCK,
}
"""The rows by their entity sets."""
