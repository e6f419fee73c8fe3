"""Records are found again by their keys, in as few questions as the source takes."""

from dataclasses import replace
from math import ceil

from connectors.testing.bench import Bench
from connectors.testing.golden import as_json
from connectors.testing.registry import check
from connectors.testing.walks import by_keys, everything, keys_of, reader_for, whole

_STRANGERS = ["nobody", "O'Brien", "a,b", "%", '"', "\\", "", " ", "0", "-1", "00", "9" * 30, "é", "('", "' or 1 eq 1"]


@check
async def keys_find_exactly_their_records(bench: Bench) -> None:
    """In batches of any size, in any order, among keys that nobody has and text that can be no key."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            keys = keys_of(await everything(opened, resource))
            assert keys_of(await by_keys(opened, resource, _STRANGERS)) == []
            for batch in ([], keys[:1], keys[::-1], keys[1::2] + _STRANGERS, keys[:2] + keys[:2]):
                found = keys_of(await by_keys(opened, resource, batch))
                assert sorted(found) == sorted(set(batch) & set(keys)), f"{resource.model.name}: {batch}"


@check
async def keys_that_only_look_alike_find_nothing(bench: Bench) -> None:
    """A key in other letters, with zeros before it or blanks around it, is another key."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            keys = keys_of(await everything(opened, resource))
            alike = {text for key in keys for text in (f"0{key}", f"{key} ", f" {key}", key.swapcase(), f"{key}.0")}
            assert keys_of(await by_keys(opened, resource, sorted(alike - set(keys)))) == []


@check
async def more_keys_than_the_source_takes_are_asked_in_parts(bench: Bench) -> None:
    """Each part costs one request, and is no longer than the resource says."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            keys = keys_of(await everything(opened, resource))
            few = replace(resource, max_keys=4)
            opened.wire.asked.clear()
            assert sorted(keys_of(await by_keys(opened, few, keys))) == sorted(keys)
            assert len(opened.questions()) == ceil(len(keys) / 4), f"{resource.model.name}: {len(opened.questions())}"
            longest = max(keys, key=len)
            many = [longest[:-6] + f"{number:06}" for number in range(resource.max_keys)]
            await by_keys(opened, resource, [longest, *many], whole(resource.model))


@check
async def keys_find_whole_records(bench: Bench) -> None:
    """What is read by key is what is read in a list."""
    async with bench.open() as opened:
        for resource in bench.system.resources:
            reader = reader_for(opened, resource, whole(resource.model))
            for record in (await everything(opened, resource))[:2]:
                (again,) = await by_keys(opened, resource, [record.origin.key], reader.selection)
                assert as_json(again, resource.model, reader) == as_json(record, resource.model, reader)
