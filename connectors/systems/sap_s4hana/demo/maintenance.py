"""The maintenance orders of the demo company: planned, in work, overdue and done, with operations and parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from connectors.systems.sap_s4hana.demo.company import Company, Row, Tables, clock
from connectors.systems.sap_s4hana.demo.plant import Machine
from connectors.systems.sap_s4hana.demo.products import Product

FIRST_NUMBER = {"EU": 4_000_000, "US": 4_100_000}
OLDEST_ORDER = 400
"""Days before today on which the first order was made."""
PREVENTIVE, BREAKDOWN, CORRECTIVE = "PM03", "PM02", "PM01"
ACTIVITIES = {PREVENTIVE: "001", BREAKDOWN: "003", CORRECTIVE: "002"}
PHASES = {
    "created": ("CRTD",),
    "released": ("REL",),
    "started": ("REL", "PCNF"),
    "confirmed": ("REL", "CNF"),
    "completed": ("TECO", "CNF"),
    "closed": ("CLSD", "CNF"),
    "locked": ("REL", "LKD"),
    "deleted": ("CRTD", "DLFL"),
}
DONE = frozenset(("confirmed", "completed", "closed"))
LONGEST_STATUS = 40
EXTERNAL = 0.12
HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Job:
    """Work on a maintenance order that another company does."""

    order: str
    supplier: str
    created: date


@dataclass(frozen=True, slots=True)
class Work:
    """A maintenance order in short."""

    number: str
    type: str
    text: str
    machine: Machine
    created: datetime
    start: datetime
    end: datetime
    phase: str
    parts: tuple[tuple[Product, Decimal], ...]
    supplier: str

    @property
    def is_done(self) -> bool:
        """Whether all of it has been confirmed."""
        return self.phase in DONE


def write_orders(
    tables: Tables,
    random: Random,
    company: Company,
    machines: Sequence[Machine],
    products: Sequence[Product],
    suppliers: Sequence[str],
    count: int,
) -> list[Job]:
    """Write orders on the machines, none without any, and return what other companies do of it."""
    jobs: list[Job] = []
    number = FIRST_NUMBER[company.region]
    ages = sorted((int(OLDEST_ORDER * random.random() ** 2.4) for _ in range(count)), reverse=True)
    for age in ages if machines else ():
        number += random.randint(1, 4)
        work = _work(random, company, str(number), age, random.choice(machines), products, suppliers)
        _write_order(tables, random, company, work)
        if work.supplier:
            jobs.append(Job(work.number, work.supplier, work.created.date()))
    return jobs


def _work(
    random: Random,
    company: Company,
    number: str,
    age: int,
    machine: Machine,
    products: Sequence[Product],
    suppliers: Sequence[str],
) -> Work:
    type_ = random.choices((PREVENTIVE, CORRECTIVE, BREAKDOWN), (40, 45, 15))[0]
    created = company.working_time(random, company.today - timedelta(days=age)).replace(microsecond=0)
    lead = {PREVENTIVE: random.randint(7, 40), CORRECTIVE: random.randint(1, 14), BREAKDOWN: 0}[type_]
    start = datetime.combine(created.date() + timedelta(days=lead), time(6), UTC) if lead else created
    end = datetime.combine(start.date() + timedelta(days=random.choice((0, 0, 1, 2, 5, 9))), time(14), UTC)
    end = max(end, start + timedelta(hours=4))
    fitting = [product for product in products if product.good.group in machine.kind.parts]
    parts = random.sample(fitting, min(len(fitting), random.choice((0, 0, 1, 1, 2, 3))))
    return Work(
        number=number,
        type=type_,
        text=random.choice(machine.kind.services if type_ == PREVENTIVE else machine.kind.faults),
        machine=machine,
        created=created,
        start=start,
        end=end,
        phase=_phase(random, company, start, end),
        parts=tuple((product, _needed(random, product)) for product in parts),
        supplier=random.choice(suppliers) if suppliers and random.random() < EXTERNAL else "",
    )


def _needed(random: Random, product: Product) -> Decimal:
    if product.good.unit == "piece":
        return Decimal(random.randint(1, 4))
    return HALF * random.randint(1, 24)


def _phase(random: Random, company: Company, start: datetime, end: datetime) -> str:
    """Say how far an order is that is to begin and to end at these times; some are late."""
    roll = random.random()
    if roll < 0.02:
        return "deleted"
    if roll < 0.04:
        return "locked"
    if start >= company.midnight:
        return "created" if roll < 0.55 else "released"
    if end >= company.midnight:
        return "started" if roll < 0.65 else "released"
    if (company.midnight - end).days > 90:
        return random.choice(("completed", "closed", "closed"))
    if roll < 0.28:
        return random.choice(("released", "started", "started"))
    return random.choice(("confirmed", "completed", "completed"))


def status_text(first: Sequence[str], others: Sequence[str] = ()) -> str:
    """Write codes as the system shows them: columns of four, cut at the length of the line."""
    return " ".join(f"{code:<4}" for code in (*first, *sorted(others)))[:LONGEST_STATUS].rstrip()


def _status(work: Work) -> str:
    others = ["MANC"] if work.parts else ["NMAT"]
    if work.phase not in ("created", "deleted"):
        others += ["PRC", "SETC"]
    if work.parts and (work.is_done or work.phase == "started"):
        others.append("GMPS")
    return status_text(PHASES[work.phase], others)


def _write_order(tables: Tables, random: Random, company: Company, work: Work) -> None:
    machine = work.machine
    earliest = work.end if work.is_done else work.created
    changed = earliest + (company.midnight - earliest) * random.random() ** 2
    order: Row = {
        "MaintenanceOrder": work.number,
        "MaintenanceOrderType": work.type,
        "MaintenanceOrderDesc": work.text,
        "MaintPriority": "1" if work.type == BREAKDOWN else random.choice("23344"),
        "MaintPriorityType": "PM",
        "MaintenanceActivityType": ACTIVITIES[work.type],
        "Equipment": machine.number,
        "EquipmentName": machine.name,
        "FunctionalLocation": machine.location,
        "TechnicalObject": machine.number.zfill(18),
        "TechnicalObjectLabel": machine.number,
        "TechObjIsEquipOrFuncnlLoc": "EAMS_EQUI",
        "SystemStatusText": _status(work),
        **_moment("MaintOrdBasicStart", work.start),
        **_moment("MaintOrdBasicEnd", work.end),
        "LatestAcceptableCompletionDate": work.end.date() + timedelta(days=7) if work.type == BREAKDOWN else None,
        "MaintenancePlanningPlant": company.code,
        "MaintenancePlant": company.code,
        "CompanyCode": company.code,
        "CostCenter": machine.cost_center,
        "MainWorkCenter": machine.work_center,
        "MainWorkCenterPlant": company.code,
        "MaintenancePlannerGroup": "920",
        "ControllingArea": "A000",
        "Currency": company.currency,
        "CreatedByUser": "MPLAN_BATCH" if work.type == PREVENTIVE else random.choice(("PLANNER_1", "PLANNER_2")),
        "MaintOrderCreationDateTime": work.created,
        "LastChangeDateTime": changed.replace(microsecond=0) if random.random() < 0.9 else None,
    }
    if work.type == PREVENTIVE:
        order |= {"MaintenancePlan": machine.number[-4:], "MaintenanceItem": machine.number[-4:]}
    if work.is_done:
        order["MainWorkCompletedDateTime"] = min(work.end, company.midnight)
    if work.phase in ("completed", "closed"):
        order |= _moment("MaintOrderReference", min(work.end + timedelta(hours=20), company.midnight))
    tables["MaintenanceOrder"].append(order)
    _write_partners(tables, random, work)
    _write_operations(tables, random, company, work)
    if random.random() < 0.3:
        text = f"{work.text}.\nReported on {work.created:%Y-%m-%d}."
        tables["MaintenanceOrderLongText"].append(
            {
                "MaintenanceOrder": work.number,
                "TextObjectType": "AUFK",
                "Language": "EN",
                "MaintenanceOrderLongText": text,
            }
        )
        order["OrderHasLongText"] = True


def _write_partners(tables: Tables, random: Random, work: Work) -> None:
    partners = {"VW": str(random.randint(1_001, 1_009)), "VN": work.supplier}
    for function, partner in partners.items():
        if partner:
            tables["MaintenanceOrderPartner"].append(
                {
                    "MaintenanceOrder": work.number,
                    "PartnerFunction": function,
                    "MaintenanceOrderPartner": partner,
                }
            )


def _write_operations(tables: Tables, random: Random, company: Company, work: Work) -> None:
    """Write two to four steps; parts belong to the second, what others do is the last."""
    steps = ["Isolate and open", work.text, "Test run and hand over"][: random.randint(2, 3)]
    if work.supplier:
        steps.append("Work by the contractor")
    for index, text in enumerate(steps):
        hours = HALF * random.randint(1, 16)
        operation: Row = {
            "MaintenanceOrder": work.number,
            "MaintenanceOrderOperation": f"{10 * (index + 1):04d}",
            "MaintenanceOrderSubOperation": "",
            "OperationControlKey": "PM01",
            "OperationDescription": text[:40],
            "WorkCenter": work.machine.work_center,
            "Plant": company.code,
            "NumberOfCapacities": random.randint(1, 2),
            "MaintOrderOperationDuration": hours,
            "MaintOrdOperationDurationUnit": "H",
            "MaintOrdOperationWorkDuration": hours,
            "MaintOrdOpWorkDurationUnit": "H",
            **_progress(random, company, work, index, hours),
        }
        if work.supplier and index == len(steps) - 1:
            operation |= {"OperationControlKey": "PM02", "OperationSupplier": work.supplier}
        tables["MaintenanceOrderOperation"].append(operation)
        if index == 1:
            _write_parts(tables, company, work, operation)


def _progress(random: Random, company: Company, work: Work, index: int, hours: Decimal) -> Row:
    """Return what the workers have confirmed of a step."""
    if work.is_done or (work.phase == "started" and index == 0):
        return {
            "SystemStatusText": status_text((), ("CNF", "REL")),
            "ActualWorkQuantity": hours * random.randint(80, 130) / 100,
            **_moment("OpActualExecutionStart", work.start),
            **_moment("OpActualExecutionEnd", min(work.start + timedelta(hours=float(hours)), company.midnight)),
        }
    if work.phase == "created":
        return {"SystemStatusText": "CRTD"}
    if work.phase == "deleted":
        return {"SystemStatusText": status_text((), PHASES["deleted"]), "IsMarkedForDeletion": True}
    return {"SystemStatusText": "REL"}


def _write_parts(tables: Tables, company: Company, work: Work, operation: Row) -> None:
    for index, (product, quantity) in enumerate(work.parts):
        good, unit = product.good, company.unit(product.good)
        drawn = work.is_done or (work.phase == "started" and index == 0)
        reservation = str(int(work.number) % 100_000 + 1)
        tables["MaintOrderOpComponent"].append(
            {
                "MaintenanceOrder": work.number,
                "MaintenanceOrderOperation": operation["MaintenanceOrderOperation"],
                "MaintenanceOrderSubOperation": "",
                "MaintOrderComponentInternalID": f"OK{int(reservation):010d}{index + 1:04d}",
                "MaintenanceOrderComponent": f"{10 * (index + 1):04d}",
                "Reservation": reservation,
                "ReservationItem": str(index + 1),
                "Product": good.number,
                "MaintOrdOperationComponentText": good.text,
                "MaterialGroup": good.group,
                "MaintOrdOpCompRequiredQuantity": quantity,
                "BaseUnit": unit,
                "QuantityInUnitOfEntry": quantity,
                "UnitOfEntry": unit,
                "QuantityWithdrawnInBaseUnit": quantity if drawn else Decimal(0),
                "ReservationIsFinallyIssued": drawn,
                "MaintComponentItemCategory": "L",
                "GoodsMovementType": "261",
                "Plant": company.code,
                "StorageLocation": product.storage_location,
                "MaintOrderOpComponentPrice": good.price,
                "MaintOrdOpCompPriceUnitQty": Decimal(good.per),
                "MaintOrdOpComponentCurrency": company.currency,
                "RequirementDate": work.start.date(),
            }
        )


def _moment(name: str, moment: datetime) -> Row:
    """Return a moment as these services have it: whole, as a date, and as a time of day."""
    return {f"{name}DateTime": moment, f"{name}Date": moment.date(), f"{name}Time": clock(moment)}
