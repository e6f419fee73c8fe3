"""The plant of the demo company: functional locations from the site to its stations, and the equipment in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from random import Random

from connectors.sandbox.demo import DemoMachine, DemoStation, demo_machines, demo_stations
from connectors.systems.sap_s4hana.demo.company import FOREVER, Company, Row, Tables

SITES = {"EU": "Mill at the canal", "US": "Mill at the levee"}
COUNTRIES = {"EU": "DE", "US": "US"}
WORK_CENTERS = {"INSTR": "INST-01", "ELECTRIC": "ELEC-01"}
MECHANICS = "MECH-01"
MOVED, INACTIVE, SCRAPPED = 0.1, 0.04, 0.03


@dataclass(frozen=True, slots=True)
class Machine:
    """An equipment of the demo; its location is both key and label."""

    number: str
    name: str
    kind: DemoMachine
    location: str
    cost_center: str
    in_use: bool

    @property
    def work_center(self) -> str:
        """Who works on it."""
        return WORK_CENTERS.get(self.kind.parts[0], MECHANICS)


def write_locations(tables: Tables, random: Random, company: Company) -> None:
    """Write the site, its lines and their stations."""
    site = company.code
    created = company.today - timedelta(days=3_000)
    _write_location(tables, random, created, company, site, SITES[company.region], "", "S")
    for station in demo_stations():
        line = f"{site}-{station.line_tag}"
        if not any(row["FunctionalLocation"] == line for row in tables["FunctionalLocation"]):
            _write_location(tables, random, created, company, line, station.line, site, "S")
        _write_location(tables, random, created, company, _place(company, station), station.name, line, "M")


def _write_location(
    tables: Tables,
    random: Random,
    created: date,
    company: Company,
    label: str,
    name: str,
    superior: str,
    category: str,
) -> None:
    tables["FunctionalLocation"].append(
        {
            "FunctionalLocation": label,
            "FunctionalLocationLabelName": label,
            "FunctionalLocationName": name,
            "FuncLocationStructure": "YBPM",
            "FunctionalLocationCategory": category,
            "SuperiorFunctionalLocation": superior,
            "SuperiorFuncnlLocLabelName": superior,
            "ABCIndicator": random.choice("ABC") if superior else "",
            **_organization(company),
            "CostCenter": _cost_center(company, label),
            "EquipmentInstallationIsAllowed": True,
            "FuncnlLocHasSubOrdinateFuncLoc": "" if category == "M" else "X",
            "FunctionalLocationIsActive": True,
            "OperationStartDate": created,
            "CreationDate": created,
            "CreatedByUser": "MDG_BATCH",
            "LastChangeDateTime": _changed(random, company, created) if random.random() < 0.5 else None,
        }
    )


def write_equipment(tables: Tables, random: Random, company: Company, count: int) -> list[Machine]:
    """Write machines, some with a drive below them, station after station; return them all."""
    machines: list[Machine] = []
    places = _places()
    while len(machines) < count:
        station, kind, index = next(places)
        machine = _machine(random, company, station, kind, index, len(machines) + 1)
        _write_machine(tables, random, company, machine, superior="")
        machines.append(machine)
        if kind.drive and len(machines) < count:
            drive = _machine(random, company, station, demo_machines()[kind.drive], index, len(machines) + 1)
            _write_machine(tables, random, company, drive, superior=machine.number)
            machines.append(drive)
    superior = {row["SuperordinateEquipment"] for row in tables["Equipment"]}
    for row in tables["Equipment"]:
        row["EquipHasSubOrdinateEquipment"] = "X" if row["Equipment"] in superior else ""
    places_in_use = {machine.location for machine in machines}
    for row in tables["FunctionalLocation"]:
        row["FunctionalLocationHasEquipment"] = "X" if row["FunctionalLocation"] in places_in_use else ""
    return machines


def _places() -> Iterator[tuple[DemoStation, DemoMachine, int]]:
    """Return stations with what stands there, first one of each kind, then the second, and so on."""
    stations = demo_stations()
    kinds = [(station, kind) for index in range(3) for station in stations for kind in station.kinds[index : index + 1]]
    for index, (station, kind) in enumerate(cycle(kinds)):
        yield station, demo_machines()[kind], 1 + index // len(kinds)


def _machine(
    random: Random, company: Company, station: DemoStation, kind: DemoMachine, index: int, number: int
) -> Machine:
    return Machine(
        number=f"2{company.code}{number:04d}",
        name=f"{kind.name} {index}, {station.name}"[:40],
        kind=kind,
        location=_place(company, station),
        cost_center=_cost_center(company, _place(company, station)),
        in_use=random.random() > INACTIVE + SCRAPPED,
    )


def _write_machine(tables: Tables, random: Random, company: Company, machine: Machine, *, superior: str) -> None:
    kind = machine.kind
    built = company.today - timedelta(days=random.randint(900, 6_000))
    maker, model = random.choice(kind.makers)
    scrapped = not machine.in_use and random.random() < SCRAPPED / (INACTIVE + SCRAPPED)
    price = kind.lowest_price + (kind.highest_price - kind.lowest_price) * random.randint(0, 100) / 100
    row: Row = {
        "Equipment": machine.number,
        "ValidityStartDate": built,
        "ValidityEndDate": FOREVER,
        "EquipmentName": machine.name,
        "EquipmentCategory": "M",
        "TechnicalObjectType": kind.kind,
        "ABCIndicator": random.choice("ABBC"),
        "AssetManufacturerName": maker,
        "ManufacturerPartTypeName": model,
        "ManufacturerSerialNumber": f"{maker[:2].upper()}{built:%y}-{random.randint(1_000, 99_999)}",
        "ConstructionYear": f"{built:%Y}",
        "ConstructionMonth": f"{built:%m}",
        "InventoryNumber": f"INV-{machine.number[-4:]}",
        "AcquisitionValue": price.quantize(Decimal("0.01")),
        "Currency": company.currency,
        "AcquisitionDate": built,
        "OperationStartDate": built + timedelta(days=random.randint(5, 60)),
        **_organization(company),
        "CostCenter": machine.cost_center,
        "MainWorkCenter": machine.work_center,
        "MainWorkCenterPlant": company.code,
        "MaintenancePlannerGroup": "920",
        **_installed(tables, machine.location),
        "SuperordinateEquipment": superior,
        "EquipIsAllocToSuperiorEquip": bool(superior),
        "EquipmentIsInactive": not machine.in_use and not scrapped,
        "EquipmentIsMarkedForDeletion": scrapped,
        "EquipUsagePeriodSequenceNumber": "1",
        "CreationDate": built,
        "CreatedByUser": "MDG_BATCH",
        "LastChangeDateTime": _changed(random, company, built) if random.random() < 0.6 else None,
    }
    if not superior and random.random() < MOVED:
        _write_former_place(tables, random, company, row)
    tables["Equipment"].append(row)
    if not superior:
        tables["EquipmentLongText"].append(
            {
                "Equipment": machine.number,
                "TextObjectKey": machine.number,
                "Language": "EN",
                "EquipmentLongText": f"{kind.name} by {maker}, {model}.\nSpare parts are kept under {kind.parts[0]}.",
            }
        )
    if random.random() < 0.4:
        tables["EquipmentWarranty"].append(
            {
                "Equipment": machine.number,
                "WarrantyType": "I",
                "WarrantyStartDate": built,
                "WarrantyEndDate": built + timedelta(days=random.choice((730, 1_095, 1_825))),
            }
        )


def _write_former_place(tables: Tables, random: Random, company: Company, row: Row) -> None:
    """Write where a machine stood before, and let the present begin on the day after."""
    moved = company.today - timedelta(days=random.randint(30, 800))
    stations = [each for each in tables["FunctionalLocation"] if each["FunctionalLocationCategory"] == "M"]
    former = _installed(tables, random.choice(stations)["FunctionalLocation"])
    tables["Equipment"].append({**row, **former, "ValidityEndDate": moved})
    row |= {"ValidityStartDate": moved + timedelta(days=1), "EquipUsagePeriodSequenceNumber": "2"}


def _installed(tables: Tables, location: str) -> Row:
    name = next(row for row in tables["FunctionalLocation"] if row["FunctionalLocation"] == location)
    return {
        "FunctionalLocation": location,
        "FunctionalLocationLabelName": location,
        "FunctionalLocationName": name["FunctionalLocationName"],
        "EquipmentIsInstalled": True,
    }


def _organization(company: Company) -> Row:
    return {
        "MaintenancePlant": company.code,
        "MaintenancePlanningPlant": company.code,
        "CompanyCode": company.code,
        "Country": COUNTRIES[company.region],
        "ControllingArea": "A000",
    }


def _place(company: Company, station: DemoStation) -> str:
    return f"{company.code}-{station.line_tag}-{station.tag}"


def _cost_center(company: Company, label: str) -> str:
    lines: Sequence[str] = list(dict.fromkeys(station.line_tag for station in demo_stations()))
    tag = label.split("-")[1] if "-" in label else ""
    return f"{company.code}{40 + (lines.index(tag) + 1 if tag else 0)}01"


def _changed(random: Random, company: Company, created: date) -> datetime:
    """Return an instant since the creation, without a fraction, as these services keep it."""
    day = created + timedelta(days=random.randint(0, (company.today - created).days))
    return company.working_time(random, day).replace(microsecond=0)
