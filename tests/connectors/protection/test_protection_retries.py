"""What may be repeated, how often, and when; and how long a system wishes to be left alone."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import (
    BadAnswer,
    CircuitOpen,
    RateLimited,
    Rejected,
    Sent,
    TimedOut,
    Trouble,
    Unavailable,
    Upstream,
)
from connectors.protection.retries import RetryBudget, backoff, may_pass
from connectors.query import OrderBy, Read, Request
from connectors.registry import find_system, system_keys
from connectors.retry_after import read_retry_after, wait_of


@given(st.lists(st.sampled_from(["call", "repeat"]), max_size=500))
def test_repetitions_are_a_tenth_of_the_calls_and_one(events: list[str]) -> None:
    budget = RetryBudget(0.1)
    calls = repeats = in_a_row = 0
    for event in events:
        if event == "call":
            calls += 1
            in_a_row = 0
            budget.deposit()
        elif budget.withdraw():
            repeats += 1
            in_a_row += 1
        assert repeats <= 1 + calls * 0.1 + 1e-6
        assert in_a_row <= 10


def test_without_a_share_nothing_is_repeated() -> None:
    budget = RetryBudget(0.0)
    budget.deposit()
    assert not budget.withdraw()


@given(st.integers(1, 1_000), st.floats(0, 1))
def test_the_wait_is_any_up_to_a_bound_that_doubles(attempt: int, chance: float) -> None:
    assert 0 <= backoff(attempt, lambda: chance) <= min(5.0, 0.2 * 2 ** min(attempt - 1, 10))
    assert backoff(attempt, lambda: 0.0) == 0.0


@pytest.mark.parametrize(
    ("trouble", "is_repeated"),
    [
        (Unavailable("reset"), True),
        (Unavailable("refused", sent=Sent.NOT_SENT, stage="TCP"), True),
        (Unavailable("busy", upstream=Upstream(503)), True),
        (Unavailable("gateway", upstream=Upstream(502)), True),
        (Unavailable("gateway", upstream=Upstream(504)), True),
        (Unavailable("crash", upstream=Upstream(500)), False),
        (TimedOut("no connection", sent=Sent.NOT_SENT), True),
        (TimedOut("no answer"), False),
        (RateLimited("theirs", retry_after=1.0), True),
        (RateLimited("ours", retry_after=1.0, sent=Sent.NOT_SENT), False),
        (CircuitOpen("ours", retry_after=1.0), False),
        (BadAnswer("gibberish"), False),
        (Rejected("no"), False),
    ],
)
def test_only_what_may_pass_is_repeated(trouble: Trouble, is_repeated: bool) -> None:
    assert may_pass(trouble) is is_repeated


@pytest.mark.parametrize(
    ("request_", "is_safe"),
    [
        (Request("GET", "x"), True),
        (Request("HEAD", "x"), True),
        (Request("POST", "x"), False),
        (Request("POST", "x", is_read=True), True),
        (Request("PUT", "x"), False),
        (Request("DELETE", "x"), False),
        (Request("PATCH", "x"), False),
    ],
)
def test_a_request_says_whether_it_does_no_harm_twice(request_: Request, is_safe: bool) -> None:
    assert request_.is_safe is is_safe


@pytest.mark.parametrize("key", system_keys())
def test_every_question_of_a_built_in_system_may_be_asked_twice(key: str) -> None:
    system = find_system(key)
    assert system is not None
    for resource in system.resources:
        read = Read(resource.source, frozenset({resource.key}), order=(OrderBy(resource.key),), limit=1)
        assert system.protocol.request(read, {}).is_safe


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2099 12:00:00 GMT", 86_400.0),
        ("9" * 400, 86_400.0),
        ("Sun, 01 Mar 999999999999 12:00:00 GMT", None),
    ],
)
def test_retry_after_has_two_forms(value: str | None, seconds: float | None) -> None:
    assert read_retry_after(value, NOW) == seconds


def test_a_date_is_read_by_the_clock_of_the_system_that_wrote_it() -> None:
    headers = {"date": "Sun, 01 Mar 2020 12:00:00 GMT", "retry-after": "Sun, 01 Mar 2020 12:00:09 GMT"}
    assert wait_of(headers) == 9.0
    assert wait_of(headers | {"date": "yesterday"}) == 0.0
