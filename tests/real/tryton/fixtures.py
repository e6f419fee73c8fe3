"""The pytest fixture that lends tests one running Tryton per session."""

from collections.abc import Iterator

import pytest

from tests.real.tryton.server import Tryton, running


@pytest.fixture(scope="session")
def tryton() -> Iterator[Tryton]:
    """A real Tryton with the seeded plant; whoever changes it changes it back."""
    with running() as served:
        yield served
