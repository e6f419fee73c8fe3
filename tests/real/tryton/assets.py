"""Creates the fixed assets of `plant.json`, from those that are still drafts to those that are closed."""

import datetime
from decimal import Decimal
from typing import Any

from tests.real.tryton.administrator import Administrator

CLOSED_ON = datetime.date(2024, 5, 31)
YEARS = 10


def create_assets(administrator: Administrator, assets: list[dict[str, Any]]) -> None:
    """Create `assets`; running ones are depreciated by the year, closed ones are off the books."""
    ids = administrator.create("account.asset", [_record(administrator, asset) for asset in assets])
    begun = [id_ for id_, asset in zip(ids, assets, strict=True) if asset["until"] != "draft"]
    administrator.call("model.account.asset.run", begun)
    closed = [id_ for id_, asset in zip(ids, assets, strict=True) if asset["until"] == "closed"]
    administrator.call("model.account.asset.close", closed, None, CLOSED_ON)


def _billed(administrator: Administrator, product: int) -> int:
    """The line of the bill on which a product was bought."""
    return administrator.find("account.invoice.line", ["product", "=", product], ["invoice.type", "=", "in"])[0]


def _record(administrator: Administrator, asset: dict[str, Any]) -> dict[str, Any]:
    bought = datetime.date.fromisoformat(asset["bought"])
    product = administrator.id("product.product", asset["product"])
    return {
        "product": product,
        "supplier_invoice_line": _billed(administrator, product) if "billed" in asset else None,
        "account_journal": administrator.find("account.journal", ["type", "=", "asset"])[0],
        "quantity": 1.0,
        "value": Decimal(asset["value"]),
        "depreciated_amount": Decimal(asset.get("depreciated", "0")),
        "residual_value": Decimal(0),
        "purchase_date": bought,
        "start_date": bought,
        "end_date": bought.replace(year=bought.year + YEARS),
        "frequency": "yearly",
    }
