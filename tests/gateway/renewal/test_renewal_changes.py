"""Logins of connections that are changed meanwhile: nothing that was received is lost, and nothing is asked twice."""

from datetime import timedelta
from typing import Any

import pytest
from strawberry import ID

from gateway.stores.errors import Unavailable
from schema.administration import UpdateConnectionSettingsInput
from schema.settings import ConnectionSettingsInput, HeaderInput
from tests.gateway.lives.story import Story
from tests.gateway.renewal.conftest import connect
from tests.servers.token_server import CANARY, Mill


@pytest.fixture
async def well(story: Story, mill: Mill) -> Story:
    """A connection to the mill that is well."""
    await connect(story, mill)
    mill.forget()
    return story


async def update(story: Story, **changes: Any) -> None:
    given = UpdateConnectionSettingsInput(id=ID(story.connection_id), **changes)
    assert (await story.administration.update_connection_settings(given)).errors == []


async def rename(story: Story) -> None:
    await update(story, name="Another name")


async def change_headers(story: Story) -> None:
    await update(story, settings=ConnectionSettingsInput(headers=[HeaderInput(name="X-Site", value="north")]))


async def pause_and_resume(story: Story) -> None:
    await story.life.pause(story.connection_id, None)
    await story.life.resume(story.connection_id)


@pytest.mark.parametrize("change", [rename, change_headers, pause_and_resume])
async def test_a_token_that_could_not_be_kept_outlives_a_change(
    well: Story, mill: Mill, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    mill.end_tokens()
    with monkeypatch.context() as away:
        away.setattr(type(well.store.sessions), "keep", _away)
        assert await well.ask() == "RefreshFailed"
    await change(well)
    assert await well.ask() == "ok"
    assert mill.grants == [f"{CANARY}-refresh-1"]


async def test_a_test_of_a_paused_connection_does_not_use_up_its_login(well: Story, mill: Mill) -> None:
    mill.end_tokens()
    assert await well.ask() == "ok"
    await well.life.pause(well.connection_id, None)
    payload = await well.life.test(well.connection_id)
    assert [check.status.name for check in payload.checks][-1] == "PASSED"
    well.clock.moment += timedelta(minutes=1)
    mill.end_tokens()
    payload = await well.life.test(well.connection_id)
    assert [check.status.name for check in payload.checks][-1] == "PASSED"
    await well.life.resume(well.connection_id)
    assert await well.ask() == "ok"
    assert mill.grants == [f"{CANARY}-refresh-1", f"{CANARY}-refresh-2"]


@pytest.mark.parametrize("mode", ["error", "invalid_client"])
async def test_another_way_to_the_token_address_is_tried_at_once(well: Story, mill: Mill, mode: str) -> None:
    """A proxy or a header that was missing explains the failures of before, which say nothing of the new way."""
    mill.end_tokens()
    mill.mode = mode
    assert await well.ask() in ("RefreshFailed", "LoginRefused")
    mill.mode = "ok"
    await change_headers(well)
    await well.wait(20)
    assert (await well.ask(), well.health, len(mill.grants)) == ("ok", "OK", 2)


async def test_a_refresh_token_that_was_revoked_stays_so_whatever_the_way(well: Story, mill: Mill) -> None:
    mill.end_tokens()
    mill.mode = "invalid_grant"
    assert await well.ask() == "LoginRefused"
    await change_headers(well)
    await well.wait(60)
    assert (well.health, len(mill.grants)) == ("REAUTHORIZATION_REQUIRED", 1)
    assert well.clock.time() < timedelta(minutes=5).total_seconds()


async def _away(*given: object, **more: object) -> None:
    raise Unavailable("the database does not answer")
