"""Maintenance orders, equipment and functional locations of S/4HANA."""

from datetime import date, timedelta
from decimal import Decimal

from connectors.composites import Calculated, Many, Parts, money, quantity
from connectors.decisions import Always, Case, Codes, First
from connectors.fields import At, Can, FirstRef, Joined, Lookup, Ref
from connectors.keys import TEXT, padded
from connectors.query import Compare, Comparison
from connectors.spec import Resource
from connectors.systems.sap_s4hana.statuses import is_flagged, order_status, task_status
from connectors.systems.sap_s4hana.units import UNITS
from connectors.systems.sap_s4hana.work import hours, person
from schema.assets import Asset, AssetKind, AssetStatus
from schema.maintenance import WorkOrder
from schema.severity import Criticality, Priority

_MILLISECOND = timedelta(milliseconds=1)
_ORDER, _EQUIPMENT = padded(12), padded(18)
_TIME = Can.EQ | Can.RANGE | Can.NULL
EQUIPMENT, LOCATION = "EQ-", "FL-"
"""Equipment and functional locations are both assets; these tell their keys apart."""


def _moment(path: str, *, sort: bool = False) -> At:
    return At(path, filter=_TIME, sort=sort, resolution=_MILLISECOND)


def _equipment(path: str, filter: Can = Can.EQ | Can.NULL) -> Ref:
    return Ref(path, filter=filter, form=_EQUIPMENT, prefix=EQUIPMENT)


def _location(path: str, filter: Can = Can.EQ | Can.NULL) -> Ref:
    return Ref(path, filter=filter, prefix=LOCATION)


_TASKS = Many(
    "to_MaintenanceOrderOperation",
    key=("MaintenanceOrderOperation", "MaintenanceOrderSubOperation"),
    key_form=TEXT,
    fields={
        "number": Joined(("MaintenanceOrderOperation", "MaintenanceOrderSubOperation")),
        "title": At("OperationDescription"),
        "sourceType": At("OperationControlKey"),
        "status": Calculated(
            task_status, {"text": ("SystemStatusText", str), "is_deleted": ("IsMarkedForDeletion", bool)}
        ),
        "sourceStatus": At("SystemStatusText"),
        "plannedHours": Calculated(
            hours, {"work": ("MaintOrdOperationWorkDuration", Decimal), "unit": ("MaintOrdOpWorkDurationUnit", str)}
        ),
        "actualHours": Calculated(
            hours, {"work": ("ActualWorkQuantity", Decimal), "unit": ("MaintOrdOpWorkDurationUnit", str)}
        ),
        "assignee": Calculated(person, {"number": ("OperationPersonResponsible", str)}),
    },
)

_PARTS = Many(
    "to_MaintenanceOrderOperation.to_MaintOrderOpComponent_2",
    key=("MaintenanceOrderOperation", "MaintenanceOrderSubOperation", "MaintOrderComponentInternalID"),
    key_form=TEXT,
    fields={
        "item": Ref("Product"),
        "itemNumber": At("Product"),
        "description": At("MaintOrdOperationComponentText"),
        "quantityPlanned": quantity("QuantityInUnitOfEntry", "UnitOfEntry", Lookup("UnitOfEntry", UNITS)),
        "quantityUsed": quantity("QuantityWithdrawnInBaseUnit", "BaseUnit", Lookup("BaseUnit", UNITS)),
        "location": Parts({"code": At("StorageLocation"), "parentCode": At("Plant")}),
    },
)

maintenance_orders = Resource(
    entity=WorkOrder,
    source="API_MAINTENANCEORDER;v=2/MaintenanceOrder",
    key="MaintenanceOrder",
    key_form=_ORDER,
    title="title",
    page_size=100,
    max_keys=60,
    fields={
        "number": Ref("MaintenanceOrder", filter=Can.EQ | Can.NULL, form=_ORDER),
        "title": At("MaintenanceOrderDesc", filter=Can.EQ | Can.NULL),
        "sourceType": At("MaintenanceOrderType"),
        # The status is told in a text that SAP neither filters nor sorts.
        "status": Calculated(order_status, {"text": ("SystemStatusText", str)}),
        "sourceStatus": At("SystemStatusText"),
        "isDeleted": Calculated(is_flagged, {"text": ("SystemStatusText", str)}),
        "priority": Codes(
            "MaintPriority",
            {"1": Priority.CRITICAL, "2": Priority.HIGH, "3": Priority.MEDIUM, "4": Priority.LOW, "": Priority.NONE},
            filter=Can.EQ,
        ),
        "sourcePriority": At("MaintPriority"),
        "asset": FirstRef(_equipment("Equipment"), _location("FunctionalLocation")),
        "location": Parts({"code": At("AssetLocation"), "parentCode": At("MaintenancePlant")}),
        "organization": Parts({"code": At("CompanyCode")}),
        "supervisor": Parts({"remoteId": At("MaintOrdPersonResponsible")}),
        "workCenter": Parts({"code": At("MainWorkCenter")}),
        "plannerGroup": Parts({"code": At("MaintenancePlannerGroup")}),
        "createdAt": _moment("MaintOrderCreationDateTime", sort=True),
        "updatedAt": _moment("LastChangeDateTime", sort=True),
        "scheduledStart": _moment("MaintOrdBasicStartDateTime", sort=True),
        "scheduledFinish": _moment("MaintOrdBasicEndDateTime"),
        "actualFinish": _moment("MainWorkCompletedDateTime"),
        "tasks": _TASKS,
        "parts": _PARTS,
    },
    unmapped=(
        "requester",
        "type",
        "estimatedDuration",
    ),
)

