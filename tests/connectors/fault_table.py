"""Prints which checks catch which planted fault: `python -m tests.connectors.fault_table`; it takes some minutes."""

import asyncio
from collections.abc import Mapping

import connectors.testing.checks  # noqa: F401 - fills the registry
from connectors.spec import SpecError
from connectors.testing.bench import Bench
from connectors.testing.registry import CHECKS
from tests.connectors.faults import FAULTS, Fault
from tests.connectors.odoo_bench import odoo_bench
from tests.connectors.sap_s4hana_bench import sap_s4hana_bench
from tests.connectors.tryton_bench import tryton_bench
from tests.real.odoo import server as odoo_server
from tests.real.tryton import server as tryton_server


async def catching(fault: Fault, bench: Bench) -> list[str]:
    """The names of all checks that fail with a fault."""
    try:
        broken = bench.with_system(fault.plant(bench.system))
    except SpecError:
        return ["SpecError at construction"]
    found = []
    for name, check in CHECKS.items():
        try:
            await check(broken)
        except Exception:
            found.append(name)
    return found


async def print_table(benches: Mapping[str, Bench]) -> None:
    """One line for each fault and system, as Markdown."""
    print("| fault | system | caught by |\n|---|---|---|")
    for fault in FAULTS:
        names = await catching(fault, benches[fault.system])
        print(f"| {fault.name} | {fault.system} | {', '.join(names) or 'NOTHING'} |", flush=True)


if __name__ == "__main__":
    with tryton_server.running() as tryton, odoo_server.running() as odoo:
        benches = {"odoo": odoo_bench(odoo), "sap_s4hana": sap_s4hana_bench(), "tryton": tryton_bench(tryton)}
        asyncio.run(print_table(benches))
