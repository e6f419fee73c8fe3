"""Fills the links of whole pages: to one record, to many, and of child rows, links of links included."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.spec import Resource
from connectors.tracing import LINKS, Attribute, step
from resolvers.asking import resources_of
from resolvers.links import Loaded, loader_for, selects_links, tell
from resolvers.outcomes import gap_of
from resolvers.pages import load_pages
from resolvers.ports import Context, LiveSource
from resolvers.trails import fill_trails
from schema.freshness import Freshness
from schema.model import Entity, FieldModel, Kind, entity_named, fields_of
from schema.records import FieldGapReason, Served, weaker
from schema.selection import Selection, below, rows_of, uses
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

    async def fill_page(self, rows: Rows, entity: Entity, selection: Selection, path: str) -> None:
        """Fill every selected link of a page of records."""
        if selects_links(entity.fields, selection):
            with step(LINKS, {Attribute.ENTITY: entity.name}):
                await self.fill(rows, entity.fields, selection, path)

    async def fill(self, rows: Rows, fields: Mapping[str, FieldModel], selection: Selection, path: str) -> None:
        """Fill every selected link of rows that have these fields."""
        jobs = []
        for name in selection:
            model = fields.get(name)
            if model is None:
                continue
            below_path = f"{path}.{name}"
            if model.kind is Kind.LINK:
                jobs += [
                    self._fill_link(key, of, model, below(selection, name), below_path) for key, of in rows.items()
                ]
            elif model.kind is Kind.LINKS:
                for alias, use in uses(selection, name).items():
                    # For all rows together, each gets a page of its own.
                    jobs += [load_pages(self, key, of, model, alias, use, below_path) for key, of in rows.items()]
            elif model.kind is Kind.TRAIL:
                jobs += [fill_trails(self, key, of, model, below_path) for key, of in rows.items()]
            elif model.kind is Kind.CHILDREN:
                jobs.append(self._fill_children(rows, model, rows_of(below(selection, name)), below_path))
        await asyncio.gather(*jobs)

    async def _fill_children(self, rows: Rows, model: FieldModel, selection: Selection, path: str) -> None:
        fields = fields_of(model.type)
        if selects_links(fields, selection):
            children = {
                key: [child for row in of for child in row.origin.children.get(model.attribute) or ()]
                for key, of in rows.items()
            }
            await self.fill(children, fields, selection, path)

    async def _fill_link(
        self, connection_id: str, rows: Sequence[Any], model: FieldModel, selection: Selection, path: str
    ) -> None:
        """Read the distinct records that rows point to, and point every row to its own."""
        live = self.lives[connection_id]
        target = entity_named(model.type)
        keys = list(dict.fromkeys(key for row in rows if (key := row.origin.links.get(model.attribute)) is not None))
        found: dict[str, Loaded] = {}

        async def load(resource: Resource) -> None:
            own = [key for key in keys if resource.owns(key)]
            loader = loader_for(live, resource, selection, self.context, self.timeout_ms, self.freshness)
            found.update(zip(own, await loader.load_many(own), strict=True))

        await asyncio.gather(*map(load, resources_of(live, target).values()))
        for row in rows:
            key = row.origin.links.get(model.attribute)
            if key is not None:
                _attach(row, model.attribute, found.get(key))
        chunks = dict.fromkeys(item.chunk for item in found.values())
        for chunk in chunks:
            self.note(connection_id, chunk.tally.served)
        for call in tell(chunks, path):
            self.account(connection_id, call)
        present = [item.record for item in found.values() if item.record is not None]
        await self.fill({connection_id: present}, target.fields, selection, path)

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
