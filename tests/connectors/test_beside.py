"""Collections that lie beside a resource's rows: read for all together, and honest where they cannot be read."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import BadAnswer, NoSuchRecords, PermissionDenied, Trouble
from connectors.plan import plan_read
from connectors.query import Answer, Page, Read
from connectors.scan import Scan
from connectors.systems.sap_s4hana.inventory import products
from connectors.systems.sap_s4hana.sandbox import USERS, samples, sandbox
from connectors.tally import Tally
from connectors.testing.bench import Opened
from connectors.testing.walks import reader_for, walk
from schema.filters import EVERYTHING, Condition, Operator, Tree
from schema.records import FieldGapReason
from schema.sorting import Order, SortStep
from tests.connectors.faults import Altered
from tests.connectors.sap_s4hana_bench import SapS4hanaBench, sap_s4hana_bench

STOCK = products.beside["stock"].source
BY_AVAILABLE = (SortStep("available", "available.value", descending=False),)
AVAILABLE = Condition("available.value", Operator.IS_NULL, False)


def without_the_right() -> SapS4hanaBench:
    """A bench whose user may read products, and not their stock."""
    bench = sap_s4hana_bench()
    (user,) = USERS
    bench.boxes[None] = sandbox(samples(), allowed={user: ["API_PRODUCT_SRV"]})
    return bench


def without_the_service() -> SapS4hanaBench:
    """A bench whose system answers that there is no service for stock."""
    absent = NoSuchRecords("The service is not active in the system.")
    return _speaking(lambda trouble: absent if isinstance(trouble, PermissionDenied) else trouble)


def _speaking(meant: Callable[[Trouble | None], Trouble | None]) -> SapS4hanaBench:
    bench = without_the_right()
    return bench.with_system(replace(bench.system, protocol=Altered(bench.system.protocol, meant=meant)))


async def gaps_of(opened: Opened) -> dict[str, FieldGapReason]:
    """Why fields made of stock are null in the first product."""
    selection: dict[str, Any] = {"onHand": None, "stockLevels": {"nodes": {"lot": None}}, "number": None}
    reader = reader_for(opened, products, selection)
    scan = Scan(opened.source, plan_read(products, EVERYTHING), reader, Tally(), opened.deadline(), 100)
    record, *_ = (await scan.run(None, 100)).records
    assert record.number is not None
    return {gap.path: gap.reason for gap in reader.meta_of(record, datetime.now(UTC)).find_gaps()}


async def test_all_rows_of_a_page_cost_one_question() -> None:
    async with sap_s4hana_bench().open() as opened:
        found = await walk(opened, products, selection={"onHand": None, "available": None}, page=100)
        assert len(found) > 20
        assert [read.source for read in opened.source.reads] == [products.source, STOCK]


@pytest.mark.parametrize(
    ("bench", "reason"),
    [
        (without_the_right, FieldGapReason.NOT_PERMITTED),
        (without_the_service, FieldGapReason.NOT_SUPPORTED_BY_SYSTEM),
    ],
)
async def test_what_cannot_be_read_leaves_its_fields_null_and_says_why(
    bench: Callable[[], SapS4hanaBench], reason: FieldGapReason
) -> None:
    async with bench().open() as opened:
        assert await gaps_of(opened) == {"onHand": reason, "stockLevels": reason}


@pytest.mark.parametrize(("tree", "order"), [(AVAILABLE, ()), (EVERYTHING, BY_AVAILABLE)])
async def test_a_filter_or_an_order_that_needs_it_fails(tree: Tree, order: Order) -> None:
    """Rows would be left out, or stand in any order, without a word."""
    async with without_the_right().open() as opened:
        with pytest.raises(PermissionDenied):
            await walk(opened, products, tree, order)


async def test_rows_that_do_not_say_where_they_belong_are_no_answer() -> None:
    class Muddled(Altered):
        def page(self, read: Read, answer: Answer) -> Page:
            page = super().page(read, answer)
            return Page([row | {"Material": {}} for row in page.rows] if read.source == STOCK else page.rows, page.next)

    bench = sap_s4hana_bench()
    muddled = bench.with_system(replace(bench.system, protocol=Muddled(bench.system.protocol)))
    async with muddled.open() as opened:
        assert await gaps_of(opened) == dict.fromkeys(("onHand", "stockLevels"), FieldGapReason.SOURCE_ERROR)
        with pytest.raises(BadAnswer):
            await walk(opened, products, AVAILABLE)
