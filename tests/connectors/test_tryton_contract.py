"""Tryton keeps the contract, against the program itself."""

import pytest

from connectors.testing.contract import ConnectorContract
from tests.connectors.tryton_bench import TrytonBench, tryton_bench
from tests.real.tryton.server import Tryton


@pytest.mark.real
class TestTryton(ConnectorContract):
    @pytest.fixture
    def bench(self, tryton: Tryton) -> TrytonBench:
        return tryton_bench(tryton)
