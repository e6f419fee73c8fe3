"""The test class that a connector's tests inherit: one test for each check of the contract."""

import pytest

import connectors.testing.checks  # noqa: F401 - fills the registry
from connectors.testing.bench import Bench
from connectors.testing.registry import CHECKS


class ConnectorContract:
    """Everything that a connector promises, tested against its system.

    Inherit it in a class whose name begins with Test, and give it a fixture `bench`. Rows that are known to be right
    are kept beside the system's spec; after a deliberate change, run once with `--update-rows` and read the difference.
    """

    @pytest.mark.parametrize("name", CHECKS)
    async def test_contract(self, name: str, bench: Bench, request: pytest.FixtureRequest) -> None:
        """One check of the contract."""
        bench.update_rows = request.config.getoption("--update-rows", default=False)
        await CHECKS[name](bench)
