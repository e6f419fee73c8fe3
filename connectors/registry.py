"""Which systems can be connected: those built in, those of installed packages, and those of manifest folders.

A package offers a system by an entry point of the group `switchgear.systems`, whose name is the system's key. Each
system is imported when it is first asked for.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from itertools import chain
from pathlib import Path

from connectors.manifests.mistakes import ManifestError, Mistake, find_line
from connectors.manifests.reading import SYSTEM_FILE, read_folder
from connectors.spec import System

GROUP = "switchgear.systems"
_LOGGER = logging.getLogger(__name__)
_BUILT_IN = {
    "odoo": "connectors.systems.odoo.spec",
    "sap_s4hana": "connectors.systems.sap_s4hana.spec",
    "tryton": "connectors.systems.tryton.spec",
}


@dataclass
class _FromFolders:
    """The systems of manifests; there is one set in a process, like that of the packages."""

    systems: Mapping[str, System] = field(default_factory=dict)


_FROM_FOLDERS = _FromFolders()


def system_keys() -> tuple[str, ...]:
    """The keys of all systems, in the order of their names."""
    return tuple(sorted({*_BUILT_IN, *_offered(), *_FROM_FOLDERS.systems}))


def find_system(key: str) -> System | None:
    """A system by its key; None where there is none, or where the package that offers it is broken."""
    return _packaged(key) or _FROM_FOLDERS.systems.get(key)


def all_systems() -> list[System]:
    """Every system."""
    return [system for key in system_keys() if (system := find_system(key)) is not None]


def use_manifests(folders: Iterable[Path]) -> list[ManifestError]:
    """Take the systems of these folders instead of those of an earlier call; what is wrong leaves the rest alone.

    Each folder is a manifest, or holds some. A key that is taken already, by a package or an earlier folder, is wrong.
    """
    found: dict[str, System] = {}
    broken: list[ManifestError] = []
    for folder in chain.from_iterable(map(_manifests_in, folders)):
        try:
            described = read_folder(folder)
            system = described.system
            if system.key in found or system.key in _BUILT_IN or system.key in _offered():
                line = find_line(described.text, ("key",))
                mistake = Mistake(SYSTEM_FILE, line, f"the key {system.key!r} is taken by another system")
                raise ManifestError(str(folder), [mistake])
        except ManifestError as error:
            _LOGGER.error("a manifest is left out: %s", error)
            broken.append(error)
        else:
            found[system.key] = system
    _FROM_FOLDERS.systems = found
    return broken


def _manifests_in(folder: Path) -> list[Path]:
    """The folder itself where it is a manifest, or has nothing else in it; else those below it that are."""
    below = sorted(path.parent for path in folder.glob(f"*/{SYSTEM_FILE}"))
    return below if below and not (folder / SYSTEM_FILE).exists() else [folder]


@cache
def _packaged(key: str) -> System | None:
    """A system that is built in or offered by a package."""
    module = _BUILT_IN.get(key)
    if module is not None:
        system = getattr(import_module(module), key)
        assert isinstance(system, System)  # noqa: S101 - a module that breaks this is a fault of ours
        return system
    offered = _offered().get(key)
    return None if offered is None else _load(offered)


@cache
def _offered() -> Mapping[str, EntryPoint]:
    """The entry points of installed packages by key; what is built in goes before them."""
    return {item.name: item for item in entry_points(group=GROUP)}


def _load(offered: EntryPoint) -> System | None:
    """Import what a package offers; a package may fail in any way, and the others have to go on."""
    try:
        system = offered.load()
    except Exception:
        _LOGGER.exception("the system %s of %s cannot be imported", offered.name, offered.value)
        return None
    if not isinstance(system, System) or system.key != offered.name:
        _LOGGER.error("%s is no system with the key %s", offered.value, offered.name)
        return None
    return system
