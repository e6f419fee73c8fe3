"""The contract for systems that are described by a folder: what a bench has to know is mostly in the folder."""

from dataclasses import dataclass, field

import httpx
import pytest

from connectors.manifests.checking import facts_of
from connectors.manifests.reading import Described
from connectors.spec import Resource
from connectors.testing.bench import Bench, PathFacts
from connectors.testing.contract import ConnectorContract
from connectors.testing.registry import CHECKS

NO_PROJECTION = {
    "only_needed_fields_are_asked_for": "the source always sends whole rows",
}
"""Checks that do not apply where a source cannot be asked for some fields only, each with the reason."""

READ_FROM_THE_BEGINNING = {
    "a_scan_that_stops_at_its_bound_is_taken_up_again": "a source that is not walked by keys keeps no place to go on",
}
"""Checks that do not apply where each page is read from the beginning, each with the reason."""


@dataclass(eq=False)
class ManifestBench(Bench):
    """A bench whose facts are those of the folder."""

    described: Described = field(kw_only=True)
    answers: dict[str, str] = field(kw_only=True)
    login_key: str = field(kw_only=True)

    def address(self) -> str:
        """Where the manifest leads to with the answers."""
        return self.system.address(self.answers)

    def login(self) -> httpx.Auth:
        """A login of the manifest's."""
        method = self.system.auth_method(self.login_key)
        assert method is not None, self.login_key
        return method.flow(self.answers)

    def facts(self, resource: Resource, path: str) -> PathFacts | None:
        """What the facts file says of a path."""
        found = (facts_of(self.described, resource) or {}).get(path)
        if found is None:
            return None
        return PathFacts(
            is_filterable=found.filterable,
            is_sortable=found.sortable,
            is_never_null=found.required,
            is_never_empty=found.required,
        )

    def asked_fields(self, request: httpx.Request) -> frozenset[str] | None:
        """Each request to a REST source asks for whole rows."""
        return frozenset()


class RestManifestContract(ConnectorContract):
    """The contract for a REST source that sends whole rows and is read from the beginning for each page."""

    @pytest.mark.parametrize("name", [name for name in CHECKS if name not in NO_PROJECTION | READ_FROM_THE_BEGINNING])
    async def test_contract(self, name: str, bench: Bench, request: pytest.FixtureRequest) -> None:
        """One check of the contract."""
        await super().test_contract(name, bench, request)
