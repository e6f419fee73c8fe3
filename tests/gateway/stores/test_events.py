import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.stores.errors import Missing
from gateway.stores.events import Among, EventQuery, EventRange
from gateway.stores.rows import SYSTEM, Connection, Event, NewEvent, Reason, Standing
from gateway.stores.sql import Store
from tests.gateway.stores.samples import NOON, connected, opened

WELL = Standing.of("ENABLED", "OK")
BAD = Standing.of("ENABLED", "DEGRADED")


def event_of(connection: Connection, **changes: object) -> NewEvent:
    event = NewEvent(
        type="CONNECTION_DEGRADED",
        occurred_at=NOON,
        customer_id=connection.customer_id,
        connection_id=connection.id,
        system=connection.system,
        previous=WELL,
        current=BAD,
        reason=Reason(code="ERROR_RATE_HIGH", message="Five calls failed.", since=NOON, remediation="Wait."),
        request_id="req-1",
        data={"failures": 5},
    )
    return replace(event, **changes)  # type: ignore[arg-type]


async def append(store: Store, event: NewEvent) -> Event:
    async with store.database.writing() as transaction:
        return await store.events.append(transaction, event)


@pytest.fixture
async def two(store: Store) -> tuple[Connection, Connection]:
    """Connections of two customers, each with the two events of its beginning."""
    first, _ = await connected(store, await store.create_customer(name="one"))
    second, _ = await connected(store, await store.create_customer(name="two"))
    return first, second


@pytest.fixture
async def pools(url: str) -> AsyncIterator[list[Store]]:
    """Two processes' worth of one database."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(opened(url)) for _ in range(2)]


async def test_an_event_comes_back_as_it_was(store: Store, connection: Connection) -> None:
    kept = await append(store, event_of(connection))
    assert (kept.number, kept.sequence) == (3, 3)
    assert kept.id == "evt_00000000003"
    assert await store.events.find(3) == kept
    assert await store.events.find(4) is None


async def test_an_event_may_belong_to_no_connection(store: Store) -> None:
    kept = await append(store, NewEvent(type="WEBHOOK_DISABLED", occurred_at=NOON))
    assert (kept.number, kept.sequence) == (1, 0)


async def test_an_event_of_an_unknown_connection_is_refused(store: Store, connection: Connection) -> None:
    with pytest.raises(Missing):
        await append(store, event_of(replace(connection, id="con_x")))
    assert await store.events.range() == EventRange(forgotten=0, latest=2)


async def test_what_is_rolled_back_leaves_no_gap(store: Store, connection: Connection) -> None:
    async def fail() -> None:
        async with store.database.writing() as transaction:
            await store.events.append(transaction, event_of(connection))
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        await fail()
    assert (await append(store, event_of(connection))).sequence == 3


async def test_events_after_a_number_are_those_of_a_customer_or_of_connections(
    store: Store, two: tuple[Connection, Connection]
) -> None:
    one, other = two

    async def numbers(number: int, **narrowed: object) -> list[int]:
        found = await store.events.after(number, first=10, **narrowed)  # type: ignore[arg-type]
        return [event.number for event in found]

    assert await numbers(0) == [1, 2, 3, 4]
    assert await numbers(3) == [4]
    assert await numbers(0, customer_id=one.customer_id) == [1, 2]
    assert await numbers(1, connection_ids=[one.id]) == [2]
    assert await numbers(0, customer_id=one.customer_id, connection_ids=[other.id]) == []
    assert [event.number for event in await store.events.after(1, first=2)] == [2, 3]


async def test_pages_go_back_from_the_latest(store: Store, two: tuple[Connection, Connection]) -> None:
    seen: list[int] = []
    while page := await store.events.page(first=3, before=seen[-1] if seen else None):
        seen += [event.number for event in page]
    assert seen == [4, 3, 2, 1]


async def test_events_are_found_by_what_they_are(store: Store, two: tuple[Connection, Connection]) -> None:
    one, other = two
    await append(store, event_of(one, occurred_at=NOON - timedelta(days=1000)))

    async def numbers(**conditions: object) -> list[int]:
        query = EventQuery(**conditions)  # type: ignore[arg-type]
        return [event.number for event in await store.events.page(first=10, where=query)]

    assert await numbers(types=Among({"CONNECTION_CREATED"})) == [3, 1]
    assert await numbers(types=Among({"CONNECTION_CREATED"}, excluded=True)) == [5, 4, 2]
    assert await numbers(connection_ids=Among([other.id])) == [4, 3]
    assert await numbers(customer_ids=Among([one.customer_id])) == [5, 2, 1]
    assert await numbers(until=NOON - timedelta(days=1000)) == []
    assert await numbers(since=NOON - timedelta(days=1000), until=NOON - timedelta(days=999)) == [5]
    assert await numbers(types=Among([])) == []


async def test_old_events_are_forgotten_and_it_is_told_up_to_where(store: Store, connection: Connection) -> None:
    assert await store.events.forget(NOON, first=10) == 0
    later = datetime.now(UTC) + timedelta(days=1)
    for days in (2, 1, 6):
        await append(store, event_of(connection, occurred_at=later + timedelta(days=days)))
    latest = await append(store, event_of(connection, occurred_at=later - timedelta(days=900)))
    assert [await store.events.forget(later + timedelta(days=3), first=2) for _ in range(3)] == [2, 2, 0]
    assert await store.events.range() == EventRange(forgotten=4, latest=6)
    assert [event.number for event in await store.events.after(0, first=10)] == [5, 6]
    assert (await append(store, event_of(connection))).sequence == latest.sequence + 1


async def test_one_clock_that_is_wrong_takes_no_young_events(store: Store, connection: Connection) -> None:
    await append(store, event_of(connection, occurred_at=NOON - timedelta(days=20_000)))
    assert await store.events.forget(NOON, first=10) == 0
    assert len(await store.events.after(0, first=10)) == 3


async def test_numbers_and_sequences_go_on_when_all_events_are_gone(store: Store, connection: Connection) -> None:
    assert await store.events.forget(datetime.now(UTC) + timedelta(days=1), first=10) == 2
    assert await store.events.after(0, first=10) == []
    kept = await append(store, event_of(connection))
    assert (kept.number, kept.sequence) == (3, 3)


async def test_a_reader_who_goes_on_after_the_last_number_misses_nothing(pools: list[Store]) -> None:
    store = pools[0]
    customer = await store.create_customer(name="Acme")
    connections = [(await connected(store, customer))[0] for _ in range(3)]
    start = (await store.events.range()).latest
    kept: list[Event] = []

    async def write(index: int) -> None:
        writer, connection = pools[index % 2], connections[index % 3]
        async with writer.database.writing() as transaction:
            kept.append(await writer.events.append(transaction, event_of(connection)))
            await writer.audit.append(transaction, SYSTEM, "test", connection_id=connection.id)

    async def read() -> list[Event]:
        seen: list[Event] = []
        while len(seen) < 45:
            number = seen[-1].number if seen else start
            seen += await pools[1].events.after(number, first=7)
        return seen

    reading = asyncio.create_task(read())
    await asyncio.gather(*(write(index) for index in range(45)))
    seen = await reading
    assert [event.number for event in seen] == list(range(start + 1, start + 46))
    assert sorted(kept, key=lambda event: event.number) == seen
    sequences: dict[str | None, list[int]] = defaultdict(list)
    for event in seen:
        sequences[event.connection_id].append(event.sequence)
    assert all(found == list(range(3, 18)) for found in sequences.values())
