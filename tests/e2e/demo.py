"""The demo as scripts see it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.processes import Client, Program, SandboxControl

ADMIN = "an-admin-token-of-sixteen-or-more"
ORDERS = "API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder"
SUPPLIERS = "API_BUSINESS_PARTNER/A_Supplier"


@dataclass
class Demo:
    """The demo as scripts see it: what it wrote down, a client for each key, the control side of each sandbox."""

    program: Program
    url: str
    notes_file: Path
    notes: dict[str, Any]
    admin: Client
    customers: list[Client]
    sandboxes: dict[str, SandboxControl]

    def connection_id(self, name: str) -> str:
        """The id of a connection by its name."""
        return str(self.sandboxes[name].connection["id"])

    @property
    def first(self) -> Client:
        """The customer with two systems, sap-eu and sap-us."""
        return self.customers[0]

    @property
    def second(self) -> Client:
        """The customer with one system, sap-mills."""
        return self.customers[1]
