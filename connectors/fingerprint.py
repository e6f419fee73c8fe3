"""What a system says of the paths that are read of it, as a fingerprint, and how two of them differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.client import Source
from connectors.errors import NoSuchRecords, Reauthorize, Trouble
from connectors.protocols.shapes import FoundField, Shape
from connectors.readings import Reading
from connectors.tally import Tally

Fingerprint = Mapping[str, str | None]
"""The kind of each path, None where there is no such field; a path that the system does not tell of is left out."""


@dataclass(frozen=True, slots=True)
class Change:
    """A path whose kind is another one than before."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Drift:
    """How what a system says of a reading has changed; nothing else has."""

    reading: Reading
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Change, ...]

    @property
    def affected(self) -> tuple[str, ...]:
        """What clients see of the paths that are gone, or of another kind."""
        paths = (*self.removed, *(change.path for change in self.changed))
        names = {name for path in paths for name in self.reading.fields[path]}
        return tuple(sorted(name for name in names if name.partition(".")[0] not in names - {name}))


def drift_of(reading: Reading, before: Fingerprint, after: Fingerprint) -> Drift | None:
    """The difference in what was told both times; None where there is none."""
    pairs = {path: (before[path], kind) for path, kind in sorted(after.items()) if path in before}
    drift = Drift(
        reading,
        added=tuple(path for path, (old, new) in pairs.items() if old is None and new is not None),
        removed=tuple(path for path, (old, new) in pairs.items() if old is not None and new is None),
        changed=tuple(Change(path, old, new) for path, (old, new) in pairs.items() if old and new and old != new),
    )
    return drift if drift.added or drift.removed or drift.changed else None


@dataclass(eq=False)
class Surveyor:
    """Asks a system what it says of itself, each collection once."""

    source: Source
    tally: Tally
    _told: dict[str, Shape | Trouble | None] = field(default_factory=dict)

    async def survey(self, reading: Reading, deadline: float) -> Fingerprint:
        """The fingerprint of a reading; raises the trouble of a system that cannot be asked now."""
        kinds: dict[str, str | None] = {}
        for path in sorted(reading.fields):
            is_told, kind = await self._kind(reading.source, path, deadline)
            if is_told:
                kinds[path] = kind
        return kinds

    async def _kind(self, source: str, path: str, deadline: float) -> tuple[bool, str | None]:
        """Whether the system tells of a path, and its kind, as far as it tells what is behind links."""
        shape = await self._shape(source, deadline)
        if isinstance(shape, NoSuchRecords):
            return True, None
        if not isinstance(shape, Shape) or not shape.fields:
            return False, None
        step, _, rest = path.partition(".")
        found = shape.fields.get(step)
        if found is None or not rest:
            return True, _kind_of(found) if found is not None else None
        if found.target is None:
            return True, _kind_of(found)
        return await self._kind(found.target, rest, deadline)

    async def _shape(self, source: str, deadline: float) -> Shape | Trouble | None:
        if source not in self._told:
            said = await self.source.describe(source, self.tally, deadline)
            if isinstance(said, Mapping):
                self._told[source] = NoSuchRecords("The system does not name it among its collections.")
                self._told.update(said)
            else:
                self._told[source] = said
                if isinstance(said, Reauthorize):
                    raise said
        return self._told[source]


def _kind_of(found: FoundField) -> str:
    if found.target is not None:
        return f"{'LINKS' if found.is_many else 'LINK'} {found.target}"
    return found.form.name
