"""Sources of every kind of paging are read whole, and records by their keys, whatever the source can do."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.client import Source
from connectors.errors import BadAnswer, WrongSystem
from connectors.expense import of_keys, of_scan
from connectors.keys import TEXT
from connectors.manifests.reading import read_folder
from connectors.plan import Position, ReadPlan, own_read, plan_read
from connectors.protocols.walking import Walk
from connectors.reading import RecordReader
from connectors.scan import Batch, Scan, SortTooLarge, read_by_keys
from connectors.tally import Tally
from connectors.testing.in_process import in_process_client
from schema.filters import EVERYTHING, And, Condition, Not, Operator, Tree
from schema.sorting import Order, SortStep

_MANIFEST = """format = 1
key = "mill"
title = "Mill"
vendor = "Somebody"
category = "other"
deployments = ["cloud"]
[protocol]
kind = "rest"
{protocol}
[[logins]]
key = "none"
title = "None"
kind = "none"
[resources.Vendor]
source = "vendors"
key = "id"
key_form = "number"
title = "name"
unmapped = "others"
max_keys = 3
page_size = 4
[resources.Vendor.read]
rows = "rows"
{read}
[resources.Vendor.fields]
name = {{ at = "name", filter = ["eq"], required = true }}
"""
_ROWS = [{"id": number, "name": f"Vendor {number % 3}"} for number in (5, 3, 12, 1, 10, 2, 11, 4, 6)]
_OWN_ORDER = [str(row["id"]) for row in _ROWS]
_KEYS = ["1", "2", "3", "4", "5", "6", "10", "11", "12"]


class Mill:
    """A program that pages in each of the ways, as the parameters ask; `asked` are the questions, oldest first."""

    def __init__(self, rows: list[dict[str, Any]] = _ROWS) -> None:
        self.rows = rows
        self.asked: list[str] = []
        routes = [Route("/vendors", self._list), Route("/vendors/{key}", self._one)]
        self.application = Starlette(routes=routes)

    async def _list(self, request: Request) -> Response:
        given = request.query_params
        self.asked.append(str(request.url.query))
        rows = [row for row in self.rows if all(str(row[name]) in given.getlist(name) for name in given if name in row)]
        size = int(given.get("limit", len(rows) or 1))
        start = int(given.get("offset", 0)) or (int(given.get("page", 1)) - 1) * size or int(given.get("cursor", 0))
        if "after" in given or "sorted" in given:
            rows = sorted((row for row in rows if row["id"] > int(given.get("after", 0))), key=lambda row: row["id"])
        following = start + size if start + size < len(rows) else None
        body = {"rows": rows[start : start + size], "next": following}
        link = f"https://elsewhere.test/?cursor={following}&limit={size}" if following else None
        headers = {"link": f'<{link}>; rel="next"'} if link else {}
        return JSONResponse({**body, "next_link": link}, headers=headers)

    async def _one(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        found = next((row for row in self.rows if str(row["id"]) == request.path_params["key"]), None)
        return JSONResponse({}, 404) if found is None else JSONResponse({"vendor": found})


class Visitor:
    """Asks a program what the product would ask it."""

    def __init__(self, place: Path, mill: Mill, read: str, protocol: str = "") -> None:
        self._mill = mill
        (place / "system.toml").write_text(_MANIFEST.format(read=read, protocol=protocol))
        self._system = read_folder(place).system
        (self.resource,) = self._system.resources
        self._http = in_process_client(mill.application, "http://mill.test/")

    def _source(self) -> Source:
        return Source("con_1", self._system, self._http, httpx.Auth())

    def _reader(self) -> RecordReader:
        return RecordReader(self.resource, self._system.protocol, "con_1", {"name": None})

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + 10

    async def keys(self, tree: Tree = EVERYTHING, order: Order = (), count: int = 2, max_rows: int = 100) -> list[str]:
        """The keys that a question finds, read in pages of so many."""
        plan = plan_read(self.resource, tree, order)
        found: list[str] = []
        place = None
        while True:
            batch = await self._page(plan, place, count, max_rows)
            found += [record.origin.key for record in batch.records]
            if not batch.has_more:
                return found
            place = batch.resume

    async def _page(self, plan: ReadPlan, place: Position | None, count: int, max_rows: int) -> Batch:
        """A page; it begins with the request that is foretold, and takes no more than is foretold."""
        source, reader, tally, before = self._source(), self._reader(), Tally(), len(self._mill.asked)
        foretold = of_scan(plan, reader, place, count, max_rows)
        read = plan.first_read(place, reader.paths, count)
        batch = await Scan(source, plan, reader, tally, self._deadline(), max_rows).run(place, count)
        first = [] if read is None else [source.request(read, plan.start(place).query).query]
        assert self._mill.asked[before:][:1] == first
        assert tally.requests <= foretold.calls
        assert tally.records <= foretold.records or plan.walk is Walk.WHOLE
        return batch

    async def by_keys(self, keys: Sequence[str]) -> list[str]:
        """The keys of the records that are found by keys, with no more calls than are foretold."""
        reader, tally = self._reader(), Tally()
        found = await read_by_keys(self._source(), reader, keys, tally, self._deadline())
        assert tally.requests <= of_keys(reader, len(keys)).calls
        return [record.origin.key for record in found]


_FILTERS = 'several = "repeated"\nfilters = { eq = "{path}" }'
_PAGINGS = {
    "none": '{ kind = "none" }',
    "offset": '{ kind = "offset", offset = "offset", limit = "limit" }',
    "page-number": '{ kind = "page-number", page = "page", limit = "limit" }',
    "cursor": '{ kind = "cursor", cursor = "cursor", next = "next", limit = "limit" }',
    "link": '{ kind = "link", next = "next_link", limit = "limit" }',
    "link-header": '{ kind = "link-header", limit = "limit" }',
    "after-key": '{ kind = "after-key", after = "after", limit = "limit" }',
}


@pytest.mark.parametrize("kind", _PAGINGS)
class TestEveryKindOfPaging:
    def _visitor(self, place: Path, kind: str, mill: Mill) -> Visitor:
        fixed = 'parameters = { sorted = "yes" }\n' if kind == "after-key" else ""
        return Visitor(place, mill, f"{fixed}paging = {_PAGINGS[kind]}", _FILTERS)

    def _in_order(self, kind: str, keys: Sequence[str]) -> list[str]:
        """Keys as they come without an order: by key where the source goes on by keys, or sends everything at once."""
        is_own = kind not in ("none", "after-key")
        return [key for key in _OWN_ORDER if key in keys] if is_own else sorted(keys, key=int)

    async def test_every_row_comes_once(self, tmp_path: Path, kind: str) -> None:
        visitor = self._visitor(tmp_path, kind, Mill())
        for count in (1, 2, 3, 4, 5, 8, 50):
            assert await visitor.keys(count=count) == self._in_order(kind, _KEYS), count

    async def test_a_page_costs_what_it_holds(self, tmp_path: Path, kind: str) -> None:
        """Nine rows, four at a time: nothing is read again but the answer that a page ended in."""
        mill = Mill()
        await self._visitor(tmp_path, kind, mill).keys(count=3)
        assert len(mill.asked) <= (6 if kind in ("cursor", "link", "link-header") else 5)

    @pytest.mark.parametrize("rows", [0, 1, 4, 8])
    async def test_the_last_page_may_be_full_or_empty(self, tmp_path: Path, kind: str, rows: int) -> None:
        visitor = self._visitor(tmp_path, kind, Mill(_ROWS[:rows]))
        expected = self._in_order(kind, [str(row["id"]) for row in _ROWS[:rows]])
        assert await visitor.keys(count=3) == expected

    async def test_orders_and_filters_are_the_contract_s(self, tmp_path: Path, kind: str) -> None:
        visitor = self._visitor(tmp_path, kind, Mill())
        by_name = (SortStep("name", "name", descending=True),)
        assert await visitor.keys(order=by_name) == ["2", "5", "11", "1", "4", "10", "3", "6", "12"]
        name = Condition("name", Operator.EQ, "Vendor 2")
        assert await visitor.keys(name) == self._in_order(kind, ["2", "5", "11"])
        others = And((name, Condition("remoteId", Operator.NE, "5")))
        assert await visitor.keys(others) == self._in_order(kind, ["2", "11"])
        assert await visitor.keys(Not(name)) == self._in_order(kind, ["1", "3", "4", "6", "10", "12"])

    async def test_records_are_found_by_keys(self, tmp_path: Path, kind: str) -> None:
        mill = Mill()
        visitor = self._visitor(tmp_path, kind, mill)
        assert sorted(await visitor.by_keys(["12", "1", "7", "x", "3", "5"]), key=int) == ["1", "3", "5", "12"]
        assert len(mill.asked) == 2

    async def test_the_source_decides_what_it_can(self, tmp_path: Path, kind: str) -> None:
        visitor = self._visitor(tmp_path, kind, Mill())
        assert plan_read(visitor.resource, Condition("name", Operator.EQ, "Vendor 2")).is_exact
        left = plan_read(visitor.resource, Condition("name", Operator.NE, "Vendor 2"))
        assert left.filtered_here == ("name",)


class TestOneByOne:
    async def test_each_record_is_read_at_its_path(self, tmp_path: Path) -> None:
        mill = Mill()
        visitor = Visitor(tmp_path, mill, 'one = "vendors/{key}"\nrecord = "vendor"\npaging = { kind = "none" }')
        assert await visitor.by_keys(["3", "7", "3", "..", "x", "12"]) == ["3", "12"]
        assert mill.asked == ["/vendors/3", "/vendors/7", "/vendors/12"]

    @pytest.mark.parametrize("key", [".", ".."])
    def test_a_key_that_leads_out_of_the_collection_is_that_of_no_record(self, tmp_path: Path, key: str) -> None:
        visitor = Visitor(tmp_path, Mill(), 'one = "vendors/{key}"\nrecord = "vendor"')
        resource = replace(visitor.resource, key_form=TEXT)
        assert own_read(resource, frozenset(), key) is None
        assert own_read(resource, frozenset(), f"{key}a") is not None

    async def test_a_path_that_leads_to_another_record_finds_nothing(self, tmp_path: Path) -> None:
        class Careless(Mill):
            async def _one(self, request: Request) -> Response:
                return JSONResponse({"vendor": self.rows[0]})

        visitor = Visitor(tmp_path, Careless(), 'one = "vendors/{key}"\nrecord = "vendor"')
        assert await visitor.by_keys(["3", "5"]) == ["5"]

    async def test_any_other_trouble_is_one(self, tmp_path: Path) -> None:
        class Moved(Mill):
            async def _one(self, request: Request) -> Response:
                return Response(status_code=302, headers={"location": "/login"})

        visitor = Visitor(tmp_path, Moved(), 'one = "vendors/{key}"\nrecord = "vendor"')
        with pytest.raises(WrongSystem):
            await visitor.by_keys(["3"])


class TestSourcesThatChangeOrLie:
    _OFFSET = f"paging = {_PAGINGS['offset']}"

    async def test_a_row_that_moves_to_a_later_page_comes_once(self, tmp_path: Path) -> None:
        class Busy(Mill):
            """A new row comes to the front after each question."""

            async def _list(self, request: Request) -> Response:
                answer = await super()._list(request)
                self.rows = [{"id": 100 + len(self.asked), "name": "new"}, *self.rows]
                return answer

        visitor = Visitor(tmp_path, Busy(), self._OFFSET, _FILTERS)
        assert [key for key in await visitor.keys(count=50) if len(key) < 3] == _OWN_ORDER

    async def test_a_source_that_ignores_the_offset_is_found_out(self, tmp_path: Path) -> None:
        visitor = Visitor(tmp_path, Mill(), self._OFFSET.replace('"offset", limit', '"unknown", limit'), _FILTERS)
        with pytest.raises(BadAnswer, match="twice"):
            await visitor.keys()

    async def test_a_key_that_stands_for_two_rows_is_found_out(self, tmp_path: Path) -> None:
        visitor = Visitor(tmp_path, Mill([_ROWS[0], dict(_ROWS[0])]), self._OFFSET, _FILTERS)
        with pytest.raises(BadAnswer, match="twice"):
            await visitor.keys()

    @pytest.mark.parametrize("kind", [kind for kind in _PAGINGS if kind not in ("none", "after-key")])
    async def test_more_rows_than_may_be_read_are_refused(self, tmp_path: Path, kind: str) -> None:
        visitor = Visitor(tmp_path, Mill(), f"paging = {_PAGINGS[kind]}", _FILTERS)
        by_name = (SortStep("name", "name", descending=False),)
        with pytest.raises(SortTooLarge):
            await visitor.keys(order=by_name, max_rows=8)
        assert sorted(await visitor.keys(order=by_name, max_rows=9), key=int) == _KEYS
