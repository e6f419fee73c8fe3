"""Values keep what the system said: every digit, the zone of a moment, and that a day is no moment."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from connectors.query import Answer, Read
from connectors.reading import RecordReader
from connectors.testing.bench import CONNECTION, Bench, NumberSample
from connectors.testing.registry import check
from connectors.testing.walks import everything, whole


@check
async def no_value_is_a_float_or_without_its_zone(bench: Bench) -> None:
    """Nowhere in a record is a float, and every moment is in UTC."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            for record in await everything(opened, resource):
                for path, value in _leaves(resource.model.name, record):
                    assert not isinstance(value, float), f"{path} is the float {value!r}"
                    if isinstance(value, datetime):
                        assert value.utcoffset() == timedelta(0), f"{path} is {value!r}, which is not in UTC"


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case Mapping():
            for name, inner in value.items():
                yield from _leaves(f"{path}.{name}", inner)
        case list() | tuple():
            for inner in value:
                yield from _leaves(path, inner)
        case _ if is_dataclass(value) and not isinstance(value, Enum | type):
            for item in fields(value):
                yield from _leaves(f"{path}.{item.name}", getattr(value, item.name))
        case _:
            yield path, value


@check
async def numbers_keep_every_digit(bench: Bench) -> None:
    """Many digits, whole numbers beyond 2**53 and trailing zeros survive."""
    assert bench.numbers, "the bench shows no exact number"
    for sample in bench.numbers:
        for written, meant in sample.numbers.items():
            found = _number_in(bench, sample, written)
            assert isinstance(found, Decimal), f"{written} became {found!r}"
            assert format(found, "f") == meant, f"{written} became {found}"


def _number_in(bench: Bench, sample: NumberSample, written: str) -> Any:
    resource = bench.system.resource(sample.entity)
    assert resource is not None
    protocol = bench.system.protocol
    answer = Answer(200, {}, sample.answer.replace("%s", written).encode())
    rows = protocol.page(Read(resource.source, frozenset()), answer).rows
    (value,) = RecordReader(resource, protocol, CONNECTION, whole(resource.model)).read(rows)
    for step in sample.path:
        value = getattr(value, step) if isinstance(step, str) and not isinstance(value, dict) else value[step]
    return value
