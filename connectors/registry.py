"""Which systems can be connected; each is imported when it is first asked for."""

from functools import cache
from importlib import import_module

from connectors.spec import System

_BUILT_IN = {
    "odoo": "connectors.systems.odoo.spec",
    "sap_s4hana": "connectors.systems.sap_s4hana.spec",
    "tryton": "connectors.systems.tryton.spec",
}


def system_keys() -> tuple[str, ...]:
    """The keys of all systems, in the order of their names."""
    return tuple(sorted(_BUILT_IN))


@cache
def find_system(key: str) -> System | None:
    """A system by its key; None where there is none."""
    module = _BUILT_IN.get(key)
    if module is None:
        return None
    system = getattr(import_module(module), key)
    assert isinstance(system, System)  # noqa: S101 - a module that breaks this is a fault of ours
    return system


def all_systems() -> list[System]:
    """Every system."""
    return [system for key in system_keys() if (system := find_system(key)) is not None]
