"""Filters mean the same wherever they are decided, and what is declared to be pushed down is."""

from random import Random
from typing import Any

from connectors.decisions import Always
from connectors.fields import At, Can
from connectors.plan import plan_read
from connectors.query import ALWAYS
from connectors.spec import Resource
from connectors.testing.bench import Bench, Opened
from connectors.testing.registry import check
from connectors.testing.values import Filterable, conditions_on, filterable
from connectors.testing.walks import everything, found_here, keys_of, sorted_here, walk
from schema.filters import EVERYTHING, And, Condition, Not, Operator, Or, Tree, simplify
from schema.sorting import Order, SortStep
from schema.values import Money, Quantity

_NEEDS = {
    **dict.fromkeys((Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN), Can.EQ),
    **dict.fromkeys((Operator.GT, Operator.GTE, Operator.LT, Operator.LTE), Can.RANGE),
    **dict.fromkeys((Operator.CONTAINS, Operator.STARTS_WITH), Can.TEXT),
    Operator.IS_NULL: Can.NULL,
}
_PART_SORTED_BY = {Money: ".amount", Quantity: ".value"}
_COMBINATIONS = 40
_SAMPLES_DECIDED_HERE = 1


@check
async def every_filter_finds_the_same_as_here(bench: Bench) -> None:
    """Each path with each operator and many values: the source, or the scan, finds what the contract means."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            records = await everything(opened, resource)
            for subject in filterable(resource):
                decided_here: dict[Operator, int] = {}
                for condition in conditions_on(resource, subject, records):
                    plan = plan_read(resource, condition)
                    if plan.left != EVERYTHING and plan.pushed == ALWAYS:
                        decided_here[condition.operator] = decided_here.get(condition.operator, 0) + 1
                        if decided_here[condition.operator] > _SAMPLES_DECIDED_HERE:
                            continue
                    await _compare(opened, resource, records, condition)


@check
async def combined_filters_find_the_same_as_here(bench: Bench) -> None:
    """And, or and not in any nesting, with and without an order, in pages of any size."""
    random = Random(2026)  # noqa: S311 - the same questions every time
    async with bench.open() as opened:
        for resource in bench.system.resources:
            records = await everything(opened, resource)
            pool = [item for subject in filterable(resource) for item in conditions_on(resource, subject, records)]
            orders = [(), (), *orders_of(resource)]
            for _ in range(_COMBINATIONS):
                tree = simplify(_combination(random, pool, depth=3))
                order, page = random.choice(orders), random.choice((3, 7, 50))
                await _compare(opened, resource, records, tree, order, page)


def _combination(random: Random, pool: list[Condition], depth: int) -> Tree:
    choice = random.random()
    if depth == 0 or choice < 0.2:
        return random.choice(pool)
    if choice < 0.4:
        return Not(_combination(random, pool, depth - 1))
    kind = And if choice < 0.65 else Or
    return kind(tuple(_combination(random, pool, depth - 1) for _ in range(random.randint(2, 3))))


async def _compare(
    opened: Opened,
    resource: Resource,
    records: list[Any],
    tree: Tree,
    order: Order = (),
    page: int = 1_000,
) -> None:
    expected = found_here(resource, records, tree)
    if order:
        expected = sorted_here(resource, expected, order)
    try:
        found = keys_of(await walk(opened, resource, tree, order, page=page))
    except Exception as error:
        raise AssertionError(f"{resource.model.name}: {tree} in {order} failed: {error!r}") from error
    assert found == keys_of(expected), f"{resource.model.name}: {tree} in {order}"


def orders_of(resource: Resource) -> list[Order]:
    """Every field that the contract lets sort by, in both directions, and each followed by another one."""
    upwards, downwards = (
        [
            SortStep(item.name, f"{item.name}{_PART_SORTED_BY.get(item.type, '')}", descending)
            for item in resource.model.fields.values()
            if item.marker.sort is not None
        ]
        for descending in (False, True)
    )
    others = [*downwards[1:], *downwards[:1]]
    pairs = [pair for pair in zip(upwards, others, strict=True) if pair[0].field != pair[1].field]
    return [*((step,) for step in (*upwards, *downwards)), *pairs]


@check
async def declared_filters_are_pushed_down(bench: Bench) -> None:
    """What a field declares is decided by the source alone: it sends no row too many; the rest is named."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            records = await everything(opened, resource)
            for subject in filterable(resource):
                for operator in subject.operators:
                    await _check_pushed(opened, resource, records, subject, operator)


async def _check_pushed(
    opened: Opened, resource: Resource, records: list[Any], subject: Filterable, operator: Operator
) -> None:
    usual = [item for item in conditions_on(resource, subject, records) if item.operator is operator]
    condition = next((item for item in usual if _is_usual(item)), usual[0])
    plan = plan_read(resource, condition)
    where = f"{resource.model.name}.{subject.path} {operator.word}"
    declared = _declares(resource, subject, operator)
    if declared is None:
        return
    if plan.left != EVERYTHING or not declared:
        assert plan.filtered_here == (subject.name,), f"{where} is decided here, and not named so"
    if not declared:
        return
    if _finds_more(resource, subject, operator):
        assert plan.pushed != ALWAYS, f"{where} is declared, but not asked for"
        return
    assert plan.left == EVERYTHING, f"{where} is declared, but decided here"
    opened.source.received = 0
    found = await walk(opened, resource, condition)
    assert opened.source.received == len(found), f"{where} is declared, but the source sends other rows too"


def _is_usual(condition: Condition) -> bool:
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    texts = [value for value in values if isinstance(value, str)]
    return values != () and all(text.isascii() and text == text.strip() for text in texts)


def _declares(resource: Resource, subject: Filterable, operator: Operator) -> bool | None:
    """Whether the source has to decide an operator; None where a field is not mapped, which decides it too."""
    if subject.path == "remoteId":
        return operator not in (Operator.CONTAINS, Operator.STARTS_WITH)
    found = resource.find(subject.path)
    if found is None:
        return None
    word, model = found
    if isinstance(word, Always):
        return True
    declared: Can = getattr(word, "filter", Can.NOTHING)
    if operator is Operator.IS_NULL and (
        getattr(word, "required", False) or (declared and _is_never_null(word, model))
    ):
        return True
    return _NEEDS[operator] in declared


def _finds_more(resource: Resource, subject: Filterable, operator: Operator) -> bool:
    """Whether the source may send rows too many, which are looked at again here."""
    found = resource.find(subject.path)
    return found is not None and getattr(found[0], "finds_more", False) and _NEEDS[operator] is Can.TEXT


def _is_never_null(word: Any, model: Any) -> bool:
    return not isinstance(word, At) and (model.is_enum or model.plain_type is bool)
