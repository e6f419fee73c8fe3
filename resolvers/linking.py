"""Fills the links of whole pages: to one record, to many, and of child rows, links of links included."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.spec import Resource
from connectors.tracing import LINKS, Attribute, step
from resolvers.asking import resources_of
from resolvers.links import Loaded, loader_for, tell
from resolvers.outcomes import gap_of
from resolvers.pages import load_pages
from resolvers.ports import Context, LiveSource
from resolvers.steps import InTree, Links, OfChildren, ToMany, ToOne
from resolvers.trails import fill_trails
from schema.freshness import Freshness
from schema.model import Entity
from schema.records import FieldGapReason, Served, weaker
from schema.sources import SourceCall, SourceStatus

Rows = Mapping[str, Sequence[Any]]
"""Records, or child rows, by connection."""


@dataclass(eq=False)
class Linker:
    """Fills the links of rows, links of links included, and keeps account of the calls of each connection.

    `timeout_ms` is what the query allows for the whole field, rows and links together; `freshness` holds for both.
    """

    context: Context
    lives: Mapping[str, LiveSource]
    timeout_ms: int | None
    freshness: Freshness
    calls: dict[str, list[SourceCall]] = field(default_factory=dict)
    served: dict[str, Served] = field(default_factory=dict)
    """Where linked records came from, by connection, unless they were read live."""

    async def fill_page(self, rows: Rows, entity: Entity, links: Links, path: str) -> None:
        """Fill these links of a page of records."""
        if links:
            with step(LINKS, {Attribute.ENTITY: entity.name}):
                await self.fill(rows, links, path)

    async def fill(self, rows: Rows, links: Links, path: str) -> None:
        """Fill these links of rows."""
        jobs = []
        for link in links:
            below_path = f"{path}.{link.field.name}"
            match link:
                case ToOne():
                    jobs += [self._fill_link(key, of, link, below_path) for key, of in rows.items()]
                case ToMany():
                    # For all rows together, each gets a page of its own.
                    jobs += [load_pages(self, key, of, link, below_path) for key, of in rows.items()]
                case InTree():
                    jobs += [fill_trails(self, key, of, link, below_path) for key, of in rows.items()]
                case OfChildren():
                    jobs.append(self._fill_children(rows, link, below_path))
        await asyncio.gather(*jobs)

    async def _fill_children(self, rows: Rows, link: OfChildren, path: str) -> None:
        children = {
            key: [child for row in of for child in row.origin.children.get(link.field.attribute) or ()]
            for key, of in rows.items()
        }
        await self.fill(children, link.links, path)

    async def _fill_link(self, connection_id: str, rows: Sequence[Any], link: ToOne, path: str) -> None:
        """Read the distinct records that rows point to, and point every row to its own."""
        live = self.lives[connection_id]
        attribute = link.field.attribute
        keys = list(dict.fromkeys(key for row in rows if (key := row.origin.links.get(attribute)) is not None))
        found: dict[str, Loaded] = {}

        async def load(resource: Resource) -> None:
            own = [key for key in keys if resource.owns(key)]
            loader = loader_for(live, resource, link.selection, self.context, self.timeout_ms, self.freshness)
            found.update(zip(own, await loader.load_many(own), strict=True))

        await asyncio.gather(*map(load, resources_of(live, link.target).values()))
        for row in rows:
            key = row.origin.links.get(attribute)
            if key is not None:
                _attach(row, attribute, found.get(key))
        chunks = dict.fromkeys(item.chunk for item in found.values())
        for chunk in chunks:
            self.note(connection_id, chunk.tally.served)
        for call in tell(chunks, path):
            self.account(connection_id, call)
        present = [item.record for item in found.values() if item.record is not None]
        await self.fill({connection_id: present}, link.links, path)

    def account(self, connection_id: str, call: SourceCall) -> None:
        """Note what was called."""
        self.calls.setdefault(connection_id, []).append(call)

    def note(self, connection_id: str, served: Served | None) -> None:
        """Note that linked records were not read live."""
        known = weaker(self.served.get(connection_id), served)
        if known is not None:
            self.served[connection_id] = known


def _attach(row: Any, attribute: str, loaded: Loaded | None) -> None:
    """Point a row to its record; where there is none, remember why."""
    setattr(row, attribute, None if loaded is None else loaded.record)
    if loaded is None or loaded.record is None:
        has_failed = loaded is not None and loaded.chunk.status is not SourceStatus.OK
        reason = gap_of(loaded.chunk.status) if loaded is not None and has_failed else FieldGapReason.EMPTY_AT_SOURCE
        row.origin.failed_links[attribute] = reason
