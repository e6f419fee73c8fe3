"""SAP S/4HANA keeps the contract, against its sandbox."""

import pytest

from connectors.testing.contract import ConnectorContract
from tests.connectors.sap_s4hana_bench import SapS4hanaBench, sap_s4hana_bench


class TestSapS4hana(ConnectorContract):
    @pytest.fixture
    def bench(self) -> SapS4hanaBench:
        return sap_s4hana_bench()
