"""The pytest fixture that lends tests one running Phoenix per session, where that is asked for."""

import os
from collections.abc import Iterator

import pytest

from tests.real.phoenix.receiver import Phoenix, running

ASKED_FOR = "SWITCHGEAR_REAL_PHOENIX"


@pytest.fixture(scope="session")
def phoenix() -> Iterator[Phoenix]:
    """A real receiver of traces.

    Tests that need it are skipped unless SWITCHGEAR_REAL_PHOENIX is 1: it is 850 MB large.
    """
    if os.environ.get(ASKED_FOR) != "1":
        pytest.skip(f"a real receiver of traces is large; set {ASKED_FOR}=1 to send spans to it")
    with running() as served:
        yield served
