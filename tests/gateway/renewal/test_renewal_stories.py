"""Stories of logins that cannot be renewed: each gives exactly the events that it should, and few token requests."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from strawberry import ID

from connectors.auth import SessionLogin
from connectors.errors import RefreshFailed
from connectors.tally import Tally
from gateway.stores.errors import Unavailable
from gateway.watching.probing import smallest_read
from schema.lifecycle import ReconnectSystemInput
from tests.gateway.lives.story import Story, telling
from tests.gateway.renewal.conftest import connect
from tests.servers.token_server import CANARY, Mill


@pytest.fixture
async def well(story: Story, mill: Mill) -> Story:
    """A connection to the mill that is well."""
    await connect(story, mill)
    mill.forget()
    return story


def credential(story: Story) -> str:
    return story.live.connection.condition.credential.status.name


def reason(story: Story) -> str | None:
    found = story.live.connection.condition.status_reason
    return None if found is None else found.code.name


async def trouble(story: Story) -> Any:
    """What a question is told."""
    source = story.live.source
    resource = source.system.resources[0]
    with pytest.raises(RefreshFailed) as met:
        await source.fetch(smallest_read(resource), Tally(), asyncio.get_running_loop().time() + 10)
    return met.value


async def test_a_token_address_that_fails_for_a_while(well: Story, mill: Mill) -> None:
    mill.end_tokens()
    mill.mode = "error"
    assert await well.ask() == "RefreshFailed"
    assert (credential(well), reason(well), well.health) == ("REFRESH_FAILING", "TOKEN_REFRESH_FAILED", "OK")
    assert len(mill.grants) == 1
    told = await trouble(well)
    assert (told.retry_after, CANARY in str(told)) == (30, False)
    well.clock.moment += timedelta(seconds=20)
    assert [await well.ask() for _ in range(5)] == ["RefreshFailed"] * 5
    assert (await trouble(well)).retry_after == 10
    assert len(mill.grants) == 1, "nobody tries before the rest is over"
    well.clock.moment += timedelta(seconds=11)
    assert await well.ask() == "RefreshFailed"
    assert len(mill.grants) == 2
    assert await well.events() == ["TOKEN_REFRESH_FAILED"], "a trouble that lasts is told once"
    mill.mode = "ok"
    well.clock.moment += timedelta(seconds=31)
    assert await well.ask() == "ok"
    assert (credential(well), reason(well)) == ("VALID", None)
    assert await well.events() == ["TOKEN_REFRESH_FAILED", "RECOVERED"]


async def test_what_the_token_address_says_does_not_make_up_for_failures(well: Story, mill: Mill) -> None:
    await well.ask()
    well.directory.watch.vitals[well.connection_id].failures = 3
    mill.end_tokens()
    mill.mode = "error"
    assert await well.ask() == "RefreshFailed"
    assert well.directory.watch.vitals[well.connection_id].failures == 3


async def test_it_comes_back_without_anybody_asking(well: Story, mill: Mill) -> None:
    mill.end_tokens()
    mill.mode = "nonsense"
    await well.ask()
    mill.mode = "ok"
    await well.wait(100)
    assert (credential(well), await well.events()) == ("VALID", ["TOKEN_REFRESH_FAILED", "RECOVERED"])


async def test_all_processes_rest_together(processes: list[Story], mill: Mill) -> None:
    first, second, third = processes
    mill.end_tokens(together=12)
    mill.mode = "error"
    told = await asyncio.gather(*(processes[number % 3].ask() for number in range(12)))
    assert told == ["RefreshFailed"] * 12
    assert len(mill.grants) == 1
    for each in processes:
        await each.directory.watch.catch_up()
    assert [credential(each) for each in processes] == ["REFRESH_FAILING"] * 3
    first.clock.moment += timedelta(seconds=31)
    mill.mode = "ok"
    assert await second.ask() == "ok"
    assert [await first.ask(), await third.ask()] == ["ok", "ok"]
    assert len(mill.grants) == 2
    await third.directory.watch.catch_up()
    assert credential(third) == "VALID"
    assert await first.events() == ["TOKEN_REFRESH_FAILED", "RECOVERED"]


async def test_what_a_process_could_not_tell_before_it_died_is_told_by_another(well: Story, mill: Mill) -> None:
    mill.end_tokens()
    mill.mode = "error"
    login = well.live.source.auth
    assert isinstance(login, SessionLogin)
    login.sessions.heard = lambda trouble: None  # type: ignore[attr-defined] # it dies before it does
    assert await well.ask() == "RefreshFailed"
    assert await well.events() == []
    async with telling(well.store, well) as other:
        assert await other.ask() == "RefreshFailed"
    assert (len(mill.grants), await well.events()) == (1, ["TOKEN_REFRESH_FAILED"])


async def test_a_token_address_that_is_gone(well: Story, mill: Mill) -> None:
    mill.end_tokens()
    await well.plant.stop()
    well.clock.moment += timedelta(seconds=3601)
    assert await well.ask() == "RefreshFailed"
    assert await well.events() == ["TOKEN_REFRESH_FAILED"]
    assert well.live.connection.condition.circuit.failure_count == 0, "the system itself was not asked"
    await well.plant.start()
    well.clock.moment += timedelta(seconds=31)
    assert await well.ask() == "ok"


async def test_an_address_that_is_out_of_order_is_waited_for(well: Story, mill: Mill) -> None:
    mill.end_tokens()
    mill.mode = "error"
    for _ in range(15):
        assert await well.ask() == "RefreshFailed"
        well.clock.moment += timedelta(seconds=31)
    assert (well.health, credential(well), len(mill.grants)) == ("OK", "REFRESH_FAILING", 15)
    mill.mode = "ok"
    assert await well.ask() == "ok"
    assert (credential(well), await well.events()) == ("VALID", ["TOKEN_REFRESH_FAILED", "RECOVERED"])


async def test_ten_answers_in_a_row_without_a_token_are_enough(well: Story, mill: Mill) -> None:
    mill.end_tokens()
    mill.mode = "nonsense"
    for _ in range(10):
        assert await well.ask() in ("RefreshFailed", "LoginRefused")
        well.clock.moment += timedelta(seconds=31)
    assert (well.health, credential(well), reason(well)) == (
        "REAUTHORIZATION_REQUIRED",
        "REVOKED",
        "TOKEN_REFRESH_FAILED",
    )
    assert len(mill.grants) == 10
    assert [await well.ask() for _ in range(5)] == ["Reauthorize"] * 5
    await well.wait(3_000, step=20)
    assert 13 <= len(mill.grants) <= 17, "once in ten minutes"
    mill.mode = "ok"
    await well.wait(700, step=20)
    assert (well.health, credential(well)) == ("OK", "VALID")
    assert await well.events() == ["TOKEN_REFRESH_FAILED", "REAUTHORIZATION_REQUIRED", "RECOVERED"]


async def test_a_refresh_token_that_was_revoked_is_not_tried_again(well: Story, mill: Mill) -> None:
    mill.end_tokens()
    mill.mode = "invalid_grant"
    assert await well.ask() == "LoginRefused"
    assert (well.health, credential(well), reason(well)) == (
        "REAUTHORIZATION_REQUIRED",
        "REVOKED",
        "CREDENTIALS_REVOKED",
    )
    await well.wait(3_600, step=20)
    assert await well.ask() == "Reauthorize"
    assert len(mill.grants) == 1
    assert await well.events() == ["REAUTHORIZATION_REQUIRED"]
    async with telling(well.store, well) as later:
        await later.wait(1_300, step=20)
    assert len(mill.grants) == 1, "a process that starts later does not try it either"
    mill.mode, mill.refresh_token = "ok", f"{CANARY}-given-anew"
    given = ReconnectSystemInput(id=ID(well.connection_id), credentials=mill.credentials(well.plant.url))
    assert (await well.life.reconnect(given)).errors == []
    assert await well.ask() == "ok"
    assert credential(well) == "VALID"
    assert await well.events() == ["REAUTHORIZATION_REQUIRED", "REAUTHORIZED"]


async def test_a_client_that_is_refused_and_admitted_again(story: Story, mill: Mill) -> None:
    await connect(story, mill, "client")
    mill.forget()
    mill.end_tokens()
    mill.mode = "invalid_client"
    assert await story.ask() == "LoginRefused"
    assert reason(story) == "CREDENTIALS_REJECTED"
    await story.wait(1_500, step=20)
    assert 3 <= len(mill.grants) <= 4
    mill.mode = "ok"
    await story.wait(700, step=20)
    assert await story.events() == ["REAUTHORIZATION_REQUIRED", "RECOVERED"]


async def test_one_refusal_of_a_new_token_is_no_proof(well: Story, mill: Mill) -> None:
    mill.is_overloaded = True
    assert await well.ask() == "Reauthorize"
    assert len(mill.grants) == 1
    mill.is_overloaded = False
    await well.wait(120)
    assert (well.health, await well.events()) == ("OK", [])


async def test_a_system_that_refuses_every_token(well: Story, mill: Mill) -> None:
    mill.is_overloaded = True
    for _ in range(50):
        assert await well.ask() == "Reauthorize"
    assert len(mill.grants) == 1, "a token of a moment ago is not replaced"
    await well.wait_for("REAUTHORIZATION_REQUIRED", longest=10)
    assert reason(well) == "CREDENTIALS_REJECTED"
    await well.wait(1_000, step=20)
    assert len(mill.grants) <= 5
    mill.is_overloaded = False
    await well.wait(700, step=20)
    assert await well.events() == ["REAUTHORIZATION_REQUIRED", "RECOVERED"]


async def test_while_the_old_token_holds_nothing_fails(well: Story, mill: Mill) -> None:
    assert await well.ask() == "ok"
    mill.mode = "error"
    well.clock.moment += timedelta(seconds=3600 - 80)
    assert [await well.ask() for _ in range(5)] == ["ok"] * 5
    assert len(mill.grants) == 1
    assert (credential(well), await well.events()) == ("REFRESH_FAILING", ["TOKEN_REFRESH_FAILED"])
    async with telling(well.store, well) as later:
        assert await later.ask() == "ok"
        assert await well.events() == ["TOKEN_REFRESH_FAILED"], "who takes the old one over has renewed nothing"
    mill.mode = "ok"
    well.clock.moment += timedelta(seconds=31)
    assert await well.ask() == "ok"
    assert (credential(well), await well.events()) == ("VALID", ["TOKEN_REFRESH_FAILED", "RECOVERED"])


async def test_a_token_that_is_lost_with_its_process(well: Story, mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was received and never kept: the old refresh token is tried once more, and then nobody tries any more."""
    mill.end_tokens()
    with monkeypatch.context() as broken:
        broken.setattr(type(well.store.sessions), "keep", _die)
        broken.setattr(type(well.store.sessions), "release", _die)
        with pytest.raises(PowerCut):
            await well.ask()
    assert mill.grants == [f"{CANARY}-refresh-1"]
    async with telling(well.store, well) as other:
        well.clock.moment += timedelta(seconds=11)
        assert await other.ask() == "LoginRefused"
        assert mill.grants == [f"{CANARY}-refresh-1"] * 2
        await other.wait(1_300, step=20)
        assert len(mill.grants) == 2
        assert other.health == "REAUTHORIZATION_REQUIRED"


