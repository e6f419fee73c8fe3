"""Fills a fresh Tryton with the plant of `plant.json`, through Tryton's own methods and workflow."""

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.real.tryton.accounting import YEAR, create_accounting
from tests.real.tryton.administrator import ADMINISTRATOR, Administrator
from tests.real.tryton.assets import create_assets
from tests.real.tryton.production import create_productions
from tests.real.tryton.products import create_products, deactivate_products
from tests.real.tryton.purchases import create_purchases
from tests.real.tryton.stock import create_stock
from tests.real.tryton.wire import Client

PLANT: dict[str, Any] = json.loads(Path(__file__).with_name("plant.json").read_text(encoding="utf-8"))


def seed(database_url: str) -> None:
    """Create everything in `plant.json`, in the order in which a person would have to."""
    administrator = Administrator(Client(database_url))
    create_countries_and_currencies(administrator)
    create_parties(administrator)
    create_company(administrator)
    create_accounting(administrator, PLANT["tax"], PLANT["payment_terms"])
    agree_terms(administrator)
    create_products(administrator, PLANT)
    create_purchases(administrator, PLANT["purchases"])
    create_stock(administrator, PLANT)
    create_productions(administrator, PLANT)
    create_assets(administrator, PLANT["assets"])
    deactivate_products(administrator, PLANT["products"])
    deactivate_parties(administrator)
    create_users(administrator)


def create_countries_and_currencies(administrator: Administrator) -> None:
    """Create the places and currencies that addresses and orders name."""
    countries = PLANT["countries"]
    administrator.create("country.country", countries, [country["code"] for country in countries])
    subdivisions = [
        place | {"country": administrator.id("country.country", place["country"])} for place in PLANT["subdivisions"]
    ]
    administrator.create("country.subdivision", subdivisions, [place["code"] for place in subdivisions])
    currencies = [
        {
            "code": currency["code"],
            "name": currency["name"],
            "symbol": currency["symbol"],
            "digits": currency["digits"],
            "rounding": Decimal(currency["rounding"]),
            "rates": [["create", [{"date": datetime.date(YEAR, 1, 1), "rate": Decimal(currency["rate"])}]]],
        }
        for currency in PLANT["currencies"]
    ]
    administrator.create("currency.currency", currencies, [currency["code"] for currency in currencies])


def create_parties(administrator: Administrator) -> None:
    """Create the vendors and the other parties, with addresses, ways to reach them and tax numbers."""
    parties = PLANT["parties"]
    administrator.create(
        "party.party", [_party(administrator, party) for party in parties], [party["code"] for party in parties]
    )


def _party(administrator: Administrator, party: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"name": party["name"]}
    if party["code"]:
        record["code"] = party["code"]
    if address := party.get("address"):
        places = {"country": "country.country", "subdivision": "country.subdivision"}
        ids = {name: administrator.id(model, address[name]) for name, model in places.items() if name in address}
        record["addresses"] = [["create", [address | ids]]]
    kinds = ("email", "phone", "mobile", "website")
    record["contact_mechanisms"] = [
        ["create", [{"type": kind, "value": party[kind]} for kind in kinds if kind in party]]
    ]
    if identifier := party.get("identifier"):
        record["identifiers"] = [["create", [identifier]]]
    return record


def deactivate_parties(administrator: Administrator) -> None:
    """Retire the parties that are gone; they keep their purchases."""
    gone = [administrator.id("party.party", party["code"]) for party in PLANT["parties"] if "gone" in party]
    administrator.call("model.party.party.write", gone, {"active": False})


def create_company(administrator: Administrator) -> None:
    """Create the company that buys; from here on the administrator works for it."""
    company = {
        "party": administrator.id("party.party", PLANT["company"]),
        "currency": administrator.id("currency.currency", "EUR"),
        "timezone": "Europe/Berlin",
    }
    company_id = administrator.create("company.company", [company], ["company"])[0]
    administrator.context = {"company": company_id}
    _allow_company(administrator, administrator.find("res.user", ["login", "=", ADMINISTRATOR[0]]))


def _allow_company(administrator: Administrator, users: list[int]) -> None:
    company = administrator.id("company.company", "company")
    administrator.call("model.res.user.write", users, {"companies": [["add", [company]]], "company": company})


def agree_terms(administrator: Administrator) -> None:
    """Note the standing terms of vendors; these belong to the company and so come after it."""
    for party in PLANT["parties"]:
        if terms := party.get("terms"):
            agreed = {
                "supplier_payment_term": administrator.id("account.invoice.payment_term", terms["payment"]),
                "supplier_currency": administrator.id("currency.currency", terms["currency"]),
                "supplier_lead_time": datetime.timedelta(days=terms["lead_days"]),
            }
            administrator.call("model.party.party.write", [administrator.id("party.party", party["code"])], agreed)


def create_users(administrator: Administrator) -> None:
    """Create the people, each for the company and with their groups' rights."""
    users = [
        {
            "login": user["login"],
            "name": user["name"],
            "password": user["password"],
            "groups": [["add", administrator.find("res.group", ["name", "in", user["groups"]])]],
        }
        for user in PLANT["users"]
    ]
    _allow_company(administrator, administrator.create("res.user", users))
