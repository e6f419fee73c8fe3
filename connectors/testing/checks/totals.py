"""What a source says of the number of its rows is what a walk finds."""

from connectors.plan import plan_read
from connectors.spec import Resource
from connectors.tally import Tally
from connectors.testing.bench import Bench, Opened
from connectors.testing.registry import check
from connectors.testing.values import conditions_on, filterable
from connectors.testing.walks import everything, found_here
from schema.filters import EVERYTHING, Tree

_FILTERS = 12


@check
async def totals_are_what_a_walk_finds(bench: Bench) -> None:
    """With no filter, and with filters that the source decides; in one request, where it can be told at all."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            records = await everything(opened, resource)
            trees: list[Tree] = [EVERYTHING]
            for subject in filterable(resource):
                trees += list(conditions_on(resource, subject, records))[:3]
            exact = [tree for tree in trees if plan_read(resource, tree).counting is not None]
            for tree in exact[:1] + exact[1 :: max(1, len(exact) // _FILTERS)]:
                await _compare(opened, resource, tree, len(found_here(resource, records, tree)))


async def _compare(opened: Opened, resource: Resource, tree: Tree, expected: int) -> None:
    plan, tally = plan_read(resource, tree), Tally()
    if plan.finds_nothing or plan.counting is None:
        return
    found = await opened.source.count(plan.counting, tally, opened.deadline())
    if found is not None:
        assert found == expected, f"{resource.model.name}: {tree} counts {found} rows, and finds {expected}"
