"""A missing value is null and says why; it is never an error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.composites import Many
from connectors.decisions import Codes, First
from connectors.errors import BadAnswer
from connectors.protocols.base import Row
from connectors.reading import RecordReader
from connectors.spec import Resource
from connectors.testing.bench import Bench
from connectors.testing.golden import follow_links
from connectors.testing.registry import check
from connectors.testing.walks import NOW, raw_rows, reader_for, whole
from schema.model import FieldModel, Kind, fields_of
from schema.records import FieldGap, FieldGapReason

_ABSENT = object()
_WRONG: tuple[Any, ...] = ("", 7, True, "?", [], ["?"], {"?": 1})
_ROWS = 2


@check
async def a_value_that_is_not_there_is_null_and_empty(bench: Bench) -> None:
    """Absent or null, wherever in the row: nothing fails, and each null says that it is empty."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            reader = reader_for(opened, resource, whole(resource.model))
            for row in _richest(await raw_rows(opened, resource)):
                for place, key in _places(bench, row, _keys(resource)):
                    for blank in (_ABSENT, None):
                        with _changed(place, key, blank):
                            gaps = _read(resource, reader, row, f"{key} is {'absent' if blank else 'null'}")
                        unparsable = [gap.path for gap in gaps if gap.reason is FieldGapReason.UNPARSABLE]
                        assert not unparsable, f"{resource.model.name}: {key} is not there, so not: {unparsable}"


@check
async def a_value_of_another_type_is_null_and_unparsable(bench: Bench) -> None:
    """Anything else than what is expected, wherever in the row, costs that value alone."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            reader = reader_for(opened, resource, whole(resource.model))
            for row in _richest(await raw_rows(opened, resource)):
                for place, key in _places(bench, row, {resource.key}):
                    for wrong in _WRONG:
                        with _changed(place, key, wrong):
                            _read(resource, reader, row, f"{key} is {wrong!r}")


@check
async def a_status_without_its_fields_is_unknown(bench: Bench) -> None:
    """Where nothing decides, the answer is UNKNOWN, which is a value and no gap."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            reader = reader_for(opened, resource, whole(resource.model))
            for row in await raw_rows(opened, resource):
                for name, word in resource.fields.items():
                    if isinstance(word, Codes | First):
                        kept = {key: value for key, value in row.items() if key not in word.paths()}
                        (record,) = reader.read([kept])
                        found = getattr(record, resource.model.fields[name].attribute)
                        assert found.name == "UNKNOWN", f"{resource.model.name}.{name} is {found} out of nothing"


@check
async def a_row_without_its_key_is_a_bad_answer(bench: Bench) -> None:
    """It could not be found again, and a list that left it out would not be whole."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            reader = reader_for(opened, resource, {})
            first, *_ = await raw_rows(opened, resource)
            for blank in (_ABSENT, None, "", {}):
                with _changed(first, resource.key, blank):
                    try:
                        reader.read([first])
                    except BadAnswer:
                        continue
                raise AssertionError(f"{resource.model.name}: a row whose key is {blank!r} was read")


def _richest(rows: list[Row]) -> list[Row]:
    """The rows that say most, since only what is there can be taken away."""
    return sorted(rows, key=lambda row: len(repr(row)), reverse=True)[:_ROWS]


def _keys(resource: Resource) -> set[str]:
    """The names of the keys of rows and of child rows."""
    words = [word for word in resource.fields.values() if isinstance(word, Many)]
    return {resource.key, *(path for word in words for path in word.key_paths)}


def _places(bench: Bench, row: Row, keys: set[str]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every place in a row where a value stands, but those of keys; of what is alike in child rows the first one."""
    seen: set[tuple[str, ...]] = set()

    def below(found: Any, path: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], str]]:
        if isinstance(found, dict) and not bench.is_value(found):
            for name in list(found):
                if name not in keys:
                    place = (*path, name)
                    if place not in seen:
                        seen.add(place)
                        yield found, name
                    yield from below(found[name], place)
        elif isinstance(found, list):
            for item in found:
                yield from below(item, path)

    return below(row, ())


@contextmanager
def _changed(place: dict[str, Any], key: str, value: Any) -> Iterator[None]:
    """Put another value in a place while the block lasts."""
    before = dict(place)
    if value is _ABSENT:
        del place[key]
    else:
        place[key] = value
    try:
        yield
    finally:
        place.clear()
        place.update(before)


def _read(resource: Resource, reader: RecordReader, row: Row, what: str) -> list[FieldGap]:
    """Read a row; each null has its gap with a reason that is possible for the field, and nothing else has one."""
    where = f"{resource.model.name}: {what}"
    try:
        (record,) = reader.read([row])
        follow_links(record)
        gaps = list(reader.meta_of(record, NOW).find_gaps())
    except Exception as error:
        raise AssertionError(f"{where}, and reading failed: {error!r}") from error
    assert {gap.path for gap in gaps} == set(_nulls(resource, record)), f"{where}: the gaps are not the nulls"
    for gap in gaps:
        name = gap.path.partition(".")[0]
        if name in resource.unsupported:
            assert gap.reason is FieldGapReason.NOT_SUPPORTED_BY_SYSTEM, f"{where}: {gap}"
        elif name in resource.unmapped:
            assert gap.reason is FieldGapReason.NOT_MAPPED, f"{where}: {gap}"
    return gaps


def _nulls(resource: Resource, record: Any) -> Iterator[str]:
    for item in [*resource.model.mapped_fields(), resource.model.fields["version"]]:
        if item.kind is Kind.LINK:
            found = record.origin.links.get(item.attribute)
        elif item.kind is Kind.CHILDREN:
            found = record.origin.children.get(item.attribute)
        else:
            found = getattr(record, item.attribute)
        if found is None:
            yield item.name
        else:
            yield from (f"{item.name}.{path}" for path in _nulls_within(item, found))


def _nulls_within(item: FieldModel, found: Any) -> Iterator[str]:
    """The nulls in the parts of value objects and in child rows, each path once for all of them."""
    if item.kind not in (Kind.VALUE, Kind.VALUES, Kind.CHILDREN):
        return
    for value in found if isinstance(found, list) else [found]:
        for name, model in fields_of(item.type).items():
            inner = getattr(value, model.attribute)
            if inner is None:
                yield name
            else:
                yield from (f"{name}.{path}" for path in _nulls_within(model, inner))
