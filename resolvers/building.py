"""Builds the page that comes back: rows, cursors where they are selected, and what every source answered."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.scan import Batch
from resolvers.cursors import Place
from resolvers.merge import Picked, places_after
from schema.pages import PageInfo
from schema.selection import Selection, below
from schema.sources import SourceOutcome


def build_page(
    page: type[Any],
    picked: Sequence[Picked],
    batches: Mapping[str, Batch],
    before: Mapping[str, Place],
    selection: Selection,
    seal: Callable[[Mapping[str, Place]], str],
    *,
    outcomes: list[SourceOutcome],
    is_complete: bool,
    after: str | None,
    total: int | None,
) -> Any:
    """A page of type `page`; `before` says where every source stood, and `seal` makes a cursor of places."""
    used: dict[str, int] = {}
    wants_cursors = "cursor" in below(selection, "edges")
    wants_start = "startCursor" in below(selection, "pageInfo")
    wants_end = "endCursor" in below(selection, "pageInfo")
    cursors = []
    for place, item in enumerate(picked):
        used[item.source] = item.index + 1
        if wants_cursors or (wants_start and place == 0):
            cursors.append(seal(places_after(before, batches, used)))
    rows = [item.record for item in picked]
    return page(
        nodes=rows,
        edges=_edges(page, rows, cursors if wants_cursors else [""] * len(rows)) if "edges" in selection else [],
        page_info=PageInfo(
            has_next_page=any(
                batch.has_more or used.get(source, 0) < len(batch.records) for source, batch in batches.items()
            ),
            has_previous_page=after is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=seal(places_after(before, batches, used)) if before and wants_end else None,
        ),
        total_count=total,
        is_complete=is_complete,
        sources=outcomes,
    )


def _edges(page: type[Any], rows: Sequence[Any], cursors: Sequence[str]) -> list[Any]:
    return [page.Edge(cursor=cursor, node=row) for cursor, row in zip(cursors, rows, strict=True)]
