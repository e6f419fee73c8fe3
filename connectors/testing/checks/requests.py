"""What leaves the gateway: only the fields that are needed, no question without an answer to find, few logins."""

import asyncio
from collections.abc import Iterable, Iterator

from connectors.beside import PLACE
from connectors.composites import EachChild, Many, Parts
from connectors.fields import FieldSpec
from connectors.plan import plan_read
from connectors.protection.protections import lone_guard
from connectors.spec import Resource
from connectors.tally import Tally
from connectors.testing.bench import Bench
from connectors.testing.registry import check
from connectors.testing.values import filterable
from connectors.testing.walks import by_keys, walk
from connectors.testing.wire import break_off, once
from schema.filters import EVERYTHING, NOTHING, And, Condition, Operator, Tree
from schema.model import FieldModel, fields_of
from schema.selection import Selection

_AT_ONCE = 4


@check
async def only_needed_fields_are_asked_for(bench: Bench) -> None:
    """Each field, part and child field alone brings its own paths and the key, and nothing else."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            for selection, expected in _projections(resource):
                opened.wire.asked.clear()
                await walk(opened, resource, selection=selection)
                shown = set(_questions(resource, expected | {resource.key}))
                assert set(map(_without_keys, opened.questions())) == set(map(_without_keys, shown)), (
                    f"{resource.model.name} {selection}: too many or too few fields"
                )


def _without_keys(paths: frozenset[str]) -> frozenset[str]:
    """Leave out links that more is asked of, since their keys come along in some systems."""
    return frozenset(path for path in paths if not any(other.startswith(f"{path}.") for other in paths))


def _questions(resource: Resource, paths: frozenset[str]) -> Iterator[frozenset[str]]:
    """What is asked of the resource itself, and of each collection beside it that is needed."""
    yield frozenset(path for path in paths if not path.startswith(("_", "@")))
    for name, beside in resource.beside.items():
        found = {path.removeprefix(f"@{name}.") for path in paths if path.startswith(f"@{name}.")}
        if found:
            yield frozenset({path for path in found if not path.startswith(PLACE)} | {beside.key})
        if found and beside.places is not None:
            of_place = {path.removeprefix(PLACE) for path in found if path.startswith(PLACE)}
            yield frozenset(of_place | {beside.places.key})


def _projections(resource: Resource) -> Iterator[tuple[Selection, frozenset[str]]]:
    yield {}, frozenset()
    yield {"id": None, "remoteId": None, "connection": {"name": None}}, frozenset()
    yield {"displayName": None}, frozenset(resource.fields[resource.title].paths())
    for name, word in resource.fields.items():
        yield from _projections_of(name, word, resource.model.fields[name])
    for name in (*resource.unsupported, *resource.unmapped):
        yield {name: None}, frozenset()


def _projections_of(name: str, word: FieldSpec, model: FieldModel) -> Iterator[tuple[Selection, frozenset[str]]]:
    match word:
        case Parts(parts):
            yield from _parts(name, parts, Parts(parts), model, "")
        case EachChild(path, parts_of_child):
            yield from _parts(name, parts_of_child.fields, parts_of_child, model, f"{path}.")
        case Many(path):
            yield {name: {"totalCount": None}}, frozenset(f"{path}.{key}" for key in word.key_paths)
            for inner, inner_word in word.fields.items():
                for selection, paths in _projections_of(inner, inner_word, fields_of(model.type)[inner]):
                    below = frozenset(f"{path}.{item}" for item in {*word.key_paths, *paths})
                    yield {name: {"nodes": selection}}, below
                    yield {name: {"edges": {"node": selection}}}, below
        case _:
            yield {name: None}, frozenset(word.paths())


def _parts(
    name: str, parts: Iterable[str], word: Parts, model: FieldModel, prefix: str
) -> Iterator[tuple[Selection, frozenset[str]]]:
    """A part brings itself, and those parts that its value object cannot do without."""
    models = fields_of(model.type)
    for part in parts:
        needed = {part, *(item for item in word.fields if models[item].is_required)}
        yield (
            {name: {part: None}},
            frozenset(f"{prefix}{path}" for item in needed for path in word.fields[item].paths()),
        )


@check
async def filters_and_orders_bring_their_own_fields(bench: Bench) -> None:
    """A filter that is decided here reads what it looks at, although only something beside it is selected."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            for subject in filterable(resource):
                name, _, part = subject.path.partition(".")
                condition = Condition(subject.path, Operator.IS_NULL, False)
                if not part or plan_read(resource, condition).left == EVERYTHING:
                    continue
                expected = await walk(opened, resource, condition)
                for other in fields_of(resource.model.fields[name].type):
                    if other != part:
                        found = await walk(opened, resource, condition, selection={name: {other: None}})
                        assert len(found) == len(expected), f"{subject.path} with only {name}.{other} selected"


@check
async def what_finds_nothing_costs_no_request(bench: Bench) -> None:
    """An empty list, a key that cannot be one and a field that the system does not have are decided here."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            for tree in _nothing(resource):
                assert await walk(opened, resource, tree) == []
            assert await by_keys(opened, resource, []) == []
        assert opened.wire.asked == []


def _nothing(resource: Resource) -> Iterator[Tree]:
    yield NOTHING
    yield Condition("remoteId", Operator.IN, ())
    yield Condition("remoteId", Operator.EQ, "")
    yield Condition("remoteId", Operator.IS_NULL, True)
    if resource.key_form.kind is int:
        yield Condition("remoteId", Operator.IN, ("nobody", "-1", "1.5"))
    filters = {subject.path for subject in filterable(resource)}
    for name in (*resource.unsupported, *resource.unmapped):
        if name in filters:
            yield Condition(name, Operator.IS_NULL, False)
            yield And((Condition(name, Operator.IS_NULL, False), Condition("remoteId", Operator.NE, "1")))


@check
async def a_system_has_only_what_it_describes(bench: Bench) -> None:
    """A kind of record that the system does not have is known before anything is asked."""

    class Unheard:
        """No system has this."""

    assert bench.system.resource(Unheard) is None


@check
async def a_login_lasts(bench: Bench) -> None:
    """After the first question, each costs one request: nobody logs in again for it."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            tally = Tally()
            await walk(opened, resource)
            await walk(opened, resource, page=1_000, tally=tally)
            assert tally.requests == 1, f"{resource.model.name}: {tally.requests} requests for one question"


@check
async def questions_at_the_same_time_share_a_login(bench: Bench) -> None:
    """One login for all of them, at first and once more when it has ended."""
    (resource, *_) = bench.system.resources
    async with bench.open() as opened:
        tally = Tally()
        await asyncio.gather(*(walk(opened, resource, tally=tally) for _ in range(_AT_ONCE)))
        assert tally.requests <= _AT_ONCE + 1, f"{tally.requests} requests for {_AT_ONCE} first questions"
        if bench.end_sessions():
            tally = Tally()
            await asyncio.gather(*(walk(opened, resource, tally=tally) for _ in range(_AT_ONCE)))
            assert tally.requests <= 2 * _AT_ONCE + 1, f"{tally.requests} requests for {_AT_ONCE} refused questions"


@check
async def a_question_whose_connection_broke_is_asked_again(bench: Bench) -> None:
    """Reading does no harm twice, and the protocol says so of every question."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            await walk(opened, resource)
            opened.source.guard = lone_guard()
            with opened.wire.scripted(once(break_off)):
                await walk(opened, resource)
