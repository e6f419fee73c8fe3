"""The contract suite catches what people do wrong: planted in each protocol, each fault fails the checks named.

Faults are planted in what reads purchase orders, so that nothing else is read here.
"""

from dataclasses import replace

import pytest

import connectors.testing.checks  # noqa: F401 - fills the registry
from connectors.registry import find_system
from connectors.spec import SpecError, System
from connectors.testing.bench import Bench
from connectors.testing.registry import CHECKS
from schema.purchasing import PurchaseOrder
from tests.connectors.faults import FAULTS, Fault
from tests.connectors.odoo_bench import odoo_bench
from tests.connectors.sap_s4hana_bench import sap_s4hana_bench
from tests.connectors.tryton_bench import tryton_bench

CAUGHT = [fault for fault in FAULTS if fault.caught_by]
REFUSED = [fault for fault in FAULTS if not fault.caught_by]


def _name(fault: Fault) -> str:
    return f"{fault.name}-{fault.system}"


@pytest.mark.parametrize("fault", [fault for fault in CAUGHT if fault.system == "sap_s4hana"], ids=_name)
async def test_faults_in_sap_are_caught(fault: Fault) -> None:
    await _expect_failures(sap_s4hana_bench(), fault)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("fault", [fault for fault in CAUGHT if fault.system == "tryton"], ids=_name)
async def test_faults_in_tryton_are_caught(fault: Fault, request: pytest.FixtureRequest) -> None:
    await _expect_failures(tryton_bench(request.getfixturevalue("tryton")), fault)


@pytest.mark.real
@pytest.mark.parametrize("fault", [fault for fault in CAUGHT if fault.system == "odoo"], ids=_name)
async def test_faults_in_odoo_are_caught(fault: Fault, request: pytest.FixtureRequest) -> None:
    await _expect_failures(odoo_bench(request.getfixturevalue("odoo")), fault)


@pytest.mark.parametrize("fault", REFUSED, ids=_name)
def test_faults_in_a_description_are_refused(fault: Fault) -> None:
    with pytest.raises(SpecError, match=r"did you mean|is forgotten"):
        fault.plant(_sound(fault))


async def _expect_failures(bench: Bench, fault: Fault) -> None:
    orders = replace(bench.system, resources=bench.system.resources_of(PurchaseOrder))
    broken = bench.with_system(fault.plant(orders))
    unharmed = [name for name in fault.caught_by if not await _fails(name, broken)]
    assert not unharmed, f"{fault.name} in {fault.system} is not caught by {unharmed}"


async def _fails(name: str, bench: Bench) -> bool:
    try:
        await CHECKS[name](bench)
    except Exception:
        return True
    return False


def _sound(fault: Fault) -> System:
    system = find_system(fault.system)
    assert system is not None
    return system
