"""Tells where records are in their tree: the names of all that lies above them, read level by level for all rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from resolvers.asking import resources_of
from resolvers.links import Chunk, Loaded, loader_for, tell
from resolvers.outcomes import gap_of
from resolvers.steps import InTree
from schema.records import FieldGapReason
from schema.sources import SourceStatus

if TYPE_CHECKING:
    from resolvers.linking import Linker

SEPARATOR = " / "
MOST_LEVELS = 50
"""Deeper than any plant; what lies further up is not looked for."""


@dataclass
class _Tree:
    """What is known of the records of one connection: their names and what they lie in, or why not."""

    names: dict[str, str] = field(default_factory=dict)
    above: dict[str, str | None] = field(default_factory=dict)
    failed: dict[str, FieldGapReason] = field(default_factory=dict)

    def add(self, record: Any, attribute: str) -> None:
        """Note a record."""
        reference = record.origin.reference
        self.names[reference] = record.display_name
        self.above[reference] = record.origin.links.get(attribute)

    def unknown(self) -> list[str]:
        """What known records lie in, and is not known itself."""
        parents = dict.fromkeys(parent for parent in self.above.values() if parent is not None)
        return [parent for parent in parents if parent not in self.names and parent not in self.failed]

    def trail_of(self, reference: str) -> str | FieldGapReason:
        """The names from the top down to a record, or why they are not known; a record below itself has none."""
        names: list[str] = []
        passed: set[str] = set()
        step: str | None = reference
        while step is not None:
            if step in passed or step not in self.names:
                return self.failed.get(step, FieldGapReason.UNPARSABLE)
            passed.add(step)
            names.append(self.names[step])
            step = self.above[step]
        return SEPARATOR.join(reversed(names))


async def fill_trails(linker: "Linker", connection_id: str, rows: Sequence[Any], step: InTree, path: str) -> None:
    """Fill a trail of all rows of a connection: each level above them in one read, and no record twice."""
    live = linker.lives[connection_id]
    target, by, model = step.target, step.by.name, step.field
    attribute = step.by.attribute
    resources = [resource for resource in resources_of(live, target).values() if by in resource.fields]
    placed = [row for row in rows if any(resource.owns(row.origin.reference) for resource in resources)]
    tree = _Tree()
    for row in placed:
        tree.add(row, attribute)
    chunks: dict[Chunk, None] = {}
    for _ in range(MOST_LEVELS):
        keys = tree.unknown()
        if not keys:
            break
        found: dict[str, Loaded] = {}
        for resource in resources_of(live, target).values():
            own = [key for key in keys if resource.owns(key)]
            loader = loader_for(live, resource, step.selection, linker.context, linker.timeout_ms, linker.freshness)
            found.update(zip(own, await loader.load_many(own), strict=True))
        _note(tree, keys, found, attribute)
        chunks |= dict.fromkeys(item.chunk for item in found.values())
    for chunk in chunks:
        linker.note(connection_id, chunk.tally.served)
    for call in tell(chunks, path):
        linker.account(connection_id, call)
    for row in placed:
        trail = tree.trail_of(row.origin.reference)
        if isinstance(trail, str):
            setattr(row, model.attribute, trail)
        else:
            row.origin.failed_links[model.attribute] = trail


def _note(tree: _Tree, keys: Sequence[str], found: Mapping[str, Loaded], attribute: str) -> None:
    """Add what was found of a level; what is not there leads nowhere, and what failed says why."""
    for key in keys:
        loaded = found.get(key)
        if loaded is not None and loaded.record is not None:
            tree.add(loaded.record, attribute)
        elif loaded is not None and loaded.chunk.status is not SourceStatus.OK:
            tree.failed[key] = gap_of(loaded.chunk.status)
        else:
            tree.failed[key] = FieldGapReason.EMPTY_AT_SOURCE
