"""Has a connected system asked now what its fields are, instead of waiting for six hours."""

from collections.abc import Mapping
from typing import Any

from gateway.stores.rows import NewWork
from gateway.watching.drifting import SURVEY, Surveys
from tests.gateway.running import RunningGateway

DRIFTS = "{ events(first: 50, filter: {type: {eq: CONNECTION_SCHEMA_DRIFTED}}) { nodes { data } } }"


async def survey(gateway: RunningGateway, lane: str = "by hand") -> Mapping[str, Mapping[str, str | None]]:
    """Have the system asked now what its fields are; what is kept of it then."""
    directory = gateway.process.directory
    (live,) = directory.lives()
    store, key = directory.store, str(live.connection.id)
    async with store.database.writing() as transaction:
        await store.due.schedule(transaction, NewWork(kind=SURVEY, key=key, lane=lane))
    assert await Surveys(directory, directory.watch).take(lane) == 1
    kept = await store.schemas.read(key)
    assert kept is not None
    return kept.fingerprints


async def drifts(gateway: RunningGateway) -> list[Any]:
    found = (await gateway.data(DRIFTS))["events"]["nodes"]
    return [node["data"] for node in reversed(found)]
