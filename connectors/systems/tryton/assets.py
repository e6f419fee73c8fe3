"""Fixed assets as the books have them; they say what a thing cost and whether it is written off, not how it runs."""

from connectors.composites import money
from connectors.decisions import Codes
from connectors.fields import At, Can, Ref
from connectors.keys import NUMBER
from connectors.spec import Resource
from connectors.systems.tryton.words import company, searched, stamp, text
from schema.assets import Asset, AssetStatus

assets = Resource(
    entity=Asset,
    source="account.asset",
    key="id",
    key_form=NUMBER,
    title="name",
    fields={
        "number": text("number"),
        "name": searched("product.name"),
        # A draft may be in use, and so may what is closed; that closed ones are off the books is all that is known.
        "status": Codes("state", {"closed": AssetStatus.INACTIVE}, filter=Can.EQ),
        "sourceStatus": At("state", filter=Can.EQ, required=True),
        "createdAt": stamp("create_date"),
        "updatedAt": stamp("last_modified_at"),
        "organization": company(),
        "vendor": Ref("supplier_invoice_line.invoice.party", form=NUMBER, filter=Can.EQ),
        "purchaseDate": At("purchase_date"),
        "purchasePrice": money("value", "currency.code"),
    },
    unsupported=(
        "kind",
        "sourceType",
        "isDeleted",
        "criticality",
        "sourceCriticality",
        "parent",
        "location",
        "manufacturer",
        "model",
        "serialNumber",
        "installedDate",
        "commissionedDate",
        "decommissionedDate",
        "warrantyEndDate",
    ),
    unmapped=("assetClass", "attributes", "costCenter", "description", "partNumber"),
)
