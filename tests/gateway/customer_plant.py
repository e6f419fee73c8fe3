"""What a customer has added to an S/4HANA and to an Odoo: fields and an object that no connector knows."""

from datetime import date
from decimal import Decimal
from typing import Any

from connectors.sandbox.odata_v2.service import EntitySet, Property, Service
from connectors.sandbox.odoo_json2.models import Field
from tests.gateway.running import RunningGateway

ORDERS = "A_PurchaseOrder"
UPDATE = """
mutation Update($input: UpdateConnectionSettingsInput!) {
  updateConnectionSettings(input: $input) {
    connection {
      id name tags metadata
      settings {
        maxAgeSeconds staleOnError timeoutMs options
        customFields { entity key path label type }
        customObjects { object source label fields }
      }
    }
    errors { __typename code message field remediation }
  }
}
"""
ZONE = {"entity": "PURCHASE_ORDER", "key": "zone", "path": "YY1_Zone"}
PERMITS = {"object": "permits", "source": "YY1_PERMIT_CDS/YY1_PERMIT"}


def add_zone(box: Any) -> None:
    """A key user adds a field to purchase orders; every second order has a value."""
    application = box.application
    orders = application.services["API_PURCHASEORDER_PROCESS_SRV"].entity_sets[ORDERS]
    orders.properties["YY1_Zone"] = Property("YY1_Zone", "Edm.String", max_length=10, label="Explosion zone")
    orders.properties["YY1_Weight"] = Property("YY1_Weight", "Edm.Decimal", precision=15, scale=3)
    orders.properties["YY1_Checked"] = Property("YY1_Checked", "Edm.DateTime", format="Date")
    orders.properties["YY1_Hot"] = Property("YY1_Hot", "Edm.Boolean")
    for place, row in enumerate(application.data[ORDERS]):
        if place % 2 == 0:
            row |= {"YY1_Zone": f"Z{place}", "YY1_Weight": Decimal("12.500"), "YY1_Checked": date(2026, 3, 4)}
            row["YY1_Hot"] = True


def remove_zone(box: Any) -> None:
    """The key user takes it away again."""
    del box.application.services["API_PURCHASEORDER_PROCESS_SRV"].entity_sets[ORDERS].properties["YY1_Zone"]


def add_permits(box: Any, count: int = 5) -> None:
    """A business object of the customer's own: permits, each with some positions."""
    properties = (
        Property("Permit", "Edm.String", max_length=10, required=True),
        Property("Position", "Edm.Int32", required=True),
        Property("Zone", "Edm.String", max_length=2, label="Explosion zone"),
        Property("ValidTo", "Edm.DateTime", format="Date"),
        Property("Load", "Edm.Decimal", precision=13, scale=3),
        Property("Closed", "Edm.Boolean", filterable=False),
    )
    permits = EntitySet(
        name="YY1_PERMIT",
        type="YY1_PERMITType",
        namespace="YY1_PERMIT_CDS",
        key=("Permit", "Position"),
        properties={item.name: item for item in properties},
        navigation={},
    )
    functions = frozenset({"substringof", "startswith", "endswith"})
    service = Service("YY1_PERMIT_CDS", "0001", "YY1_PERMIT_CDS", functions, {permits.name: permits})
    box.application.services[service.name] = service
    box.application.data[permits.name] = [
        {
            "Permit": f"P{number}",
            "Position": position,
            "Zone": str(number % 3),
            "ValidTo": date(2026, 1, number + 1) if position != 2 else None,
            "Load": Decimal(number) + Decimal("0.125"),
            "Closed": position == 1,
        }
        for number in range(count)
        for position in (1, 2, 3)
    ]


def add_to_odoo(box: Any, model: str, name: str, kind: str, **values: Any) -> None:
    """An administrator adds a field to a model; `values` are those of some records, by id."""
    found = box.application.models[model]
    found.fields[name] = Field(name, kind, store=True, searchable=True)
    for row in box.application.data[model]:
        row[name] = values.get(f"of_{row['id']}")


async def update(gateway: RunningGateway, connection_id: str, token: str | None = None, **changes: Any) -> Any:
    """The payload of updateConnectionSettings; settings that are no field of the input go into `settings`."""
    tokens = {} if token is None else {"token": token}
    data = await gateway.data(UPDATE, **tokens, input={"id": connection_id, **changes})
    return data["updateConnectionSettings"]


async def updated(gateway: RunningGateway, connection_id: str, **settings: Any) -> Any:
    """The connection with other settings."""
    payload = await update(gateway, connection_id, settings=settings)
    assert payload["errors"] == []
    return payload["connection"]
