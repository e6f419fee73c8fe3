"""The maintenance of the demo plant: machines in their places, and requests from new to overdue to done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from random import Random
from typing import Any

from connectors.sandbox.demo import DemoMachine, DemoStation, demo_machines, demo_stations
from connectors.sandbox.odoo_json2 import Row
from connectors.systems.odoo.demo.company import COMPANY, Tables, planned

PLANT = 10
MECHANICS, ELECTRICIANS, INSTRUMENTS = 1, 2, 3
TEAMS = {"ELECTRIC": ELECTRICIANS, "INSTR": INSTRUMENTS}
TECHNICIANS = {MECHANICS: (7, 8), ELECTRICIANS: (9,), INSTRUMENTS: (10,)}
SHIFT_LEAD = 11
NEW, IN_PROGRESS, REPAIRED, SCRAP = 1, 2, 3, 4
ONE_SCRAPPED_IN, ONE_ARCHIVED_IN = 27, 31


@dataclass(frozen=True, slots=True)
class Machine:
    """An equipment of the demo."""

    row: Row
    kind: DemoMachine

    @property
    def in_use(self) -> bool:
        """Whether it is neither scrapped nor archived."""
        return self.row["active"] and self.row["scrap_date"] is None


def write_equipment(tables: Tables, random: Random, count: int, vendors: Sequence[Row]) -> list[Machine]:
    """Write machines station after station, and return them all."""
    places, categories = _write_places(tables), _write_categories(tables)
    machines = []
    standing = _standing()
    for _ in range(count):
        station, kind, index = next(standing)
        name = f"{kind.name} {index}, {station.name}"
        row = _write_machine(tables, random, name, kind, vendors)
        row |= {"category_id": categories[kind.kind], "location_id": places[station.line_tag]}
        machines.append(Machine(row, kind))
    return machines


def _write_places(tables: Tables) -> dict[str, int]:
    """Write a location for each line of the plant."""
    lines = {station.line_tag: station.line for station in demo_stations()}
    return {
        tag: tables.add(
            "stock.location",
            created=tables.midnight - timedelta(days=1_800),
            name=line,
            complete_name=f"Plant/{line}",
            usage="internal",
            location_id=PLANT,
            company_id=COMPANY,
        )["id"]
        for tag, line in lines.items()
    }


def _write_categories(tables: Tables) -> dict[str, int]:
    made = tables.midnight - timedelta(days=1_800)
    return {
        kind.kind: tables.add("maintenance.equipment.category", created=made, name=kind.name, company_id=COMPANY)["id"]
        for kind in demo_machines().values()
    }


def _standing() -> Iterator[tuple[DemoStation, DemoMachine, int]]:
    """Return stations with what stands there, first one of each kind, then the second, and so on."""
    stations = demo_stations()
    kinds = [(station, kind) for index in range(3) for station in stations for kind in station.kinds[index : index + 1]]
    for index, (station, kind) in enumerate(cycle(kinds)):
        yield station, demo_machines()[kind], 1 + index // len(kinds)


def _write_machine(tables: Tables, random: Random, name: str, kind: DemoMachine, vendors: Sequence[Row]) -> Row:
    maker, model = random.choice(kind.makers)
    built = tables.today - timedelta(days=random.randint(450, 5_000))
    entered = tables.some_days_ago(random, 420, 440)
    team = TEAMS.get(kind.parts[0], MECHANICS)
    price = kind.lowest_price + (kind.highest_price - kind.lowest_price) * random.randint(0, 100) / 100
    number = len(tables.rows.get("maintenance.equipment", ())) + 1
    return tables.add(
        "maintenance.equipment",
        created=entered,
        name=name,
        serial_no=f"{maker[:2].upper()}{built:%y}-{number:03d}{random.randint(10, 99)}",
        model=model,
        partner_id=random.choice(vendors)["id"] if vendors and random.random() < 0.7 else None,
        partner_ref=f"{maker} {model}" if random.random() < 0.5 else None,
        cost=price.quantize(Decimal("0.01")),
        effective_date=built + timedelta(days=random.randint(5, 60)),
        assign_date=built + timedelta(days=60),
        warranty_date=built + timedelta(days=random.choice((730, 1_095, 1_825))),
        scrap_date=tables.today - timedelta(days=random.randint(5, 200)) if number % ONE_SCRAPPED_IN == 0 else None,
        active=number % ONE_ARCHIVED_IN != 0,
        technician_user_id=TECHNICIANS[team][0],
        owner_user_id=SHIFT_LEAD,
        maintenance_team_id=team,
        company_id=COMPANY,
        note=f"<p>Built by {maker}.</p>",
        equipment_properties=_properties(kind, number),
        maintenance_count=0,
        maintenance_open_count=0,
    )


def _properties(kind: DemoMachine, number: int) -> list[Row]:
    """Return what people keep of each machine, as Odoo gives it out: names, kinds and values together."""
    return [
        {"name": "weight", "type": "integer", "string": "Weight (kg)", "value": 40 + number * 17 % 900},
        {
            "name": "spares",
            "type": "selection",
            "string": "Spare parts",
            "selection": [[group, group.capitalize()] for group in kind.parts],
            "value": kind.parts[0],
        },
        {"name": "atex", "type": "boolean", "string": "Explosion-proof", "value": number % 4 == 0},
    ]


def write_requests(tables: Tables, random: Random, machines: Sequence[Machine], count: int) -> list[Row]:
    """Write requests, oldest first, and count them on their machines; return them all."""
    ages = sorted((random.choice((random.randint(0, 30), random.randint(0, 400))) for _ in range(count)), reverse=True)
    in_use = [machine for machine in machines if machine.in_use] or list(machines)
    return [_write_request(tables, random, random.choice(in_use) if in_use else None, age) for age in ages]


def _write_request(tables: Tables, random: Random, machine: Machine | None, age: int) -> Row:
    asked = tables.today - timedelta(days=age)
    preventive = random.random() < 0.35
    finished = random.random() < (0.93 if age > 60 else 0.35)
    due = asked + timedelta(days=random.randint(1, 21))
    closed = min(due + timedelta(days=random.randint(-1, 6)), tables.today) if finished else None
    withdrawn = not finished and random.random() < 0.06
    stage = random.choice((REPAIRED,) * 12 + (SCRAP,)) if finished else random.choice((NEW, NEW, IN_PROGRESS))
    team = machine.row["maintenance_team_id"] if machine else MECHANICS
    asked_at = tables.at_work(random, asked)
    start = planned(random, due)
    hours = Decimal(random.choice((1, 2, 2, 4, 8)))
    values: dict[str, Any] = {
        "name": _subject(random, machine, preventive),
        "equipment_id": machine.row["id"] if machine else None,
        "category_id": machine.row["category_id"] if machine else None,
        "stage_id": stage,
        "kanban_state": random.choice(("normal",) * 8 + ("blocked", "done")) if not finished else "normal",
        "maintenance_type": "preventive" if preventive else "corrective",
        "priority": random.choice((None, "0", "1", "1", "2", "3")),
        "request_date": asked,
        "schedule_date": start,
        "schedule_end": start + timedelta(hours=int(hours)),
        "duration": hours,
        "close_date": max(closed, asked) if closed else None,
        "archive": withdrawn,
        "user_id": random.choice(TECHNICIANS[team]) if random.random() < 0.85 else None,
        "owner_user_id": SHIFT_LEAD,
        "maintenance_team_id": team,
        "company_id": COMPANY,
        "description": None if random.random() < 0.4 else "<p>Reported by the shift.</p>",
    }
    if machine:
        machine.row["maintenance_count"] += 1
        machine.row["maintenance_open_count"] += int(not finished and not withdrawn)
    changed = tables.at_work(random, values["close_date"] or asked)
    return tables.add("maintenance.request", created=asked_at, changed=max(changed, asked_at), **values)


def _subject(random: Random, machine: Machine | None, preventive: bool) -> str:
    if machine is None:
        return "Clean the workshop"
    return random.choice(machine.kind.services if preventive else machine.kind.faults)
