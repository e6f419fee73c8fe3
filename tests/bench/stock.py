"""The other contender: the same graph written as Strawberry's documents say, with its own view and httpx."""

import asyncio
import datetime
import os
from enum import Enum
from typing import Any

import httpx
import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

_SOURCE = os.environ.get("BENCH_SOURCE", "")
_CLIENT = httpx.AsyncClient(base_url=_SOURCE)


@strawberry.enum
class PurchaseOrderStatus(Enum):
    """Where an order stands."""

    DRAFT = "D"
    ISSUED = "I"
    CLOSED = "C"


@strawberry.type
class Vendor:
    """A vendor."""

    remote_id: str
    name: str
    email: str | None


@strawberry.type
class PurchaseOrder:
    """An order."""

    number: str
    title: str | None
    status: PurchaseOrderStatus
    source_status: str
    vendor_name: str
    order_date: datetime.date
    required_date: datetime.date
    updated_at: datetime.datetime
    currency: str
    memo: str | None
    reference: str
    incoterm: str
    vendor_id: strawberry.Private[str]
    source: strawberry.Private[str]

    @strawberry.field
    async def vendor(self, info: strawberry.Info) -> Vendor | None:
        """The vendor, with all others of the page in one request."""
        loaders: dict[str, DataLoader[str, Vendor | None]] = info.context["loaders"]
        if self.source not in loaders:
            loaders[self.source] = DataLoader(load_fn=_vendors_of(self.source))
        return await loaders[self.source].load(self.vendor_id)


def _vendors_of(source: str) -> Any:
    async def load(keys: list[str]) -> list[Vendor | None]:
        answer = await _CLIENT.get(f"/{source}/vendors.json", params={"id": ",".join(keys)})
        found = {
            str(row["id"]): Vendor(remote_id=str(row["id"]), name=row["name"], email=row["email"])
            for row in answer.json()
        }
        return [found.get(key) for key in keys]

    return load


def _order(row: dict[str, Any], source: str) -> PurchaseOrder:
    return PurchaseOrder(
        number=row["number"],
        title=row["title"],
        status=PurchaseOrderStatus(row["state"]),
        source_status=row["state"],
        vendor_name=row["vendorName"],
        order_date=datetime.date.fromisoformat(row["ordered"]),
        required_date=datetime.date.fromisoformat(row["needed"]),
        updated_at=datetime.datetime.fromisoformat(row["changed"]),
        currency=row["currency"],
        memo=row["note"],
        reference=row["reference"],
        incoterm=row["incoterm"],
        vendor_id=str(row["vendorId"]),
        source=source,
    )


@strawberry.type
class Page:
    """A page of orders."""

    nodes: list[PurchaseOrder]


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def purchase_orders(self, first: int, connection_ids: list[strawberry.ID]) -> Page:
        """Orders of several sources, taking turns."""
        answers = await asyncio.gather(
            *(_CLIENT.get(f"/{source}/orders.json", params={"limit": first + 1}) for source in connection_ids)
        )
        lists = [
            [_order(row, source) for row in answer.json()]
            for source, answer in zip(connection_ids, answers, strict=True)
        ]
        longest = max(map(len, lists))
        rows = [rows[index] for index in range(longest) for rows in lists if index < len(rows)]
        return Page(nodes=rows[:first])


class View(GraphQL[Any, Any]):
    """Strawberry's own view, with loaders that live for one request."""

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:
        """What resolvers share."""
        return {"request": request, "response": response, "loaders": {}}


application = Starlette(routes=[Route("/graphql", View(strawberry.Schema(Query)), methods=["GET", "POST"])])
