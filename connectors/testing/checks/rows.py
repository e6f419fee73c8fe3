"""Records are what the system has: equal to the rows that are kept, to what is known otherwise, and exact."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from connectors.composites import EachChild, Many, Parts
from connectors.fields import Codes, FieldSpec, First, Flagged
from connectors.protocols.base import Getter, Row, WireProtocol
from connectors.query import Answer, Read
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
            found = await _golden(opened, resource)
            if bench.update_rows:
                write_rows(bench.rows, resource.model, found)
            kept = read_rows(bench.rows, resource.model)
            assert [row["remoteId"] for row in found] == [row["remoteId"] for row in kept]
            for row, expected in zip(found, kept, strict=True):
                assert row == expected, f"{resource.model.name} {row['remoteId']}"


async def _golden(opened: Opened, resource: Resource) -> list[dict[str, Any]]:
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
async def samples_show_every_case_and_code(bench: Bench) -> None:
    """What no sample shows is not known to be right; exceptions are named, with a reason, and only as long as true."""
    unseen: set[str] = set()
    async with bench.open() as opened:
        for resource in bench.system.resources:
            rows = await raw_rows(opened, resource)
            unseen.update(_unseen(resource.model.name, resource.fields, rows, bench.system.protocol))
    assert unseen == set(bench.unseen), "cases and codes that no sample shows, against those that are named"


def _unseen(
    where: str, words: Mapping[str, FieldSpec], rows: list[Row], protocol: WireProtocol
) -> Iterator[str]:
    for name, word in words.items():
        path = f"{where}.{name}"
        match word:
            case Codes(source, codes):
                shown = {str(_quietly(protocol.getter(source), row)) for row in rows}
                yield from (f"{path}: {code!r}" for code in codes if code not in shown)
            case Flagged(source, value):
                shown = {str(_quietly(protocol.getter(source), row)) for row in rows}
                yield from (f"{path}: {code}" for code in (value,) if code not in shown)
            case First(cases):
                decided = [_deciding_case(word, row, protocol) for row in rows]
                for index, case in enumerate(cases):
                    if index not in decided:
                        yield f"{path}: {case.path} is {case.value!r}"
            case Many(source, _, fields):
                yield from _unseen(path, fields, _children(source, rows, protocol), protocol)
            case EachChild(source, parts):
                yield from _unseen(path, parts.fields, _children(source, rows, protocol), protocol)
            case Parts(parts_of_value):
                yield from _unseen(path, parts_of_value, rows, protocol)


def _children(source: str, rows: list[Row], protocol: WireProtocol) -> list[Row]:
    read = protocol.children(source)
    return [child for row in rows for child in read(row) or ()]


def _deciding_case(word: First, row: Row, protocol: WireProtocol) -> int | None:
    return next(
        (index for index, case in enumerate(word.cases) if protocol.getter(case.path)(row) == case.value), None
    )


def _quietly(get: Getter, row: Row) -> Any:
    return get(row)


@check
async def values_are_exact(bench: Bench) -> None:
    """No float has touched a number, a moment has its zone, and a day is a day."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            for record in await everything(opened, resource):
                for path, value in _values(resource.model.name, record):
                    _check_value(path, value)
    for sample in bench.numbers:
        for written, meant in sample.numbers.items():
            found = _number_in(bench, sample.answer.replace("%s", written), sample.entity, sample.path)
            assert isinstance(found, Decimal), f"{written} became {found!r}"
            assert format(found, "f") == meant, f"{written} became {found}"


def _values(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _values(f"{path}.{name}", inner)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from _values(path, inner)
    elif isinstance(value, Enum) or not hasattr(value, "__dict__"):
        if hasattr(value, "__slots__") and not isinstance(value, Enum | Decimal | date):
            for name in value.__slots__:
                yield from _values(f"{path}.{name}", getattr(value, name))
        else:
            yield path, value
    else:
        yield from _values(path, vars(value))


def _check_value(path: str, value: Any) -> None:
    assert not isinstance(value, float), f"{path} is the float {value!r}"
    if isinstance(value, Decimal):
        assert value.is_finite(), f"{path} is {value}"
    if isinstance(value, datetime):
        assert value.utcoffset() == timedelta(0), f"{path} is {value!r}, which is not in UTC"


def _number_in(bench: Bench, answer: str, entity: type[Any], path: tuple[str | int, ...]) -> Any:
    resource = bench.system.resource(entity)
    assert resource is not None
    protocol = bench.system.protocol
    page = protocol.page(Read(resource.source, frozenset()), Answer(200, {}, answer.encode()))
    from connectors.reading import RecordReader  # placeholder

    (value,) = RecordReader(resource, protocol, "con_bench", whole(resource.model)).read(page.rows)
    for step in path:
        value = value[step] if isinstance(step, int) else getattr(value, step)
    return value
