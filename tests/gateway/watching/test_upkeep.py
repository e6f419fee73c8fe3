"""Events are kept for a while and then deleted, by one process for all; who comes too late is told so."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.stores.due import Due
from gateway.stores.rows import Connection, NewWork
from gateway.stores.sql import Store
from gateway.telemetry.metrics import Metrics
from gateway.watching.upkeep import LANE, Upkeep
from tests.gateway.following import followed
from tests.gateway.running import stand_in
from tests.gateway.stores.conftest import connection, store, url

__all__ = ["connection", "store", "url"]

DAY = timedelta(days=1)
EVENTS = "{ events(first: 5) { nodes { sequence name } pageInfo { hasNextPage endCursor } } }"


class Moments:
    """A clock that is told what time it is."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
async def clock(store: Store) -> Moments:
    moments = Moments()
    store.due = Due(store.database, moments)
    return moments


def metric(metrics: Metrics, name: str) -> float:
    page = metrics.page("")[0].decode()
    return float(next(line.rpartition(" ")[2] for line in page.splitlines() if line.startswith(name)))


async def test_events_go_when_they_are_old_and_not_before(store: Store, connection: Connection, clock: Moments) -> None:
    metrics = Metrics()
    upkeep = Upkeep(store, 90 * DAY, metrics, clock)
    await upkeep.begin()
    for days, left in ((89, 2), (91, 0)):
        clock.moment += days * DAY
        await upkeep.look()
        assert len(await store.events.after(0, first=10)) == left
        clock.moment -= days * DAY
        await run_again(store)
    assert metric(metrics, "switchgear_swept_events_total") == 2
    assert (await store.events.range()).forgotten == 2
    assert len(await store.audit.page(first=10)) == 2


async def run_again(store: Store) -> None:
    async with store.database.writing() as transaction:
        await store.due.schedule(transaction, NewWork(kind="sweep", key="events", lane=LANE, delay=-DAY))


async def test_the_work_is_there_once_and_comes_again_after_an_hour(store: Store, clock: Moments) -> None:
    one, other = (Upkeep(store, DAY, Metrics(), clock) for _ in range(2))
    for upkeep in (one, other, one):
        await upkeep.begin()
    await one.look()
    assert await store.due.claim(LANE, first=5, lease=DAY) == []
    clock.moment += timedelta(minutes=59)
    assert await store.due.claim(LANE, first=5, lease=DAY) == []
    clock.moment += timedelta(minutes=2)
    assert len(await store.due.claim(LANE, first=5, lease=DAY)) == 1


async def test_more_than_one_batch_goes_at_once_and_a_lost_lease_ends_it(
    store: Store, connection: Connection, clock: Moments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.watching.upkeep._AT_ONCE", 1)
    upkeep = Upkeep(store, DAY, Metrics(), clock)
    await upkeep.begin()
    clock.moment += 3 * DAY
    (work,) = await store.due.claim(LANE, first=1, lease=timedelta(0))
    (again,) = await store.due.claim(LANE, first=1, lease=DAY)
    await upkeep._sweep(work)
    assert len(await store.events.after(0, first=10)) == 2
    await upkeep._sweep(again)
    assert await store.events.after(0, first=10) == []


async def test_how_late_work_is_can_be_measured(store: Store, clock: Moments) -> None:
    metrics = Metrics()
    upkeep = Upkeep(store, DAY, metrics, clock)
    async with store.database.writing() as transaction:
        await store.due.schedule(transaction, NewWork(kind="probe", key="con_1", lane="probes"))
    clock.moment += timedelta(seconds=40)
    await upkeep.look()
    assert metric(metrics, 'switchgear_due_work{lane="probes"}') == 1
    assert metric(metrics, 'switchgear_due_work_seconds{lane="probes"}') == 40
    await store.due.claim("probes", first=1, lease=DAY)
    await upkeep.look()
    assert metric(metrics, 'switchgear_due_work{lane="probes"}') == 0


async def test_who_goes_on_after_events_that_are_gone_is_told_to_begin_anew(tmp_path: Path) -> None:
    async with stand_in() as erp, followed(tmp_path) as plant:
        await plant.gateway.connected(erp)
        async with plant.line() as line:
            await line.subscribe()
            cursor = (await line.update())["cursor"]
        await plant.gateway.connected(erp, name="Mill")
        store = plant.gateway.process.directory.store
        assert await store.events.forget(datetime.now(UTC) + DAY, first=100) == 4
        async with plant.line() as line:
            await line.subscribe(after=cursor)
            (error,) = (await line.next())["payload"]["errors"]
            assert (error["extensions"]["code"], error["extensions"]["field"]) == ("INVALID_CURSOR", "after")
            assert "follow again without `after`" in error["message"]
        answer = await plant.gateway.data(EVENTS)
        assert answer["events"] == {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}


async def test_what_is_deleted_while_it_is_read_is_not_skipped(tmp_path: Path) -> None:
    async with stand_in() as erp, followed(tmp_path) as plant:
        await plant.gateway.connected(erp)
        feed = plant.gateway.process.feed
        reading = feed.between(0, 2)
        await feed.events.forget(datetime.now(UTC) + DAY, first=1)
        with pytest.raises(Exception, match="no longer kept"):
            await anext(reading)
