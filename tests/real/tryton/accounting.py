"""Sets up the least of accounting without which Tryton lets no purchase be billed and paid."""

import datetime
from decimal import Decimal
from typing import Any

from tests.real.tryton.administrator import Administrator

YEAR = 2024
CASH, TAX = "1.1.1", "6.3.6"  # numbers of accounts in Tryton's universal chart


def create_accounting(administrator: Administrator, tax: dict[str, Any], terms: list[dict[str, Any]]) -> None:
    """Create accounts, categories (taxed, untaxed, depreciated), the fiscal year and the payment `terms`."""
    company = administrator.id("company.company", "company")
    _create_accounts(administrator, company)
    _create_categories(administrator, tax)
    _create_fiscal_year(administrator, company)
    _create_ways_to_pay(administrator, company, terms)


def _create_accounts(administrator: Administrator, company: int) -> None:
    template = administrator.call("model.ir.model.data.get_id", "account", "account_template_root_en")
    chart = {"account": {"account_template": template, "company": company}}
    administrator.wizard("account.create_chart", [("account", {}), ("create_account", chart)])
    defaults = {
        "default_account_receivable": _account(administrator, "type.receivable", True),
        "default_account_payable": _account(administrator, "type.payable", True),
        "default_category_account_expense": _account(administrator, "type.expense", True),
        "default_category_account_revenue": _account(administrator, "type.revenue", True),
    }
    administrator.call("model.account.configuration.write", [1], defaults)


def _account(administrator: Administrator, field: str, value: str | bool) -> int:
    return administrator.find("account.account", [field, "=", value], ["closed", "!=", True])[0]


def _create_categories(administrator: Administrator, tax: dict[str, Any]) -> None:
    account = _account(administrator, "code", TAX)
    record = {
        "name": tax["name"],
        "description": tax["name"],
        "type": "percentage",
        "rate": Decimal(tax["rate"]),
        "invoice_account": account,
        "credit_note_account": account,
    }
    taxes = administrator.create("account.tax", [record])
    untaxed: dict[str, Any] = {
        "name": "Untaxed goods",
        "accounting": True,
        "account_expense": _account(administrator, "type.expense", True),
        "account_revenue": _account(administrator, "type.revenue", True),
    }
    taxed = untaxed | {"name": "Taxed goods", "supplier_taxes": [["add", taxes]]}
    fixed = _account(administrator, "type.fixed_asset", True)
    depreciated = untaxed | {"name": "Depreciated", "account_asset": fixed, "account_depreciation": fixed}
    codes = ["untaxed", "taxed", "depreciated"]
    administrator.create("product.category", [untaxed, taxed, depreciated], codes)


def _create_fiscal_year(administrator: Administrator, company: int) -> None:
    sequences = [
        {
            "name": f"{kind} {YEAR}",
            "sequence_type": administrator.find("ir.sequence.type", ["name", "=", kind])[0],
            "company": company,
        }
        for kind in ("Account Move", "Invoice")
    ]
    moves, invoices = administrator.create("ir.sequence.strict", sequences)
    documents = ("in_invoice", "in_credit_note", "out_invoice", "out_credit_note")
    numbering = {f"{document}_sequence": invoices for document in documents}
    year = {
        "name": str(YEAR),
        "start_date": datetime.date(YEAR, 1, 1),
        "end_date": datetime.date(YEAR, 12, 31),
        "company": company,
        "move_sequence": moves,
        "invoice_sequences": [["create", [numbering | {"company": company}]]],
    }
    years = administrator.create("account.fiscalyear", [year])
    administrator.call("model.account.fiscalyear.create_period", years)


def _create_ways_to_pay(administrator: Administrator, company: int, terms: list[dict[str, Any]]) -> None:
    cash = _account(administrator, "code", CASH)
    bank = {
        "name": "Bank",
        "company": company,
        "journal": administrator.find("account.journal", ["type", "=", "cash"])[0],
        "credit_account": cash,
        "debit_account": cash,
    }
    administrator.create("account.invoice.payment.method", [bank], ["bank"])
    records = [{"name": term["name"], "lines": [["create", [_all_after(term["days"])]]]} for term in terms]
    administrator.create("account.invoice.payment_term", records, [term["name"] for term in terms])


def _all_after(days: int) -> dict[str, Any]:
    return {"type": "remainder", "relativedeltas": [["create", [{"months": 0, "weeks": 0, "days": days}]]]}
