"""What an observer hears of the calls of a source, and what their spans say."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from opentelemetry.trace import INVALID_SPAN

from connectors.auth import SessionLogin
from connectors.client import Source
from connectors.errors import Reauthorize, Trouble, Unavailable, outcome_of
from connectors.ports import Call, Observer, Session
from connectors.protection.limits import Thresholds
from connectors.protection.protections import lone_guard
from connectors.query import Read
from connectors.systems.sap_s4hana.spec import sap_s4hana
from connectors.tally import Tally
from connectors.tracing import SOURCE, started, step
from tests.connectors.traced import recorded

READ = Read("API_BUSINESS_PARTNER/A_Supplier", frozenset(("Supplier",)))
Answering = Callable[[httpx.Request], Any]


class Heard(Observer):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.statuses: list[int | None] = []
        self.is_closed = False

    def called(self, call: Call) -> None:
        self.calls.append(replace(call, seconds=0.0))

    def answered(self, status: int | None) -> None:
        self.statuses.append(status)

    def closed(self) -> None:
        self.is_closed = True


def source(answer: Answering, **given: Any) -> tuple[Source, Heard]:
    """A source whose system is a function."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://erp.example.com")
    heard = Heard()
    return Source("con_1", sap_s4hana, http, given.pop("auth", httpx.Auth()), observer=heard, **given), heard


def rows(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"d": {"results": [{"Supplier": "1"}, {"Supplier": "2"}]}})


async def ask(asked: Source, seconds: float = 30.0) -> Tally:
    """Ask for vendors; what it took, also where it fails."""
    tally = Tally(entity="Vendor")
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        await asked.fetch(READ, tally, deadline)
    except Trouble:
        pass
    finally:
        await asked.close()
    return tally


async def test_a_call_is_told_with_its_rows() -> None:
    asked, heard = source(rows)
    assert (await ask(asked)).requests == 1
    assert heard.calls == [Call("Vendor", "ok", 200, 1, 2)]
    assert heard.statuses == [200]
    assert heard.is_closed


async def test_a_login_counts_as_a_request_and_is_marked_in_its_span() -> None:
    login = SessionLogin(lambda url, _: httpx.Request("POST", url.join("/login")), lambda answer: Session("abc"))
    asked, heard = source(rows, auth=login)
    with recorded() as spans, started(SOURCE):
        assert (await ask(asked)).requests == 2
    logins = [dict(span.attributes or {})["switchgear.login"] for span in spans.named("attempt")]
    assert logins == [True, False]
    assert heard.calls == [Call("Vendor", "ok", 200, 2, 2)]


async def test_an_answer_that_is_a_failure_is_told_with_its_status() -> None:
    asked, heard = source(lambda request: httpx.Response(401))
    await ask(asked)
    assert heard.calls == [Call("Vendor", "reauthorize", 401, 1, 0)]


async def test_an_answer_that_cannot_be_read_is_none() -> None:
    asked, heard = source(lambda request: httpx.Response(200, text="<html>"))
    await ask(asked)
    assert [call.outcome for call in heard.calls] in (["bad_answer"], ["wrong_system"])


async def test_no_answer_at_all_is_told_without_a_status() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    asked, heard = source(refuse, guard=lone_guard(Thresholds(retries=0)))
    await ask(asked)
    assert heard.calls == [Call("Vendor", "unavailable", None, 1, 0)]
    assert heard.statuses == [None]


async def test_a_source_that_cannot_be_asked_makes_no_request() -> None:
    asked, heard = source(rows, fault=Reauthorize("The credentials cannot be read."))
    await ask(asked)
    assert heard.calls == [Call("Vendor", "reauthorize", None, 0, 0)]


async def never(request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError("it never answers")


async def test_its_own_deadline_is_told_as_such() -> None:
    asked, heard = source(never)
    await ask(asked, seconds=0.01)
    assert heard.calls == [Call("Vendor", "timed_out", None, 1, 0)]


async def test_a_deadline_around_it_is_told_as_such_too() -> None:
    asked, heard = source(never)
    deadline = asyncio.get_running_loop().time() + 0.01
    with pytest.raises(TimeoutError):
        async with asyncio.timeout_at(deadline):
            await asked.fetch(READ, Tally(), deadline)
    assert [call.outcome for call in heard.calls] == ["timed_out"]
    await asked.close()


async def test_who_goes_away_cancels_the_call() -> None:
    asked, heard = source(never)
    task = asyncio.create_task(ask(asked))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [call.outcome for call in heard.calls] == ["canceled"]


def test_outcomes_are_words() -> None:
    assert outcome_of(Unavailable("x")) == "unavailable"
    assert outcome_of(ValueError("x")) == "fault"
    assert outcome_of(asyncio.CancelledError()) == "canceled"


def test_a_step_that_belongs_to_no_traced_request_is_no_span() -> None:
    with recorded() as spans:
        with step(SOURCE, {}) as span:
            assert span is INVALID_SPAN
        assert spans.all() == []
