"""The plant behind the sandbox of SAP S/4HANA: work orders, assets, items and stock as the services give them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest

from connectors.sandbox.odata_v2 import EntitySet, read_services
from connectors.systems.sap_s4hana.sandbox import ENTITIES, USERS, facts, samples, sandbox

Connect = Callable[..., httpx.AsyncClient]
BASE = "http://plant.example/sap/opu/odata/sap"
ORDERS = "API_MAINTENANCEORDER;v=2"
EQUIPMENT = "API_EQUIPMENT"
LOCATIONS = "API_FUNCTIONALLOCATION"
PRODUCTS = "API_PRODUCT_SRV"
STOCK = "API_MATERIAL_STOCK_SRV"
PARTNERS = "API_BUSINESS_PARTNER"
NOT_HERE = "/IWBEP/CM_MGW_RT/022"
NO_SEGMENT = "005056A509B11EE1B9A8FEC11C21D78E"
SETS: Mapping[str, EntitySet] = {
    name: entity_set for service in read_services(facts()).values() for name, entity_set in service.entity_sets.items()
}


@pytest.fixture
async def client(connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(sandbox(), auth=tuple(*USERS.items()), base_url=BASE) as opened:
        yield opened


async def read(client: httpx.AsyncClient, path: str, **params: str) -> Any:
    answer = await client.get(f"/{path}", params=params or None)
    assert answer.status_code == 200, answer.text
    return answer.json()["d"]


async def rows(client: httpx.AsyncClient, path: str, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await read(client, path, **params))["results"]
    return found


def test_facts_say_what_may_be_asked() -> None:
    order = SETS["MaintenanceOrder"]
    assert (len(order.properties), order.deletable, order.namespace) == (101, False, "cds_api_maintenanceorder_2")
    unasked = {name for name, prop in order.properties.items() if not prop.filterable}
    assert unasked == {"SystemStatusText", "UserStatusText"}
    unsorted = {name for name, prop in order.properties.items() if not prop.sortable}
    assert unsorted == unasked | {"TechnicalObject", "TechnicalObjectLabel", "TechObjIsEquipOrFuncnlLoc"}
    assert SETS["Equipment"].key == ("Equipment", "ValidityEndDate")
    assert not SETS["Equipment"].properties["FunctionalLocation"].updatable
    assert not SETS["FunctionalLocation"].properties["FunctionalLocationLabelName"].creatable
    assert len(SETS["A_MatlStkInAcctMod"].key) == 11
    assert not SETS["A_MatlStkInAcctMod"].creatable
    assert "ReorderThresholdQuantity" in SETS["A_ProductSupplyPlanning"].properties
    assert "ReorderThresholdQuantity" not in SETS["A_ProductPlant"].properties
    assert SETS["A_ProductValuation"].properties["StandardPrice"].is_amount
    assert not SETS["A_ProductPlant"].navigation["to_ProductSupplyPlanning"].many


@pytest.mark.parametrize("name", ["A_Product", "A_ProductPlant", "A_ProductSupplyPlanning", "A_ProductValuation"])
def test_every_part_of_a_product_knows_its_unit(name: str) -> None:
    assert SETS[name].properties["BaseUnit"].semantics == "unit-of-measure"


def test_kinds_of_records_are_those_of_the_services() -> None:
    assert set(ENTITIES) == set(read_services(facts()))
    assert sandbox().entities == ["ASSET", "INVENTORY_ITEM", "PURCHASE_ORDER", "VENDOR", "WORK_ORDER"]


@pytest.mark.parametrize(
    "path",
    [
        f"{ORDERS}/MaintenanceOrder?$filter=SystemStatusText eq 'REL'",
        f"{ORDERS}/MaintenanceOrder?$filter=substringof('REL',SystemStatusText)",
        f"{ORDERS}/MaintenanceOrder?$filter=UserStatusText ne ''",
        f"{ORDERS}/MaintenanceOrder?$orderby=SystemStatusText",
        f"{ORDERS}/MaintenanceOrder?$orderby=TechnicalObjectLabel",
        f"{ORDERS}/MaintenanceOrderOperation?$filter=SystemStatusText eq 'REL'",
        f"{ORDERS}/MaintenanceOrderLongText?$orderby=MaintenanceOrderLongText",
    ],
)
async def test_what_may_not_be_filtered_or_sorted(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, NOT_HERE)


@pytest.mark.parametrize(
    "path",
    [
        f"{ORDERS}/MaintenanceOrder('4000001')/to_Equipment",
        f"{ORDERS}/MaintenanceOrder?$expand=to_FunctionalLocation",
        f"{ORDERS}/MaintOrderOpComponent?$expand=to_Product",
        f"{ORDERS}/MaintenanceOrderOperation?$expand=to_MaintOrderOpComponent",
        f"{EQUIPMENT}/Equipment?$expand=to_FunctionalLocation",
        f"{LOCATIONS}/FunctionalLocation?$expand=to_Equipment",
        f"{LOCATIONS}/FunctionalLocation?$select=SystemStatusText",
        f"{PRODUCTS}/A_Product?$select=ProductDescription",
        f"{PRODUCTS}/A_ProductPlant?$select=ReorderThresholdQuantity",
        f"{PRODUCTS}/A_Product('66')/to_MatlStkInAcctMod",
        f"{STOCK}/A_Product",
        f"{PARTNERS}/A_Supplier?$expand=to_BusinessPartner",
    ],
)
async def test_there_is_no_way_to_another_service(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, NO_SEGMENT)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{EQUIPMENT}/Equipment('10000001')", 400),
        (f"{EQUIPMENT}/Equipment(Equipment='10000001')", 400),
        (f"{EQUIPMENT}/Equipment(Equipment='10000001',ValidityEndDate='9999-12-31')", 400),
        (f"{EQUIPMENT}/Equipment(Equipment='10000001',ValidityEndDate=datetimeoffset'9999-12-31T00:00:00Z')", 400),
        (f"{EQUIPMENT}/Equipment(Equipment='10000001',ValidityEndDate=datetime'2024-01-01T00:00:00')", 404),
        (f"{STOCK}/A_MatlStkInAcctMod(Material='66',Plant='1010',StorageLocation='0001')", 400),
        (f"{ORDERS}/MaintenanceOrder('4099999')", 404),
        (f"{ORDERS}/MaintenanceOrder(4000001)", 400),
        ("API_MAINTENANCEORDER/MaintenanceOrder", 403),
    ],
)
async def test_keys_are_complete_and_typed(client: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await client.get(f"/{path}")).status_code == status


async def test_every_entity_is_found_under_its_own_address(client: httpx.AsyncClient) -> None:
    for service in read_services(facts()).values():
        for name in service.entity_sets:
            for row in await rows(client, f"{service.segment}/{name}"):
                again = await client.get(row["__metadata"]["uri"])
                assert again.json()["d"] == row, row["__metadata"]["uri"]


async def test_every_set_can_be_sorted_by_what_may_be(client: httpx.AsyncClient) -> None:
    for service in read_services(facts()).values():
        for name, entity_set in service.entity_sets.items():
            names = [each for each, prop in entity_set.properties.items() if prop.sortable]
            answer = await client.get(f"/{service.segment}/{name}", params={"$orderby": ",".join(names[:40])})
            assert answer.status_code == 200, answer.text


async def test_an_order_with_operations_and_parts(client: httpx.AsyncClient) -> None:
    path = f"{ORDERS}/MaintenanceOrder('000004000004')"
    order = await read(
        client,
        path,
        **{"$expand": "to_MaintenanceOrderOperation/to_MaintOrderOpComponent_2,to_MaintOrderObjectListItem"},
    )
    assert order["__metadata"]["type"] == "cds_api_maintenanceorder_2.MaintenanceOrderType"
    assert order["__metadata"]["etag"] == "W/\"datetimeoffset'2026-06-30T22%3A00%3A00Z'\""
    assert (order["MaintenanceOrder"], order["SystemStatusText"]) == ("4000004", "REL  PCNF GMPS MANC PRC  SETC")
    assert (order["TechnicalObject"], order["TechnicalObjectLabel"]) == ("000000000010000001", "10000001")
    assert order["FunctionalLocation"] == "?0100000000000000004"
    assert order["MaintOrdBasicStartDate"] == "/Date(1790812800000)/"
    assert order["MaintOrdBasicStartDateTime"] == "/Date(1790834400000+0000)/"
    assert order["MaintOrdBasicStartTime"] == "PT06H00M00S"
    steps = {
        (step["MaintenanceOrderOperation"], step["MaintenanceOrderSubOperation"]): step
        for step in order["to_MaintenanceOrderOperation"]["results"]
    }
    assert set(steps) == {("0010", ""), ("0020", ""), ("0020", "0010"), ("0030", "")}
    assert steps["0010", ""]["SystemStatusText"] == "CNF  JBFI REL"
    assert (steps["0010", ""]["ActualWorkQuantity"], steps["0010", ""]["ForecastWorkQuantity"]) == ("9.250", "8.0")
    assert steps["0030", ""]["OpExternalProcessingPrice"] == "1280.00"
    parts = {
        part["MaintenanceOrderComponent"]: part for part in steps["0020", ""]["to_MaintOrderOpComponent_2"]["results"]
    }
    assert [parts[number]["Product"] for number in sorted(parts)] == ["BRG-6205-2RS", "LUB-HLP-46", "", ""]
    assert (parts["0010"]["MaintOrdOpCompRequiredQuantity"], parts["0010"]["BaseUnit"]) == ("2", "ST")
    assert (parts["0020"]["MaintOrdOpCompRequiredQuantity"], parts["0020"]["BaseUnit"]) == ("12.500", "L")
    assert parts["0040"]["MaintOrdOpCompRequiredQuantity"] == "0.000"
    assert order["to_MaintOrderObjectListItem"]["results"][0]["MaintenanceOrderObjectList"] == "203"


async def test_a_german_user_reads_german_words(connect: Connect) -> None:
    chosen = {"$filter": "MaintenanceOrder eq '4000004'", "$select": "SystemStatusText"}
    async with connect(sandbox(language="DE"), auth=tuple(*USERS.items()), base_url=BASE) as client:
        path = f"{ORDERS}/MaintenanceOrder"
        german, english = (
            await rows(client, path, **chosen),
            await rows(client, path, **chosen, **{"sap-language": "EN"}),
        )
    assert german[0]["SystemStatusText"] == "FREI TRÜC WABE NMVP VOKL ABRV"
    assert english[0]["SystemStatusText"] == "REL  PCNF GMPS MANC PRC  SETC"


async def test_an_equipment_has_a_slice_for_each_time(client: httpx.AsyncClient) -> None:
    slices = await rows(client, f"{EQUIPMENT}/Equipment", **{"$filter": "Equipment eq '10000001'"})
    assert len(slices) == 3
    present = {"$filter": "ValidityEndDate eq datetime'9999-12-31T00:00:00'"}
    assert len(await rows(client, f"{EQUIPMENT}/Equipment", **present)) == 12
    path = f"{EQUIPMENT}/Equipment(Equipment='10000001',ValidityEndDate=datetime'9999-12-31T00:00:00')"
    pump = await read(client, path, **{"$expand": "to_Partner,to_Warranty,to_LongText"})
    assert (pump["ValidityEndDate"], pump["EquipmentIsInstalled"]) == ("/Date(253402214400000)/", True)
    assert pump["FunctionalLocationLabelName"] == "1010-PM1-PRS-P01"
    assert (pump["AcquisitionValue"], pump["GrossWeight"]) == ("18400.00", "412.500")
    assert {row["PartnerFunction"] for row in pump["to_Partner"]["results"]} == {"VN", "VW"}
    assert sorted(row["WarrantyEndDate"] or "" for row in pump["to_Warranty"]["results"]) == [
        "",
        "/Date(1642118400000)/",
    ]
    assert pump["to_LongText"]["EquipmentLongText"].startswith("Liquid ring pump.")
    yen = await rows(client, f"{EQUIPMENT}/Equipment", **{"$filter": "Currency eq 'JPY'"})
    assert [row["AcquisitionValue"] for row in yen] == ["250000"]


async def test_locations_have_a_key_and_a_label(client: httpx.AsyncClient) -> None:
    found = await rows(client, f"{LOCATIONS}/FunctionalLocation", **{"$orderby": "FunctionalLocationLabelName"})
    by_key = {row["FunctionalLocation"]: row for row in found}
    stations = (row for row in found if row["FunctionalLocationLabelName"] == "1010-PM1-PRS-P01")
    station = next(stations, None)
    labels = []
    while station is not None:
        labels.append(station["FunctionalLocationLabelName"])
        assert station["SuperiorFuncnlLocLabelName"] == "-".join(labels[-1].split("-")[:-1])
        station = by_key.get(station["SuperiorFunctionalLocation"])
    assert labels == ["1010-PM1-PRS-P01", "1010-PM1-PRS", "1010-PM1", "1010"]
    assert (await read(client, f"{LOCATIONS}/FunctionalLocation('%3F0100000000000000001')"))["CityName"] == "Duisburg"
    assert (await client.get(f"/{LOCATIONS}/FunctionalLocation('1010')")).status_code == 404


async def test_an_item_with_its_plants_and_prices(client: httpx.AsyncClient) -> None:
    expand = "to_Description,to_Plant/to_ProductSupplyPlanning,to_Plant/to_StorageLocation,to_Valuation"
    item = await read(client, f"{PRODUCTS}/A_Product('PMP-40-200')", **{"$expand": expand})
    assert "etag" not in item["__metadata"]
    assert {row["Language"] for row in item["to_Description"]["results"]} == {"EN", "DE"}
    plants = {row["Plant"]: row for row in item["to_Plant"]["results"]}
    assert plants["1010"]["to_ProductSupplyPlanning"]["ReorderThresholdQuantity"] == "2"
    assert plants["1010"]["MRPType"] == plants["1010"]["to_ProductSupplyPlanning"]["MRPType"] == "VB"
    assert len(plants["1010"]["to_StorageLocation"]["results"]) == 2
    prices = {row["ValuationArea"]: row for row in item["to_Valuation"]["results"]}
    assert (prices["1010"]["MovingAveragePrice"], prices["1710"]["Currency"]) == ("1795.32", "USD")
    oil = await read(client, f"{PRODUCTS}/A_Product('LUB-HLP-46')", **{"$expand": "to_Plant/to_ProductSupplyPlanning"})
    assert oil["to_Plant"]["results"][0]["to_ProductSupplyPlanning"]["ReorderThresholdQuantity"] == "410.500"
    yen = await rows(client, f"{PRODUCTS}/A_ProductValuation", **{"$filter": "Currency eq 'JPY'"})
    assert [(row["MovingAveragePrice"], row["PriceUnitQty"]) for row in yen] == [("165000", "1000")]


async def test_stock_has_a_row_for_every_kind(client: httpx.AsyncClient) -> None:
    seal = await read(client, f"{STOCK}/A_MaterialStock('PMP-SEAL-43')", **{"$expand": "to_MatlStkInAcctMod"})
    kinds = {
        (row["InventoryStockType"], row["InventorySpecialStockType"]): row["MatlWrhsStkQtyInMatlBaseUnit"]
        for row in seal["to_MatlStkInAcctMod"]["results"]
    }
    assert {kind for kind, _ in kinds} == {"01", "02", "05", "06", "07"}
    assert {special for _, special in kinds} == {"", "E", "K", "O", "Q", "W"}
    key = (
        "Material='FST-M12-60',Plant='1010',StorageLocation='0001',Batch='',Supplier='',Customer='',"
        "WBSElementInternalID='00000000',SDDocument='',SDDocumentItem='0',InventorySpecialStockType='',"
        "InventoryStockType='01'"
    )
    row = await read(client, f"{STOCK}/A_MatlStkInAcctMod({key})")
    assert (row["MatlWrhsStkQtyInMatlBaseUnit"], row["WBSElementInternalID"]) == ("-40", "0")
    oil = await rows(client, f"{STOCK}/A_MatlStkInAcctMod", **{"$filter": "Material eq 'LUB-HLP-46'"})
    assert sorted(row["MatlWrhsStkQtyInMatlBaseUnit"] for row in oil) == ["149.500", "205.000", "30.125"]
    glycol = await rows(client, f"{STOCK}/A_MatlStkInAcctMod", **{"$filter": "Material eq 'CHM-COOL-GL'"})
    assert glycol[0]["MatlWrhsStkQtyInMatlBaseUnit"] == "17.0005"


async def test_a_partner_with_all_ways_to_reach_it(client: httpx.AsyncClient) -> None:
    ways = "to_EmailAddress", "to_PhoneNumber", "to_MobilePhoneNumber", "to_URLAddress"
    expand = ",".join(f"to_BusinessPartnerAddress/{way}" for way in ways)
    partner = await read(client, f"{PARTNERS}/A_BusinessPartner('10300001')", **{"$expand": expand})
    addresses = {row["AddressID"]: row for row in partner["to_BusinessPartnerAddress"]["results"]}
    first = addresses["20001"]
    default = [row["EmailAddress"] for row in first["to_EmailAddress"]["results"] if row["IsDefaultEmailAddress"]]
    assert default == ["Orders@Halderau-Pumpen.example"]
    assert {row["PhoneNumberType"] for row in first["to_PhoneNumber"]["results"]} == {"1", ""}
    assert {row["PhoneNumberType"] for row in first["to_MobilePhoneNumber"]["results"]} == {"3"}
    dates = {row["OrdinalNumber"]: row["ValidityStartDate"] for row in first["to_URLAddress"]["results"]}
    assert dates == {"1": "/Date(-62135769600000)/", "2": "/Date(1735689600000)/"}
    assert addresses["20002"]["to_PhoneNumber"]["results"] == []


def test_samples_show_every_case() -> None:
    data = samples()
    orders = data["MaintenanceOrder"]
    codes = {code for order in orders for code in order["SystemStatusText"].split()}
    assert codes >= {"CRTD", "REL", "PCNF", "CNF", "TECO", "CLSD", "LKD", "DLFL", "NOEX", "MSPT", "XYZ1"}
    assert "" in {order["SystemStatusText"] for order in orders}
    assert {order["MaintPriority"] for order in orders} == {"", "1", "2", "3", "4", "9"}
    assert {order["MaintenanceOrderType"] for order in orders} >= {"PM01", "PM02", "PM03", "PM04", "ZZ99"}
    objects = {(bool(order.get("Equipment")), bool(order.get("FunctionalLocation"))) for order in orders}
    assert objects == {(True, True), (True, False), (False, True), (False, False)}
    assert {order.get("MaintOrdBasicStartDateTime") is None for order in orders} == {True, False}
    assert None in {order.get("LastChangeDateTime") for order in orders}
    places = {place["FunctionalLocation"]: place for place in data["FunctionalLocation"]}
    assert any(key != place["FunctionalLocationLabelName"] for key, place in places.items())
    superior = {place.get("SuperiorFunctionalLocation", "") for place in places.values()}
    assert superior - places.keys() == {"", "1710-LOST"}
    assert {row["EquipmentCategory"] for row in data["Equipment"]} == {"F", "M", "P", "Q"}
    described: dict[str, set[str]] = {row["Product"]: set() for row in data["A_Product"]}
    for row in data["A_ProductDescription"]:
        described[row["Product"]].add(row["Language"])
    assert {frozenset(each) for each in described.values()} >= {
        frozenset(),
        frozenset(("DE",)),
        frozenset(("EN",)),
        frozenset(("EN", "DE")),
    }
    stocked = {row["Material"] for row in data["A_MatlStkInAcctMod"]}
    products = {row["Product"] for row in data["A_Product"]}
    assert products - stocked
    assert stocked - products == {"OLD-PART-1"}
    assert any(row["MatlWrhsStkQtyInMatlBaseUnit"] < 0 for row in data["A_MatlStkInAcctMod"])
    assert {row["InventoryStockType"] for row in data["A_MatlStkInAcctMod"]} == {f"0{n}" for n in range(1, 9)}


@pytest.mark.parametrize(
    ("entity_set", "property_", "target", "key", "missing"),
    [
        ("MaintenanceOrder", "Equipment", "Equipment", "Equipment", set()),
        ("MaintenanceOrder", "FunctionalLocation", "FunctionalLocation", "FunctionalLocation", set()),
        ("MaintenanceOrder", "LeadingOrder", "MaintenanceOrder", "MaintenanceOrder", set()),
        ("Equipment", "FunctionalLocation", "FunctionalLocation", "FunctionalLocation", set()),
        ("Equipment", "SuperordinateEquipment", "Equipment", "Equipment", set()),
        ("EquipmentWarranty", "Equipment", "Equipment", "Equipment", set()),
        ("MaintOrderOpComponent", "Product", "A_Product", "Product", set()),
        ("A_MaterialStock", "Material", "A_Product", "Product", {"OLD-PART-1"}),
        ("A_AddressEmailAddress", "AddressID", "A_BusinessPartnerAddress", "AddressID", set()),
        ("A_AddressPhoneNumber", "AddressID", "A_BusinessPartnerAddress", "AddressID", set()),
        ("A_AddressHomePageURL", "AddressID", "A_BusinessPartnerAddress", "AddressID", set()),
    ],
)
def test_samples_refer_to_each_other(entity_set: str, property_: str, target: str, key: str, missing: set[str]) -> None:
    data = samples()
    known = {row[key] for row in data[target]}
    assert {row.get(property_, "") for row in data[entity_set]} - known - {""} == missing


async def test_an_order_is_changed_but_not_deleted(connect: Connect) -> None:
    async with connect(sandbox(users={"PLANNER": "x"}), auth=("PLANNER", "x"), base_url=BASE) as client:
        answer = await client.get(f"/{ORDERS}/", headers={"x-csrf-token": "Fetch"})
        client.headers["x-csrf-token"] = answer.headers["x-csrf-token"]
        path = f"/{ORDERS}/MaintenanceOrder('4000002')"
        change = {"MaintPriority": "1", "SystemStatusText": "TECO"}
        assert (await client.patch(path, json=change)).status_code == 428
        tag = (await client.get(path)).headers["etag"]
        assert (await client.patch(path, json=change, headers={"if-match": tag})).status_code == 204
        order = (await client.get(path)).json()["d"]
        assert (order["MaintPriority"], order["LastChangeByUser"]) == ("1", "PLANNER")
        assert order["SystemStatusText"] == "REL  MANC PRC  SETC"
        assert (await client.delete(path, headers={"if-match": "*"})).status_code == 405
        stock = f"/{STOCK}/A_MaterialStock('66')"
        assert (await client.patch(stock, json={"MaterialBaseUnit": "KG"})).status_code == 405
        body = {"MaintenanceOrderType": "PM01", "MaintenancePlanningPlant": "1010", "MaintenanceOrderDesc": "New"}
        created = (await client.post(f"/{ORDERS}/MaintenanceOrder", json=body)).json()["d"]
        assert (created["MaintenanceOrder"], created["SystemStatusText"]) == ("4000023", "CRTD MANC NMAT")