async def test_a_lost_token_does_not_matter_where_the_old_one_is_still_good(
    well: Story, mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    mill.rotates = False
    mill.end_tokens()
    with monkeypatch.context() as broken:
        broken.setattr(type(well.store.sessions), "keep", _die)
        broken.setattr(type(well.store.sessions), "release", _die)
        with pytest.raises(PowerCut):
            await well.ask()
    async with telling(well.store, well) as other:
        well.clock.moment += timedelta(seconds=11)
        assert await other.ask() == "ok"
        assert (len(mill.grants), other.health) == (2, "OK")


async def test_a_token_that_comes_while_the_database_is_away_is_kept_later(
    well: Story, mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    mill.end_tokens()
    with monkeypatch.context() as away:
        away.setattr(type(well.store.sessions), "keep", _away)
        assert await well.ask() == "RefreshFailed"
        assert await well.ask() == "RefreshFailed"
        assert len(mill.grants) == 1
    assert await well.ask() == "ok"
    assert len(mill.grants) == 1
    async with telling(well.store, well) as other:
        assert await other.ask() == "ok"
    assert await well.events() == []


async def test_without_the_database_a_known_session_will_do(
    well: Story, mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await well.ask() == "ok"
    monkeypatch.setattr(type(well.store.sessions), "read", _away)
    assert await well.ask() == "ok"
    well.clock.moment += timedelta(seconds=3600 - 60)
    assert await well.ask() == "ok", "it should be renewed, but it holds"
    well.clock.moment += timedelta(seconds=61)
    assert await well.ask() == "RefreshFailed"
    assert (len(mill.grants), await well.events()) == (0, [])


@pytest.mark.parametrize(
    ("mode", "code", "remedy"),
    [
        ("error", "REFRESH_BACKOFF", "Check that the token address answers"),
        ("invalid_client", "CREDENTIALS_REJECTED", "Check client id and client secret"),
        ("invalid_grant", "CREDENTIALS_REJECTED", "Get a new refresh token"),
    ],
)
async def test_a_trial_that_cannot_log_in_says_so_and_keeps_nothing(
    story: Story, mill: Mill, mode: str, code: str, remedy: str
) -> None:
    mill.mode = mode
    payload = await story.connect(system="mill", auth_method="refresh", credentials=mill.credentials(story.plant.url))
    assert [error.code.name for error in payload.errors] == [code]
    assert payload.errors[0].remediation.startswith(remedy)
    stages = {check.name.name: check.status.name for check in payload.checks}
    assert (stages["TCP"], stages["HTTP"], stages["SYSTEM"], stages["CREDENTIALS"]) == (
        "PASSED",
        "SKIPPED",
        "SKIPPED",
        "FAILED",
    )
    assert (mill.asked, len(mill.grants)) == (0, 1)
    assert await story.store.sealed() == []


class PowerCut(Exception):
    """The process has ended."""


async def _die(*given: object, **more: object) -> None:
    raise PowerCut


async def _away(*given: object, **more: object) -> None:
    raise Unavailable("the database does not answer")
