"""Fills a fresh Odoo with the plant of `plant.json`, through Odoo's own methods and workflow."""

import json
from pathlib import Path
from typing import Any

from tests.real.odoo.administrator import Administrator
from tests.real.odoo.purchases import create_purchases
from tests.real.odoo.stock import create_stock
from tests.real.odoo.wire import Client


def _read(name: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


PLANT: dict[str, Any] = _read("plant.json")
PURCHASES: list[dict[str, Any]] = _read("purchases.json")
MAINTENANCE: dict[str, Any] = _read("maintenance.json")


def seed(client: Client, keys: dict[str, str]) -> None:
    """Create everything that the plant's files name; `keys` are the keys of the users, who exist already."""
    administrator = Administrator(client, keys["admin"])
    administrator.know(PLANT["known"])
    switch_features_on(administrator)
    create_records(administrator, PLANT["records"])
    create_hoses(administrator)
    admit_users(administrator)
    create_stock(administrator, PLANT)
    create_purchases(administrator, Administrator(client, keys["buyer"]), PURCHASES)
    administrator.know(MAINTENANCE["known"])
    create_records(administrator, MAINTENANCE["records"])
    archive(administrator)


def switch_features_on(administrator: Administrator) -> None:
    """Choose currencies, precision and features, before any record depends on them."""
    models = {name: model for name, (model, _) in PLANT["known"].items()}
    for name, values in PLANT["changes"]:
        administrator.write(models[name.removeprefix("@")], [administrator.id(name)], **values)
    settings = administrator.create("res.config.settings", [PLANT["features"]])
    administrator.call("res.config.settings", "execute", ids=settings)


def create_records(administrator: Administrator, records: dict[str, list[dict[str, Any]]]) -> None:
    """Create records model by model, in the order given."""
    for model, values in records.items():
        administrator.create(model, values)


def create_hoses(administrator: Administrator) -> None:
    """Create the one product that comes in two lengths, each with a code and a name of its own."""
    hoses = dict(PLANT["hoses"])
    codes = hoses.pop("codes")
    length = administrator.id("@Length")
    lengths = administrator.find("product.attribute.value", ["attribute_id", "=", length])
    line = {"attribute_id": length, "value_ids": [[6, 0, lengths]]}
    values = administrator.values(hoses) | {"attribute_line_ids": [[0, 0, line]]}
    templates = administrator.call("product.template", "create", vals_list=[values])
    for code, id_ in zip(
        codes, administrator.find("product.product", ["product_tmpl_id", "in", templates]), strict=True
    ):
        administrator.write("product.product", [id_], default_code=code, standard_price=hoses["standard_price"])
        administrator.remember(code, id_)


def admit_users(administrator: Administrator) -> None:
    """Give the users their groups and companies; one group reads everything and changes nothing."""
    reader = PLANT["reader"]
    (group,) = administrator.create("res.groups", [{"name": reader["group"]}])
    administrator.write("res.groups", [group], implied_ids=[administrator.group("base.group_user")])
    readable = [*reader["models"], *reader["all_rows_of"]]
    models = {model: administrator.find("ir.model", ["model", "=", model])[0] for model in readable}
    rights = [
        {"name": f"read {model}", "model_id": id_, "group_id": group, "perm_read": True}
        for model, id_ in models.items()
    ]
    administrator.create("ir.model.access", rights)
    rules = [
        {"name": f"all of {model}", "model_id": models[model], "groups": [group], "domain_force": "[(1, '=', 1)]"}
        for model in reader["all_rows_of"]
    ]
    administrator.create("ir.rule", rules)
    for user in PLANT["users"]:
        (id_,) = administrator.find("res.users", ["login", "=", user["login"]])
        administrator.remember(user["login"], id_)
        named = [group if name == reader["group"] else administrator.group(name) for name in user["groups"]]
        groups = [administrator.group("base.group_user"), *named]
        companies = [administrator.id(name) for name in user["companies"]]
        administrator.write("res.users", [id_], group_ids=groups, company_ids=companies)


def archive(administrator: Administrator) -> None:
    """Put away what is no longer in use; what names it keeps naming it."""
    for model, name in (*PLANT["archived"], *MAINTENANCE["archived"]):
        administrator.write(model, [administrator.id(name)], active=False)
