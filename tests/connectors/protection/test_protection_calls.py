"""Whole calls of a source in simulated time: what is sent, what is repeated, and what is told."""

import asyncio
from typing import Any

import httpx
import pytest

from connectors.auth import SessionLogin
from connectors.errors import BadAnswer, CircuitOpen, RateLimited, Sent, TimedOut, Trouble, Unavailable
from connectors.ports import BreakerState, Hint, HintKind, Session
from connectors.protection.limits import Identity, Limits, Priority, Rate, Share
from connectors.query import Page, Request
from connectors.tally import Tally
from tests.connectors.protection.peers import BUSY, READ, Notes, Peer, ask, now, protections, source, state, told


@pytest.mark.parametrize(
    "passing",
    [BUSY, httpx.Response(502), httpx.ConnectError("refused"), httpx.ReadError("reset"), httpx.ConnectTimeout("slow")],
)
def test_a_read_that_met_a_passing_trouble_is_repeated_once_and_counted_twice(passing: Any) -> None:
    async def story() -> None:
        peer, tally = Peer(passing), Tally()
        assert isinstance(await ask(source(peer), tally=tally), Page)
        assert (len(peer.asked), tally.requests) == (2, 2)

    told(story)


@pytest.mark.parametrize(
    "trouble", [httpx.Response(500), httpx.Response(400), httpx.Response(401), httpx.Response(200)]
)
def test_other_troubles_are_final(trouble: httpx.Response) -> None:
    async def story() -> None:
        peer = Peer(trouble)
        assert isinstance(await ask(source(peer)), Trouble)
        assert len(peer.asked) == 1

    told(story)


@pytest.mark.parametrize("passing", [BUSY, httpx.ConnectError("refused"), httpx.ReadError("reset")])
def test_what_may_change_something_is_never_repeated(passing: Any) -> None:
    async def story() -> None:
        peer = Peer(passing)
        with pytest.raises(Unavailable):
            await source(peer).follow(READ, Request("POST", "orders"), Tally(), now() + 10)
        assert len(peer.asked) == 1

    told(story)


def test_under_a_storm_the_system_gets_few_repetitions_and_then_nothing() -> None:
    async def story() -> None:
        peer = Peer(then=BUSY)
        subject = source(peer)
        outcomes = [await ask(subject) for _ in range(100)]
        assert len(peer.asked) == 5
        assert [type(item) for item in outcomes[:4]] == [Unavailable] * 4
        assert {type(item) for item in outcomes[4:]} == {CircuitOpen}

    told(story)


def test_while_the_breaker_stays_closed_repetitions_are_a_tenth() -> None:
    async def story() -> None:
        peer = Peer(then=BUSY)
        subject = source(peer, protections(failures_in_a_row=10_000, window_calls=10_000))
        tally = Tally()
        for _ in range(1_000):
            await ask(subject, tally=tally)
        assert len(peer.asked) == tally.requests
        assert 1_090 < len(peer.asked) <= 1_101

    told(story)


def test_after_repair_one_call_probes_and_the_second_success_closes() -> None:
    async def story() -> None:
        peer = Peer(*[BUSY] * 5, 0.5, 0.5)
        subject = source(peer, protections(jitter=1.0, retries=0))
        for _ in range(5):
            await ask(subject)
        refused = await ask(subject)
        assert isinstance(refused, CircuitOpen)
        assert refused.retry_after == pytest.approx(5.0)
        await asyncio.sleep(refused.retry_after or 0.0)
        outcomes = await asyncio.gather(*(ask(subject) for _ in range(10)))
        assert sum(isinstance(item, Page) for item in outcomes) == 1
        assert len(peer.asked) == 6
        assert state(subject) is BreakerState.HALF_OPEN
        assert isinstance(await ask(subject), Page)
        assert state(subject) is BreakerState.CLOSED

    told(story)


def test_calls_that_wait_for_their_turn_are_not_sent_once_the_breaker_is_open() -> None:
    async def story() -> None:
        peer = Peer(then=httpx.Response(500))
        subject = source(peer, protections(calls_at_once=1))
        outcomes = await asyncio.gather(*(ask(subject) for _ in range(30)))
        assert len(peer.asked) == 5
        assert sum(isinstance(item, CircuitOpen) for item in outcomes) == 25

    told(story)


