"""The pytest fixture that lends tests one running Odoo per session, where that is asked for."""

import os
from collections.abc import Iterator

import pytest

from tests.real.odoo.server import Odoo, running

ASKED_FOR = "SWITCHGEAR_REAL_ODOO"


@pytest.fixture(scope="session")
def odoo() -> Iterator[Odoo]:
    """A real Odoo with the seeded plant; whoever changes it changes it back.

    Tests that need it are skipped unless SWITCHGEAR_REAL_ODOO is 1: on a fresh machine it takes minutes.
    """
    if os.environ.get(ASKED_FOR) != "1":
        pytest.skip(f"a real Odoo takes minutes to install; set {ASKED_FOR}=1 to run against it")
    with running() as served:
        yield served
