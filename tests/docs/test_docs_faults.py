"""The page about failing systems says what the tests of faults see, and the numbers that hold."""

import re

import pytest

from connectors.protection.limits import DEFAULTS
from tests.docs.pages import ROOT, text_of
from tests.faults.proxy import Fault
from tests.faults.test_faults_r1_deadlines import OUTCOMES

PAGE = text_of(ROOT / "docs" / "when-systems-fail.md")


@pytest.mark.parametrize("fault", OUTCOMES, ids=lambda fault: fault.name.lower())
def test_every_fault_stands_there_with_its_outcome(fault: Fault) -> None:
    status, code = OUTCOMES[fault]
    assert f"| {fault.value} | `{status}` | `{code}` |" in PAGE


def test_the_numbers_are_those_that_hold() -> None:
    flat = re.sub(r"\s+", " ", PAGE)
    assert f"After {DEFAULTS.failures_in_a_row} failures in a row" in flat
    assert f"half of at least {DEFAULTS.window_calls} calls within {DEFAULTS.window_seconds:.0f} seconds" in flat
    assert f"left alone for {DEFAULTS.first_open_seconds:.0f} seconds" in flat
    assert f"up to {DEFAULTS.longest_open_seconds / 60:.0f} minutes" in flat
    assert f"{DEFAULTS.calls_at_once} calls to one account" in flat
    assert f"More than {DEFAULTS.calls_waiting} waiting" in flat
    assert (DEFAULTS.failing_share, DEFAULTS.retry_share, DEFAULTS.retries) == (0.5, 0.1, 2)
    assert (DEFAULTS.successes_to_close, DEFAULTS.fair_seconds) == (2, 1.0)