@pytest.mark.parametrize(("given", "rest"), [("4", 4.0), ("Sun, 01 Mar 2020 12:00:04 GMT", 4.0)])
def test_a_rest_that_fits_is_waited_for_by_all_of_the_account(given: str, rest: float) -> None:
    async def story() -> None:
        refusal = httpx.Response(429, headers={"date": "Sun, 01 Mar 2020 12:00:00 GMT", "retry-after": given})
        peer, notes = Peer(refusal), Notes()
        known = protections(state=notes)
        first, sibling = source(peer, known), source(peer, known, name="2")
        waiting = asyncio.create_task(ask(first))
        await asyncio.sleep(0.1)
        assert isinstance(await ask(sibling, patience=3.0), RateLimited)
        assert isinstance(await ask(sibling), Page)
        assert isinstance(await waiting, Page)
        assert peer.asked == [1_000.0, pytest.approx(1_000.0 + rest), pytest.approx(1_000.0 + rest)]
        assert notes.hints == [Hint(("cus", "account", "account"), HintKind.REST, rest)]

    told(story)


def test_a_rest_that_does_not_fit_is_told_at_once() -> None:
    async def story() -> None:
        peer = Peer(httpx.Response(429, headers={"retry-after": "60"}))
        subject = source(peer)
        for sent in (Sent.MAYBE_SENT, Sent.NOT_SENT, Sent.NOT_SENT):
            refused = await ask(subject)
            assert isinstance(refused, RateLimited)
            assert (refused.retry_after, refused.sent, now()) == (60.0, sent, 1_000.0)
        assert len(peer.asked) == 1

    told(story)


@pytest.mark.parametrize("headers", [{}, {"retry-after": "0"}, {"retry-after": "Sun, 01 Mar 2020 12:00:00 GMT"}])
def test_without_a_time_to_come_back_the_system_rests_longer_each_time(headers: dict[str, str]) -> None:
    async def story() -> None:
        peer = Peer(then=httpx.Response(429, headers=headers))
        subject = source(peer, protections(jitter=1.0, retries=0))
        for _ in range(5):
            refused = await ask(subject, patience=100.0)
            assert isinstance(refused, RateLimited)
            assert refused.retry_after
        assert [round(later - peer.asked[0]) for later in peer.asked] == [0, 1, 3, 7, 15]
        assert subject.guard.lane.concurrency.limit == 1
        assert state(subject) is BreakerState.CLOSED

    told(story)


def test_a_crowd_that_waited_for_the_instant_does_not_come_back_at_once() -> None:
    async def story() -> None:
        peer = Peer(*[httpx.Response(429, headers={"retry-after": "5"})] * 8, takes=0.9)
        subject = source(peer, protections(retries=0))
        await asyncio.gather(*(ask(subject) for _ in range(8)))
        outcomes = await asyncio.gather(*(ask(subject, patience=60.0) for _ in range(30)))
        assert {type(item) for item in outcomes} == {Page}, outcomes
        again = [moment for moment in peer.asked if moment > 1_000.0]
        assert min(again) == pytest.approx(1_005.9)
        assert sum(moment < 1_006.7 for moment in again) == 4

    told(story)


def test_nothing_goes_on_beyond_the_deadline() -> None:
    async def story() -> None:
        for answers in ([30.0], [BUSY, 30.0], [httpx.Response(503, headers={"retry-after": "9"})]):
            began = now()
            await ask(source(Peer(*answers)), patience=2.0)
            assert now() - began <= 2.0

    told(story)


def test_a_deadline_of_the_callers_own_counts_as_no_answer_in_time() -> None:
    async def story() -> None:
        subject = source(Peer(then=60.0))
        for _ in range(5):
            end = now() + 2.0
            with pytest.raises(TimeoutError):
                async with asyncio.timeout_at(end):
                    await subject.fetch(READ, Tally(), end)
        assert state(subject) is BreakerState.OPEN
        assert subject.guard.lane.concurrency.limit == 1

    told(story)


def test_impatience_says_nothing_of_the_system() -> None:
    async def story() -> None:
        subject = source(Peer(then=60.0))
        for _ in range(20):
            assert isinstance(await ask(subject, patience=0.5), TimedOut)
        assert state(subject) is BreakerState.CLOSED
        assert subject.guard.lane.concurrency.limit == 8

    told(story)


