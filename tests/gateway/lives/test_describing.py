"""What a system tells of its collections says nothing of whether their records can be read."""

from datetime import timedelta

import httpx
import pytest

from connectors.errors import PermissionDenied, Reauthorize
from tests.gateway.lives.story import Story


def answering(story: Story, status: int) -> None:
    """Let the system answer so; the source goes on asking at the same address."""
    source = story.live.source
    page = httpx.MockTransport(lambda request: httpx.Response(status, text="<html>a portal</html>"))
    source.http = httpx.AsyncClient(transport=page, base_url=source.http.base_url)


def statuses(story: Story) -> set[str]:
    return {item.status.name for item in story.live.connection.condition.entity_health}


async def test_a_collection_that_is_not_told_of_is_no_missing_kind_of_record(story: Story) -> None:
    await story.connect()
    answering(story, 404)
    for _ in range(3):
        assert not await story.describe()
        story.clock.moment += story.prober.pace.interval
    assert (story.health, statuses(story), await story.events()) == ("OK", {"OK"}, [])


async def test_who_is_refused_a_description_still_has_good_credentials(story: Story) -> None:
    await story.connect()
    answering(story, 401)
    for _ in range(3):
        with pytest.raises(Reauthorize):
            await story.describe()
        story.clock.moment += timedelta(seconds=5)
    assert (story.health, statuses(story), await story.events()) == ("OK", {"OK"}, [])


async def test_who_may_not_see_how_records_look_may_still_read_them(story: Story) -> None:
    await story.connect()
    answering(story, 403)
    with pytest.raises(PermissionDenied):
        await story.describe()
    assert (story.health, statuses(story), await story.events()) == ("OK", {"OK"}, [])


async def test_a_collection_that_is_told_of_is_no_proof_that_it_can_be_read(story: Story) -> None:
    await story.connect()
    story.plant.trouble("forbidden")
    for place in range(len(story.live.source.system.resources)):
        assert await story.ask(place) == "PermissionDenied"
    story.plant.trouble("none")
    assert await story.describe()
    assert (story.health, statuses(story)) == ("PERMISSION_DENIED", {"PERMISSION_DENIED"})
