"""Pages cover every row exactly once, wherever the borders fall and however the source cuts its answers."""

from dataclasses import replace
from typing import Any

from connectors.plan import plan_read
from connectors.scan import SortTooLarge
from connectors.spec import Resource
from connectors.testing.bench import Bench, Opened
from connectors.testing.checks.filters import orders_of
from connectors.testing.golden import as_json
from connectors.testing.registry import check
from connectors.testing.walks import everything, keys_of, reader_for, walk, whole
from schema.filters import EVERYTHING, Condition, Operator, Or
from schema.sorting import Order

_SIZES = (1, 2, 3, 7, 50)
_SIZES_UPWARDS, _SIZES_DOWNWARDS, _SIZES_SORTED_HERE = (2, 50), (3, 7), (7,)
_CUTS = (2, 3)


@check
async def pages_of_any_size_cover_every_row_once(bench: Bench) -> None:
    """Each order in pages of any size is the same list as in one go; the two directions share the sizes."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            for order in ((), *orders_of(resource)):
                in_one_go = keys_of(await walk(opened, resource, order=order))
                assert len(set(in_one_go)) == len(in_one_go), f"{resource.model.name} by {order}: rows come twice"
                for size in _sizes(resource, order):
                    paged = keys_of(await walk(opened, resource, order=order, page=size))
                    assert paged == in_one_go, f"{resource.model.name} by {order} in pages of {size}"


def _sizes(resource: Resource, order: Order) -> tuple[int, ...]:
    if not order:
        return _SIZES
    if plan_read(resource, EVERYTHING, order).sorts_here:
        return _SIZES_SORTED_HERE
    return _SIZES_DOWNWARDS if order[0].descending else _SIZES_UPWARDS


@check
async def answers_in_pieces_are_read_whole(bench: Bench) -> None:
    """A source may cut its answers anywhere, also what lies beside, and a resource may ask for few rows at a time."""
    async with bench.open() as opened:
        in_one_go = {item.source: await _walks(opened, item) for item in bench.system.resources}
        beside = {item.source: await _records(opened, item) for item in bench.system.resources if item.beside}
        for resource in bench.system.resources:
            few = replace(resource, page_size=3)
            assert await _walks(opened, few) == in_one_go[resource.source], (
                f"{resource.model.name}: three rows at a time"
            )
    for cut in _CUTS if bench.can_cut else ():
        async with bench.open(cut=cut) as opened:
            for resource in bench.system.resources:
                found = await _walks(opened, resource)
                assert found == in_one_go[resource.source], f"{resource.model.name}: answers cut after {cut}"
                if resource.beside:
                    assert await _records(opened, resource) == beside[resource.source], f"{resource.model.name}: beside"


@check
async def a_scan_that_stops_at_its_bound_is_taken_up_again(bench: Bench) -> None:
    """With a filter that is decided here, few rows are looked at for one page; the next goes on from there."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            few = replace(resource, page_size=4)
            for order in ((), *_pushed_orders(resource)[:2]):
                keys = keys_of(await walk(opened, resource, order=order))
                for rare in (keys[-1:], keys[::5]):
                    tree = Or(tuple(Condition("remoteId", Operator.CONTAINS, key) for key in rare))
                    expected = keys_of(await walk(opened, resource, tree, order))
                    found = keys_of(await walk(opened, few, tree, order, page=2, max_rows=5))
                    assert found == expected, f"{resource.model.name} by {order}"


@check
async def more_rows_than_can_be_sorted_here_are_refused(bench: Bench) -> None:
    """An order that the source does not make is made here up to a bound, and beyond it not at all."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            for order in orders_of(resource):
                if plan_read(resource, EVERYTHING, order).sorts_here:
                    try:
                        await walk(opened, replace(resource, page_size=4), order=order, max_rows=8)
                    except SortTooLarge:
                        continue
                    raise AssertionError(f"{resource.model.name} by {order} was sorted beyond the bound")


def _pushed_orders(resource: Resource) -> list[Order]:
    return [order for order in orders_of(resource) if plan_read(resource, EVERYTHING, order).sorters]


async def _records(opened: Opened, resource: Resource) -> list[Any]:
    reader = reader_for(opened, resource, whole(resource.model))
    return [as_json(record, resource.model, reader) for record in await everything(opened, resource)]


async def _walks(opened: Opened, resource: Resource) -> list[Any]:
    decided_here = Condition("remoteId", Operator.CONTAINS, "")
    walks = [keys_of(await walk(opened, resource, decided_here, page=4))]
    for order in ((), *_pushed_orders(resource)):
        walks.append(keys_of(await walk(opened, resource, order=order, page=7)))
    return walks
