"""Equipment and functional locations of S/4HANA: one tree, in which equipment stands in places."""

from datetime import date

from connectors.composites import OverChildren, Parts, money
from connectors.decisions import Always, Case, Codes, First
from connectors.fields import At, Can, FirstRef, Ref
from connectors.query import Compare, Comparison
from connectors.spec import Resource
from connectors.systems.sap_s4hana.texts import english
from connectors.systems.sap_s4hana.words import EQUIPMENT, EQUIPMENT_KEY, LOCATION, equipment_at, location_at, moment
from schema.assets import Asset, AssetKind, AssetStatus
from schema.severity import Criticality

_CRITICALITY = {"A": Criticality.HIGH, "B": Criticality.MEDIUM, "C": Criticality.LOW, "": Criticality.NONE}
_UNMAPPED = ("vendor", "installedDate", "warrantyEndDate", "attributes")
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
    "updatedAt": moment("LastChangeDateTime", sort=True),
}
"""What equipment and functional locations have in common."""

equipment = Resource(
    entity=Asset,
    source="API_EQUIPMENT/Equipment",
    key="Equipment",
    key_form=EQUIPMENT_KEY,
    prefix=EQUIPMENT,
    title="name",
    page_size=100,
    is_asked_by_address=True,
    max_keys=60,
    # Equipment is kept in slices of time; the present one has no end.
    where=Compare("ValidityEndDate", Comparison.EQ, date(9999, 12, 31), date),
    fields={
        **_TECHNICAL_OBJECT,
        "number": Ref("Equipment", filter=Can.EQ | Can.NULL, form=EQUIPMENT_KEY),
        "name": At("EquipmentName", filter=Can.EQ | Can.NULL),
        "description": OverChildren(
            "to_LongText", english, {"language": ("Language", str), "text": ("EquipmentLongText", str)}
        ),
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
        "parent": FirstRef(equipment_at("SuperordinateEquipment"), location_at("FunctionalLocation")),
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
    is_asked_by_address=True,
    max_keys=60,
    fields={
        **_TECHNICAL_OBJECT,
        "number": At("FunctionalLocationLabelName", filter=Can.EQ | Can.NULL),
        "name": At("FunctionalLocationName", filter=Can.EQ | Can.NULL),
        "description": OverChildren(
            "to_LongText", english, {"language": ("Language", str), "text": ("FuncnlLocLongText", str)}
        ),
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
        "parent": location_at("SuperiorFunctionalLocation"),
        "decommissionedDate": At("FunctionalLocationEndOfUseDate"),
    },
    unsupported=("createdAt", "sourceStatus"),
    unmapped=_UNMAPPED,
)
