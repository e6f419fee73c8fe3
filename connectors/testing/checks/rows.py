"""Records are what the system has: equal to the rows that are kept, and to what is known on another way."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.composites import EachChild, Many, Parts
from connectors.decisions import Codes, First, Flagged
from connectors.fields import FieldSpec
from connectors.protocols.base import Row, WireProtocol
from connectors.spec import Resource
from connectors.testing.bench import Bench, Opened
from connectors.testing.golden import as_json, read_rows, write_rows
from connectors.testing.registry import check
from connectors.testing.walks import by_key, everything, raw_rows, reader_for, value_of, whole


@check
async def records_are_the_rows_that_are_kept(bench: Bench) -> None:
    """Every field of every record; `--update-rows` keeps new ones."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            found = await _as_kept(opened, resource)
            if bench.update_rows:
                write_rows(bench.rows, resource, found)
            kept = read_rows(bench.rows, resource)
            assert [row["remoteId"] for row in found] == [row["remoteId"] for row in kept]
            for row, expected in zip(found, kept, strict=True):
                assert row == expected, f"{resource.model.name} {row['remoteId']}"


async def _as_kept(opened: Opened, resource: Resource) -> list[dict[str, Any]]:
    reader = reader_for(opened, resource, whole(resource.model))
    records = await everything(opened, resource)
    return [as_json(record, resource.model, reader) for record in records]


@check
async def records_say_what_is_known_otherwise(bench: Bench) -> None:
    """The system's own data, read on another way, says the same."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            truth = bench.truth(resource)
            records = by_key(await everything(opened, resource))
            assert set(records) == set(truth), f"{resource.model.name}: the keys differ"
            for key, values in truth.items():
                for path, expected in values.items():
                    found = value_of(resource)(path)(records[key])
                    assert found == expected, f"{resource.model.name} {key}: {path} is {found!r}, not {expected!r}"


@check
async def child_rows_have_one_order(bench: Bench) -> None:
    """Where a source sends them in any order, they are put in that of their keys; else the source's order stands."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            words = {name: word for name, word in resource.fields.items() if isinstance(word, Many)}
            reader = reader_for(opened, resource, {name: whole(resource.model)[name] for name in words})
            for row in await raw_rows(opened, resource) if words else ():
                (before,) = reader.read([row])
                _turn_round(row)
                (after,) = reader.read([row])
                for name, word in words.items():
                    attribute = resource.model.fields[name].attribute
                    ids = [[str(child.id) for child in found.origin.children[attribute]] for found in (before, after)]
                    expected = ids[0] if word.key_form is not None else ids[0][::-1]
                    assert ids[1] == expected, f"{resource.model.name}.{name} of {before.origin.key}"


def _turn_round(found: Any) -> None:
    """Put everything that a row lists in the opposite order."""
    if isinstance(found, list):
        found.reverse()
    for inner in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        _turn_round(inner)


@check
async def samples_show_every_case_and_code(bench: Bench) -> None:
    """What no sample shows is not known to be right; exceptions are named, with a reason, and only while true."""
    unseen: set[str] = set()
    async with bench.open() as opened:
        for resource in bench.system.resources:
            rows = await raw_rows(opened, resource)
            unseen.update(_unseen(resource.model.name, resource.fields, rows, bench.system.protocol))
    assert unseen == set(bench.unseen), "cases and codes that no sample shows, against those that are named"


def _unseen(where: str, words: Mapping[str, FieldSpec], rows: list[Row], protocol: WireProtocol) -> Iterator[str]:
    for name, word in words.items():
        path = f"{where}.{name}"
        match word:
            case Codes(source, codes):
                get = protocol.getter(source)
                shown = [get(row) for row in rows]
                yield from (f"{path}: {code!r}" for code in codes if code not in shown)
            case Flagged(source, value):
                get = protocol.getter(source)
                if value not in [get(row) for row in rows]:
                    yield f"{path}: {value!r}"
            case First(cases):
                decided = {_deciding_case(word, row, protocol) for row in rows}
                for index, case in enumerate(cases):
                    if index not in decided:
                        yield f"{path}: {case.path} is {case.value!r}"
            case Many(source, _, fields):
                yield from _unseen(path, fields, _children(source, rows, protocol), protocol)
            case EachChild(source, parts):
                yield from _unseen(path, parts.fields, _children(source, rows, protocol), protocol)
            case Parts(fields):
                yield from _unseen(path, fields, rows, protocol)


def _children(source: str, rows: list[Row], protocol: WireProtocol) -> list[Row]:
    read = protocol.children(source)
    return [child for row in rows for child in read(row) or ()]


def _deciding_case(word: First, row: Row, protocol: WireProtocol) -> int | None:
    values = [protocol.getter(case.path)(row) for case in word.cases]
    return next((index for index, case in enumerate(word.cases) if values[index] == case.value), None)
