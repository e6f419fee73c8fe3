"""The example of a manifest keeps the contract."""

import pytest

from connectors.testing.manifests import RestManifestContract
from tests.connectors.workshop_bench import WorkshopBench, workshop_bench


class TestWorkshop(RestManifestContract):
    @pytest.fixture
    def bench(self) -> WorkshopBench:
        return workshop_bench()
