"""An order is the contract's order, whether the source or the gateway makes it."""

from connectors.plan import plan_read
from connectors.protocols.walking import Walk
from connectors.testing.bench import Bench
from connectors.testing.checks.filters import orders_of
from connectors.testing.registry import check
from connectors.testing.walks import everything, keys_of, sorted_here, walk
from schema.filters import EVERYTHING


@check
async def every_order_is_the_same_as_here(bench: Bench) -> None:
    """Each field that can be sorted by, both ways: nulls last, ties in the order of keys."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            records = await everything(opened, resource)
            for order in orders_of(resource):
                found = await walk(opened, resource, order=order)
                expected = sorted_here(resource, records, order)
                assert keys_of(found) == keys_of(expected), f"{resource.model.name} by {order}"


@check
async def without_an_order_rows_come_by_key(bench: Bench) -> None:
    """The order of keys is what a walk without an order can stand on, unless the source counts or continues itself."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            if plan_read(resource, EVERYTHING).walk in (Walk.ROWS, Walk.LINKS):
                continue
            keys = keys_of(await everything(opened, resource))
            assert keys == sorted(keys, key=resource.key_form.order)
