"""A small plant for tests: sandboxes in process, and a graph that sees them all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.auth import BasicLogin
from connectors.client import Source
from connectors.protection.limits import Thresholds
from connectors.protection.protections import lone_guard
from connectors.sandbox.control import ControlledSandbox, Faults
from connectors.systems.sap_s4hana.sandbox import USERS, demo_data, sandbox
from connectors.systems.sap_s4hana.spec import sap_s4hana
from connectors.testing.in_process import in_process_client
from resolvers.ports import LiveSource
from tests.resolvers.graph import Graph, live_source


@dataclass
class Plant(Graph):
    """Named sandboxes of S/4HANA with one connection to each."""

    sandboxes: Mapping[str, ControlledSandbox] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lives = [_connect(name, box) for name, box in sorted(self.sandboxes.items())]

    def asked(self, name: str) -> list[dict[str, Any]]:
        """What was asked of one sandbox, oldest first."""
        return self.sandboxes[name].requests

    def rows(self, name: str, entity_set: str) -> list[dict[str, Any]]:
        """The rows of one sandbox, as the system itself has them."""
        found: list[dict[str, Any]] = self.sandboxes[name].application.data[entity_set]  # type: ignore[attr-defined]
        return found

    def trouble(self, name: str, mode: Any, **details: Any) -> None:
        """Give one sandbox a trouble, as its control side would."""
        self.sandboxes[name].faults = Faults(mode, **details)

    def forget(self) -> None:
        """Forget what was asked of every sandbox."""
        for box in self.sandboxes.values():
            box.requests.clear()


def demo_plant(orders: int = 60, **settings: Any) -> Plant:
    """Two sandboxes with invented data."""
    return Plant(
        sandboxes={
            "sap-eu": sandbox(demo_data(1, orders=orders, suppliers=20, region="EU"), page_size=40),
            "sap-us": sandbox(
                demo_data(2, orders=orders, suppliers=20, region="US", company_code="1710", currency="USD"),
                page_size=40,
            ),
        },
        **settings,
    )


def _connect(name: str, box: ControlledSandbox) -> LiveSource:
    address = sap_s4hana.address({"url": f"https://{name}.example.com"})
    (username, password), *_ = USERS.items()
    source = Source(
        connection_id=f"con_{name}",
        system=sap_s4hana,
        http=in_process_client(box, address),
        auth=BasicLogin(username, password),
        guard=lone_guard(Thresholds(retries=0)),
    )
    return live_source(name, sap_s4hana, source)
