"""Odoo keeps the contract, against the program itself."""

import pytest

from connectors.testing.contract import ConnectorContract
from tests.connectors.odoo_bench import OdooBench, odoo_bench
from tests.real.odoo.server import Odoo


@pytest.mark.real
class TestOdoo(ConnectorContract):
    @pytest.fixture
    def bench(self, odoo: Odoo) -> OdooBench:
        return odoo_bench(odoo)
