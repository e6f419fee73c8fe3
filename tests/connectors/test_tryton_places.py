"""Values that a source works out at places: which places, how many questions, and what too many of them cost."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.plan import plan_read
from connectors.query import Compare, Comparison
from connectors.scan import Scan
from connectors.spec import Resource
from connectors.systems.tryton.inventory import products
from connectors.tally import Tally
from connectors.testing.bench import Opened
from connectors.testing.walks import reader_for, walk
from schema.filters import EVERYTHING
from schema.records import FieldGapReason
from tests.connectors.tryton_bench import tryton_bench
from tests.real.tryton.server import Tryton

pytestmark = pytest.mark.real
STOCK: Mapping[str, Any] = {"onHand": None, "stockLevels": {"nodes": {"location": {"code": None}}}}


def with_places(**changes: Any) -> Resource:
    """Products whose stock is counted at other places."""
    found = {
        name: replace(beside, places=replace(beside.places, **changes)) if beside.places else beside
        for name, beside in products.beside.items()
    }
    return replace(products, beside=found)


async def read(opened: Opened, resource: Resource) -> tuple[list[Any], dict[str, FieldGapReason]]:
    """All products, and why fields are null in the first."""
    reader = reader_for(opened, resource, dict(STOCK))
    scan = Scan(opened.source, plan_read(resource, EVERYTHING), reader, Tally(), opened.deadline(), 100)
    records = (await scan.run(None, 100)).records
    return records, {gap.path: gap.reason for gap in reader.meta_of(records[0], datetime.now(UTC)).find_gaps()}


async def test_more_places_than_are_asked_about_apart_cost_the_levels_alone(tryton: Tryton) -> None:
    async with tryton_bench(tryton).open() as opened:
        records, gaps = await read(opened, with_places(most=2))
        assert gaps == {"stockLevels": FieldGapReason.SOURCE_ERROR}
        assert all(record.on_hand is not None for record in records)
        assert len(opened.source.reads) == 1 + 2 + 1, "the products, the total with its places, and the places again"


@pytest.mark.parametrize(("code", "there"), [("R-1", {"R-1"}), ("nowhere", set())])
async def test_only_these_places_are_counted(tryton: Tryton, code: str, there: set[str]) -> None:
    where = Compare("code", Comparison.EQ, code)
    async with tryton_bench(tryton).open() as opened:
        records, _ = await read(opened, with_places(where=where))
    levels = [level for record in records for level in record.origin.children["stock_levels"]]
    assert {level.location.code for level in levels} == there
    assert any(record.on_hand.value for record in records) == bool(there)


async def test_places_are_read_only_where_stock_is_selected(tryton: Tryton) -> None:
    async with tryton_bench(tryton).open() as opened:
        await walk(opened, products, selection={"number": None, "reserved": None})
        assert [asked.source for asked in opened.source.reads] == ["product.product", "stock.move"]