_CRITICALITY = {"A": Criticality.HIGH, "B": Criticality.MEDIUM, "C": Criticality.LOW, "": Criticality.NONE}
_UNMAPPED = ("vendor", "installedDate", "warrantyEndDate")
_TECHNICAL_OBJECT = {
    "criticality": Codes("ABCIndicator", _CRITICALITY, filter=Can.EQ),
    "sourceCriticality": At("ABCIndicator"),
    "assetClass": Parts({"code": At("TechnicalObjectType")}),
    "location": Parts({"code": At("AssetLocation"), "parentCode": At("MaintenancePlant")}),
    "organization": Parts({"code": At("CompanyCode")}),
    "manufacturer": At("AssetManufacturerName", filter=Can.EQ | Can.NULL),
    "model": At("ManufacturerPartTypeName", filter=Can.EQ | Can.NULL),
    "serialNumber": At("ManufacturerSerialNumber", filter=Can.EQ | Can.NULL),
    "partNumber": At("ManufacturerPartNmbr"),
    "commissionedDate": At("OperationStartDate"),
    "purchaseDate": At("AcquisitionDate"),
    "purchasePrice": money("AcquisitionValue", "Currency"),
    "costCenter": At("CostCenter"),
    "updatedAt": _moment("LastChangeDateTime", sort=True),
}
"""What equipment and functional locations have in common."""

equipment = Resource(
    entity=Asset,
    source="API_EQUIPMENT/Equipment",
    key="Equipment",
    key_form=_EQUIPMENT,
    prefix=EQUIPMENT,
    title="name",
    page_size=100,
    max_keys=60,
    # Equipment is kept in slices of time; the present one has no end.
    where=Compare("ValidityEndDate", Comparison.EQ, date(9999, 12, 31), date),
    fields={
        **_TECHNICAL_OBJECT,
        "number": Ref("Equipment", filter=Can.EQ | Can.NULL, form=_EQUIPMENT),
        "name": At("EquipmentName", filter=Can.EQ | Can.NULL),
        "kind": Always(AssetKind.EQUIPMENT),
        "sourceType": At("EquipmentCategory"),
        "status": First(
            (
                Case("EquipmentIsMarkedForDeletion", True, AssetStatus.DISPOSED),
                Case("EquipmentIsInactive", True, AssetStatus.INACTIVE),
                Case("EquipmentIsInWarehouse", True, AssetStatus.IN_STORE),
            ),
            filter=Can.EQ,
        ),
        "isDeleted": At("EquipmentIsMarkedForDeletion", filter=Can.EQ, required=True),
        "parent": FirstRef(_equipment("SuperordinateEquipment"), _location("FunctionalLocation")),
        "decommissionedDate": At("EquipmentEndOfUseDate"),
    },
    unsupported=("createdAt", "sourceStatus"),
    unmapped=_UNMAPPED,
)

functional_locations = Resource(
    entity=Asset,
    source="API_FUNCTIONALLOCATION/FunctionalLocation",
    key="FunctionalLocation",
    prefix=LOCATION,
    title="name",
    page_size=100,
    max_keys=60,
    fields={
        **_TECHNICAL_OBJECT,
        "number": At("FunctionalLocationLabelName", filter=Can.EQ | Can.NULL),
        "name": At("FunctionalLocationName", filter=Can.EQ | Can.NULL),
        "kind": Always(AssetKind.FUNCTIONAL_LOCATION),
        "sourceType": At("FunctionalLocationCategory"),
        "status": First(
            (
                Case("FuncnlLocIsDeleted", True, AssetStatus.DISPOSED),
                Case("FuncnlLocIsMarkedForDeletion", True, AssetStatus.DISPOSED),
                Case("FuncnlLocIsDeactivated", True, AssetStatus.INACTIVE),
            ),
            filter=Can.EQ,
        ),
        "isDeleted": At("FuncnlLocIsMarkedForDeletion", filter=Can.EQ, required=True),
        "parent": _location("SuperiorFunctionalLocation"),
        "decommissionedDate": At("FunctionalLocationEndOfUseDate"),
    },
    unsupported=("createdAt", "sourceStatus"),
    unmapped=_UNMAPPED,
)
