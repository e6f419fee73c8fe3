"""Walks through all pages of a list, as a client would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.resolvers.graph import Graph

_QUERY = """
query Walk($first: Int!, $after: String, $filter: PurchaseOrderFilter, $orderBy: [PurchaseOrderSort!]) {
  purchaseOrders(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    edges { cursor node { remoteId connection { id } } }
    pageInfo { hasNextPage endCursor }
    isComplete
    sources { connection { id } status count error { code } }
  }
}
"""
_MOST_PAGES = 400

Identity = tuple[str, str]
"""The connection and the native key of a row."""


@dataclass
class Walk:
    """The pages of a walk: their rows, and what each page said beside them."""

    pages: list[list[Identity]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    @property
    def rows(self) -> list[Identity]:
        """All rows in their order."""
        return [row for page in self.pages for row in page]


def identities(page: Mapping[str, Any]) -> list[Identity]:
    """The rows of a page that selects edges."""
    return [(edge["node"]["connection"]["id"], edge["node"]["remoteId"]) for edge in page["edges"]]


async def walk(
    graph: Graph,
    first: int,
    *,
    condition: Mapping[str, Any] | None = None,
    order: Sequence[tuple[str, str]] | None = None,
    after: str | None = None,
    is_patient: bool = False,
) -> Walk:
    """Read page after page; who is patient goes on from `endCursor` as long as a source has failed."""
    order_by = None if order is None else [{"field": field, "direction": way} for field, way in order]
    walked = Walk()
    while True:
        data = await graph.run(_QUERY, first=first, after=after, filter=condition, orderBy=order_by)
        page = data["purchaseOrders"]
        walked.pages.append(identities(page))
        walked.answers.append(page)
        assert len(walked.pages) < _MOST_PAGES, "the walk has no end"
        has_failed = any(source["status"] not in ("OK", "PARTIAL") for source in page["sources"])
        if not page["pageInfo"]["hasNextPage"] and not (is_patient and has_failed):
            return walked
        after = page["pageInfo"]["endCursor"]
