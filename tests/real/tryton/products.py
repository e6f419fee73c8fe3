"""Creates the products of `plant.json` with their categories and identifiers, and who offers them."""

from decimal import Decimal
from typing import Any

from tests.real.tryton.administrator import Administrator


def create_products(administrator: Administrator, plant: dict[str, Any]) -> None:
    """Create the products, and who offers them."""
    units = administrator.call("model.product.uom.search_read", [], 0, None, None, ["name"])
    unit_ids = {unit["name"]: unit["id"] for unit in units}
    administrator.call("model.product.uom.write", [unit_ids["Kilogram"]], {"digits": 3, "rounding": 0.001})
    categories = plant["product_categories"]
    administrator.create("product.category", categories, [item["code"] or item["name"] for item in categories])
    records = [_template(administrator, product, unit_ids[product["unit"]]) for product in plant["products"]]
    templates = administrator.create("product.template", records)
    products = administrator.find("product.product", ["template", "in", templates], order=[["template.id", "ASC"]])
    for product, template, id_ in zip(plant["products"], templates, products, strict=True):
        code = product["code"] or product["name"]
        administrator.remember("product.template", code, template)
        administrator.remember("product.product", code, id_)
    offers = [
        {
            "template": administrator.id("product.template", code),
            "party": administrator.id("party.party", party["code"]),
        }
        for party in plant["parties"]
        for code in party.get("supplies", ())
    ]
    administrator.create("purchase.product_supplier", offers)


def _template(administrator: Administrator, product: dict[str, Any], unit: int) -> dict[str, Any]:
    is_bought = "made" not in product
    variant: dict[str, Any] = {
        "suffix_code": product["code"],
        "cost_price": Decimal(product.get("cost", "0")),
        "identifiers": [["create", product.get("identifiers", [])]],
    }
    category = product.get("category", "taxed" if "taxed" in product else "untaxed")
    groups = [administrator.id("product.category", code) for code in product.get("categories", ())]
    return {
        "name": product["name"],
        "type": product.get("type", "goods"),
        "consumable": "consumable" in product,
        "depreciable": "depreciable" in product,
        "default_uom": unit,
        "purchase_uom": unit if is_bought else None,
        "purchasable": is_bought,
        "producible": not is_bought,
        "list_price": Decimal(product["price"]),
        "cost_price_method": "fixed",
        "account_category": administrator.id("product.category", category),
        "categories": [["add", groups]],
        "products": [["create", [variant]]],
    }


def deactivate_products(administrator: Administrator, products: list[dict[str, Any]]) -> None:
    """Retire the products that are gone."""
    gone = [administrator.id("product.product", product["code"]) for product in products if "gone" in product]
    administrator.call("model.product.product.write", gone, {"active": False})
