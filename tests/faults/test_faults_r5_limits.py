"""R5: a system that has had enough is left alone until the moment that it names, by everybody who shares its limit."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.faults.plant import Plant, plant
from tests.faults.proxy import answer_bytes

EMPTY = answer_bytes(200, b'{"d": {"results": []}}')


def moment(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


FORMS: dict[str, tuple[Callable[[], list[str]], float]] = {
    "seconds": (lambda: ["Retry-After: 2"], 2.0),
    "date": (lambda: [f"Retry-After: {moment(3)}"], 2.0),
    "dated by its own clock": (lambda: [f"Date: {moment(-3_600)}", f"Retry-After: {moment(-3_598)}"], 2.0),
    "past date": (lambda: [f"Retry-After: {moment(-60)}"], 0.5),
    "nothing": (list, 0.5),
    "unreadable": (lambda: ["Retry-After: soon"], 0.5),
}
"""The headers of a refusal, and the seconds for which nothing may be sent at least."""


@pytest.mark.parametrize("form", FORMS)
async def test_no_call_before_the_moment_and_no_crowd_at_it(form: str, tmp_path: Path) -> None:
    headers, seconds = FORMS[form]
    async with plant(tmp_path) as place:
        place.proxy.answer(answer_bytes(429, b"", *headers()), EMPTY)
        answers = await asyncio.gather(*(place.ask("troubled") for _ in range(1)))
        answers += await asyncio.gather(*(place.ask("troubled") for _ in range(6)))
        assert [answer.outcome() for answer in answers] == [("OK", None)] * 7
        first, second, *_ = place.proxy.requests
        assert second - first >= seconds
        assert sum(answer.source()["upstreamCalls"] for answer in answers) == len(place.proxy.requests) == 8


async def test_who_cannot_wait_is_told_until_when(tmp_path: Path) -> None:
    async with plant(tmp_path) as place:
        place.proxy.answer(answer_bytes(429, b"", "Retry-After: 30"), EMPTY)
        first, second = await place.ask(), await place.ask()
        for answer in (first, second):
            assert answer.outcome() == ("RATE_LIMITED", "UPSTREAM_RATE_LIMITED")
            assert answer.source()["error"]["remediation"] == "Wait for `retryAfterMs`, then try again."
            assert place.healthy_rows_are_there(answer)
        assert first.source()["error"]["retryAfterMs"] == 30_000
        assert 29_000 < second.source()["error"]["retryAfterMs"] <= 31_000
        assert (first.source()["upstreamCalls"], second.source()["upstreamCalls"]) == (1, 0)
        assert len(place.proxy.requests) == 1


async def concurrency(place: Plant) -> int:
    (live,) = (item for item in place.gateway.process.directory.lives() if item.connection.name == "troubled")
    return live.source.guard.lane.concurrency.limit


async def test_fewer_calls_at_a_time_after_a_refusal_and_more_again_when_all_is_well(tmp_path: Path) -> None:
    async with plant(tmp_path) as place:
        assert await concurrency(place) == 8
        place.proxy.answer(answer_bytes(429, b"", "Retry-After: 1"), EMPTY)
        await place.ask("troubled")
        assert await concurrency(place) == 4
        for _ in range(30):
            await place.ask("troubled")
        assert await concurrency(place) == 8


async def test_another_connection_to_the_same_account_waits_too_and_one_of_another_customer_does_not(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path) as place:
        for name, customer in (("sibling", "Plant"), ("stranger", "Other plant")):
            customer_id = await place.gateway.customer(customer)
            made = await place.gateway.connect(place.proxy.url, name=name, customerId=customer_id)
            place.ids[name] = made["connection"]["id"]
        place.proxy.answer(answer_bytes(429, b"", "Retry-After: 30"), EMPTY)
        assert (await place.ask("troubled")).outcome()[0] == "RATE_LIMITED"
        assert (await place.ask("sibling")).outcome("sibling")[0] == "RATE_LIMITED"
        assert (await place.ask("stranger")).outcome("stranger")[0] == "OK"
        assert len(place.proxy.requests) == 2