def test_a_caller_who_goes_away_says_nothing_of_the_system() -> None:
    async def story() -> None:
        subject = source(Peer(then=60.0))
        for _ in range(20):
            task = asyncio.create_task(ask(subject, patience=100.0))
            await asyncio.sleep(3.0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert (subject.guard.breaker.failures, subject.guard.lane.running) == (0, 0)

    told(story)


def test_answers_that_cannot_be_understood_open_the_breaker_and_refusals_do_not() -> None:
    async def story() -> None:
        for answer, expected in (
            (httpx.Response(200, content=b"<html>"), BreakerState.OPEN),
            (httpx.Response(200, json={"d": "surprise"}), BreakerState.OPEN),
            (httpx.Response(401), BreakerState.CLOSED),
            (httpx.Response(403), BreakerState.CLOSED),
            (httpx.Response(404), BreakerState.CLOSED),
            (httpx.Response(400), BreakerState.CLOSED),
        ):
            subject = source(Peer(then=answer))
            outcomes = [await ask(subject) for _ in range(6)]
            assert state(subject) is expected, answer
            assert isinstance(outcomes[0], BadAnswer) is (expected is BreakerState.OPEN)

    told(story)


def test_logins_are_calls_too() -> None:
    async def story() -> None:
        peer, tally = Peer(), Tally()
        login = SessionLogin(lambda url, _: httpx.Request("POST", url), lambda answer: Session("Bearer x"))
        limits = Limits(rates=(Rate(4, 40.0, burst=1),))
        subject = source(peer, limits=limits, auth=login)
        await ask(subject, patience=100.0, tally=tally)
        assert (len(peer.asked), tally.requests) == (2, 2)
        await ask(subject, patience=100.0)
        assert peer.asked[2] == pytest.approx(1_020.0)

    told(story)


def test_what_waits_for_nobody_gives_way() -> None:
    async def story() -> None:
        peer = Peer(then=1.0)
        subject = source(peer, protections(calls_at_once=1))
        done: list[Priority] = []

        async def one(priority: Priority) -> None:
            await ask(subject, patience=100.0, tally=Tally(priority=priority))
            done.append(priority)

        wanted = [Priority.BACKGROUND] * 3 + [Priority.INTERACTIVE] * 3
        await asyncio.gather(*map(one, wanted))
        assert done == [Priority.BACKGROUND] + [Priority.INTERACTIVE] * 3 + [Priority.BACKGROUND] * 2

    told(story)


def test_state_survives_the_reopening_of_a_source_and_customers_share_none() -> None:
    async def story() -> None:
        known = protections(retries=0)
        peer = Peer(*[BUSY] * 5, httpx.Response(429, headers={"retry-after": "60"}))
        first = source(peer, known)
        for _ in range(5):
            await ask(first)
        del first
        assert isinstance(await ask(source(peer, known)), CircuitOpen)
        other = source(peer, known, name="2")
        assert isinstance(await ask(other), RateLimited)
        again = await ask(source(peer, known, name="3"))
        assert isinstance(again, RateLimited)
        assert again.sent is Sent.NOT_SENT
        stranger = known.guard(Limits(), Identity("cus_2", "con_1", "user 1", "account", "host"))
        assert (stranger.lane.rest, stranger.breaker.state) == (0.0, BreakerState.CLOSED)

    told(story)


def test_a_limit_that_users_have_leaves_other_users_alone() -> None:
    async def story() -> None:
        known = protections(retries=0)
        limits = Limits(Share.USER, rates=(Rate(1, 60.0, Share.USER),))
        peer = Peer(httpx.Response(429, headers={"retry-after": "60"}))
        assert isinstance(await ask(source(peer, known, limits=limits)), RateLimited)
        assert isinstance(await ask(source(peer, known, limits=limits, name="2")), Page)

    told(story)


def test_hints_of_other_processes_are_heeded() -> None:
    async def story() -> None:
        known = protections()
        peer = Peer()
        subject = source(peer, known)
        known.hear(Hint(("cus", "account", "account"), HintKind.REST, 60.0))
        known.hear(Hint(("cus", "account", "nobody"), HintKind.REST, 60.0))
        assert isinstance(await ask(subject), RateLimited)
        known.hear(Hint(("cus", "connection", "con_1", "account"), HintKind.OPEN, 20.0))
        assert isinstance(await ask(subject), CircuitOpen)
        known.hear(Hint(("cus", "connection", "con_1", "account"), HintKind.CLOSED))
        assert state(subject) is BreakerState.HALF_OPEN
        assert peer.asked == []
        assert set(known.keys()) == {
            (("cus", "account", "account"), HintKind.REST),
            (("cus", "connection", "con_1", "account"), HintKind.OPEN),
        }

    told(story)


def test_a_connection_that_is_tried_out_keeps_the_limits_but_opens_nothing_for_others() -> None:
    async def story() -> None:
        known = protections()
        who = Identity("cus", "con_check", "user", "account", "host")
        for _ in range(5):
            guard = known.check(Limits(), who)
            with pytest.raises(Unavailable):
                async with guard.entered("GET", Priority.INTERACTIVE, now() + 5.0):
                    raise Unavailable("down")
        assert known.check(Limits(), who).breaker.state is BreakerState.CLOSED
        assert known.check(Limits(), who).lane is known.guard(Limits(), who).lane

    told(story)
