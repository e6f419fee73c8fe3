"""Fills the links of whole pages: to one record, to many, and of child rows, links of links included."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.spec import Resource
from resolvers.asking import resources_of
from resolvers.links import Loaded, loader_for, tell
from resolvers.outcomes import gap_of
from resolvers.pages import load_pages
from resolvers.ports import Context, LiveSource
from resolvers.steps import Links, OfChildren, ToMany, ToOne
from schema.records import FieldGapReason
from schema.sources import SourceCall, SourceStatus

Rows = Mapping[str, Sequence[Any]]
"""Records, or child rows, by connection."""


@dataclass(eq=False)
class Linker:
    """Fills the links of rows, links of links included, and keeps account of the calls of each connection.

    `timeout_ms` is what the query allows for the whole field, rows and links together.
    """

    context: Context
    lives: Mapping[str, LiveSource]
    timeout_ms: int | None
    calls: dict[str, list[SourceCall]] = field(default_factory=dict)

    async def fill(self, rows: Rows, links: Links, path: str) -> None:
        """Fill these links of rows."""
        jobs = []
        for step in links:
            below_path = f"{path}.{step.field.name}"
            match step:
                case ToOne():
                    jobs += [self._fill_link(key, of, step, below_path) for key, of in rows.items()]
                case ToMany():
                    # For all rows together, each gets a page of its own.
                    jobs += [load_pages(self, key, of, step, below_path) for key, of in rows.items()]
                case OfChildren():
                    jobs.append(self._fill_children(rows, step, below_path))
        await asyncio.gather(*jobs)

    async def _fill_children(self, rows: Rows, step: OfChildren, path: str) -> None:
        children = {
            key: [child for row in of for child in row.origin.children.get(step.field.attribute) or ()]
            for key, of in rows.items()
        }
        await self.fill(children, step.links, path)

    async def _fill_link(self, connection_id: str, rows: Sequence[Any], step: ToOne, path: str) -> None:
        """Read the distinct records that rows point to, and point every row to its own."""
        live = self.lives[connection_id]
        attribute = step.field.attribute
        keys = list(dict.fromkeys(key for row in rows if (key := row.origin.links.get(attribute)) is not None))
        found: dict[str, Loaded] = {}

        async def load(resource: Resource) -> None:
            own = [key for key in keys if resource.owns(key)]
            loader = loader_for(live, resource, step.selection, self.context, self.timeout_ms)
            found.update(zip(own, await loader.load_many(own), strict=True))

        await asyncio.gather(*map(load, resources_of(live, step.target).values()))
        for row in rows:
            key = row.origin.links.get(attribute)
            if key is not None:
                _attach(row, attribute, found.get(key))
        for call in tell(dict.fromkeys(item.chunk for item in found.values()), path):
            self.account(connection_id, call)
        present = [item.record for item in found.values() if item.record is not None]
        await self.fill({connection_id: present}, step.links, path)

    def account(self, connection_id: str, call: SourceCall) -> None:
        """Note what was called."""
        self.calls.setdefault(connection_id, []).append(call)


def _attach(row: Any, attribute: str, loaded: Loaded | None) -> None:
    """Point a row to its record; where there is none, remember why."""
    setattr(row, attribute, None if loaded is None else loaded.record)
    if loaded is None or loaded.record is None:
        has_failed = loaded is not None and loaded.chunk.status is not SourceStatus.OK
        reason = gap_of(loaded.chunk.status) if loaded is not None and has_failed else FieldGapReason.EMPTY_AT_SOURCE
        row.origin.failed_links[attribute] = reason
