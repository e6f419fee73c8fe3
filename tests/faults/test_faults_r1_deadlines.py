"""R1: a query answers within its deadline whatever a system does, the others are there, and `sources` says why."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.plant import Plant, plant
from tests.faults.proxy import Fault

TIMED_OUT, OUT_OF_REACH = ("TIMED_OUT", "UPSTREAM_TIMEOUT"), ("ERROR", "UPSTREAM_UNREACHABLE")
OUTCOMES = {
    Fault.BLACK_HOLE: TIMED_OUT,
    Fault.HALF_OPEN: TIMED_OUT,
    Fault.DRIP: TIMED_OUT,
    Fault.LATENCY: TIMED_OUT,
    Fault.RESET: OUT_OF_REACH,
    Fault.TRUNCATION: OUT_OF_REACH,
}
PATIENCE_MS = 1_500
LATENESS_SECONDS = 0.25


async def suffer(place: Plant, times: int) -> float:
    """Ask while the fault lasts; the longest that an answer took."""
    longest = 0.0
    for _ in range(times):
        answer = await place.ask(timeout_ms=PATIENCE_MS)
        longest = max(longest, answer.seconds)
        assert place.healthy_rows_are_there(answer)
        assert answer.page["isComplete"] is False
        source = answer.source()
        assert (source["count"], source["error"]["retryable"]) == (0, True)
        assert source["error"]["remediation"]
    return longest


@pytest.mark.parametrize("fault", OUTCOMES, ids=lambda fault: fault.name.lower())
async def test_the_others_answer_and_the_trouble_is_told(fault: Fault, tmp_path: Path) -> None:
    async with plant(tmp_path) as place:
        place.proxy.fault, place.proxy.seconds = fault, 30.0
        answer = await place.ask(timeout_ms=PATIENCE_MS)
        assert answer.outcome() == OUTCOMES[fault]
        assert place.healthy_rows_are_there(answer)
        place.proxy.fault = Fault.NONE
        assert (await place.ask()).page["isComplete"] is True


@pytest.mark.faults
@pytest.mark.parametrize("fault", OUTCOMES, ids=lambda fault: fault.name.lower())
async def test_no_answer_is_later_than_the_deadline_and_a_quarter_of_a_second(fault: Fault, tmp_path: Path) -> None:
    async with plant(tmp_path) as place:
        place.proxy.fault, place.proxy.seconds = fault, 1.0 if fault is Fault.DRIP else 30.0
        assert await suffer(place, 12) <= PATIENCE_MS / 1_000 + LATENESS_SECONDS


@pytest.fixture
def hanging_name(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A host name that leads to this machine until the event is set, and is then looked up for ever."""
    is_hanging, is_over = threading.Event(), threading.Event()
    real = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != "erp.example.com":
            return real(host, *arguments, **options)
        if is_hanging.is_set():
            is_over.wait(60.0)
        return real("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield is_hanging
    is_over.set()


async def test_a_name_server_that_hangs_is_a_system_that_does_not_answer(
    hanging_name: threading.Event, tmp_path: Path
) -> None:
    async with plant(tmp_path) as place:
        url = place.troubled.url.replace("127.0.0.1", "erp.example.com")
        made = await place.gateway.connect(url, name="lost")
        place.ids["lost"] = made["connection"]["id"]
        hanging_name.set()
        answer = await place.ask("lost", "healthy", timeout_ms=PATIENCE_MS)
        assert answer.outcome("lost") == TIMED_OUT
        assert place.healthy_rows_are_there(answer)
