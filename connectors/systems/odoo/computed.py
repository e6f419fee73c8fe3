"""The fields that Odoo works out when they are read, as far as the sandbox knows how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.sandbox.odoo_json2 import Compute, Environment, Row

__all__ = ["COMPUTED"]

ZERO = Decimal(0)
QUANT, LOCATION, LINE, ORDERPOINT = "stock.quant", "stock.location", "purchase.order.line", "stock.warehouse.orderpoint"


def on_hand(environment: Environment, product: Row) -> Decimal:
    """Count what is there, by the context's location or warehouse; without it in the warehouses only."""
    return sum((_number(row, "quantity") for row in _quants(environment, product)), ZERO)


def free(environment: Environment, product: Row) -> Decimal:
    """Count what is there and reserved for nothing."""
    quants = _quants(environment, product)
    return sum((_number(row, "quantity") - _number(row, "reserved_quantity") for row in quants), ZERO)


def incoming(environment: Environment, product: Row) -> Decimal:
    """Count what confirmed orders will still bring, in the product's unit."""
    orders = environment.table("purchase.order")
    lines = environment.pointing(LINE, "product_id").get(product["id"], ())
    return sum((_open(line) for line in lines if orders[line["order_id"]].get("receipt_status") in OPEN), ZERO)


OPEN = ("pending", "partial")


def _open(line: Row) -> Decimal:
    ordered, received = _number(line, "product_qty"), _number(line, "qty_received")
    if not ordered or received >= ordered:
        return ZERO
    in_unit = _number(line, "product_uom_qty") or ordered
    return (ordered - received) * in_unit / ordered


def forecast(environment: Environment, product: Row) -> Decimal:
    """Count what will be there when everything has come."""
    return on_hand(environment, product) + incoming(environment, product)


def _quants(environment: Environment, product: Row) -> Iterator[Row]:
    places = environment.keep("places of stock", lambda: _places(environment))
    for row in environment.pointing(QUANT, "product_id").get(product["id"], ()):
        if row["location_id"] in places:
            yield row


def _places(environment: Environment) -> frozenset[int]:
    """Return the locations that quantities count: with what lies below them, internal and transit."""
    table = environment.table(LOCATION)
    if "location" in environment.context:
        said = environment.context["location"]
        roots = {said} if isinstance(said, int) else set(said)
    else:
        warehouse = environment.context.get("warehouse_id")
        rows = [row for row in environment.rows("stock.warehouse") if warehouse in (None, row["id"])]
        roots = {row["view_location_id"] for row in rows}
    return frozenset(
        number
        for number, row in table.items()
        if row.get("usage") in ("internal", "transit") and not roots.isdisjoint(_line(table, number))
    )


def _line(table: Mapping[int, Row], number: int | None) -> Iterator[int]:
    while number:
        yield number
        number = table[number].get("location_id")


def parent_path(environment: Environment, location: Row) -> str:
    """Name a location by the keys of all that it lies in, from the top, and its own."""
    keys = [*_line(environment.table(LOCATION), location["id"])]
    return "".join(f"{key}/" for key in reversed(keys))


def of_variants(compute: Compute) -> Compute:
    """Add up over the variants of a template."""

    def total(environment: Environment, template: Row) -> Any:
        variants = environment.pointing("product.product", "product_tmpl_id").get(template["id"], ())
        return sum((compute(environment, variant) for variant in variants), ZERO)

    return total


def rules_total(name: str) -> Compute:
    """Add up a quantity over the reordering rules of a product."""

    def total(environment: Environment, product: Row) -> Any:
        return sum((_number(rule, name) for rule in _rules(environment, product)), ZERO)

    return total


def _rules(environment: Environment, product: Row) -> Sequence[Row]:
    return environment.pointing(ORDERPOINT, "product_id").get(product["id"], ())


def company_currency(environment: Environment, row: Row) -> Any:
    """Return the currency of the current company."""
    companies = environment.context.get("allowed_company_ids") or [min(environment.table("res.company"))]
    return environment.table("res.company")[companies[0]]["currency_id"]


def is_late(environment: Environment, order: Row) -> bool:
    """Whether an order should be here and is not."""
    planned = order.get("date_planned")
    if planned is None or order.get("receipt_status") not in OPEN:
        return False
    return bool(_aware(planned) < datetime.now(UTC))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def discounted(environment: Environment, line: Row) -> float:
    """Return the price less its discount, with the noise of binary numbers that Odoo shows too."""
    return float(_number(line, "price_unit")) * (1 - float(_number(line, "discount")) / 100)


def available(environment: Environment, quant: Row) -> Decimal:
    """Return what of a quant is not reserved."""
    return _number(quant, "quantity") - _number(quant, "reserved_quantity")


def rule_on_hand(environment: Environment, rule: Row) -> Decimal:
    """Count what is there below the location of a reordering rule."""
    return on_hand(_there(environment, rule), _product(environment, rule))


def rule_forecast(environment: Environment, rule: Row) -> Decimal:
    """Count what will be there."""
    return forecast(_there(environment, rule), _product(environment, rule))


def to_order(environment: Environment, rule: Row) -> Decimal:
    """Say what should be ordered: up to the maximum once the forecast falls below the minimum."""
    expected = rule_forecast(environment, rule)
    if expected >= _number(rule, "product_min_qty"):
        return ZERO
    return max(_number(rule, "product_max_qty"), _number(rule, "product_min_qty")) - expected


def _there(environment: Environment, rule: Row) -> Environment:
    location = rule["location_id"]
    return environment.keep(("at", location), lambda: environment.with_context({"location": location}))


def _product(environment: Environment, row: Row) -> Row:
    return environment.table("product.product")[row["product_id"]]


def state_name(environment: Environment, state: Row) -> str:
    """Name a part of a country with the country's code."""
    return f"{state['name']} ({environment.table('res.country')[state['country_id']]['code']})"


def _number(row: Row, name: str) -> Decimal:
    return Decimal(row.get(name) or 0)


COMPUTED: Mapping[str, Mapping[str, Compute]] = {
    "product.product": {
        "qty_available": on_hand,
        "free_qty": free,
        "incoming_qty": incoming,
        "outgoing_qty": lambda environment, row: ZERO,
        "virtual_available": forecast,
        "reordering_min_qty": rules_total("product_min_qty"),
        "reordering_max_qty": rules_total("product_max_qty"),
        "nbr_reordering_rules": lambda environment, row: len(_rules(environment, row)),
        "code": lambda environment, row: row.get("default_code"),
        "currency_id": company_currency,
        "cost_currency_id": company_currency,
        "company_currency_id": company_currency,
        "avg_cost": lambda environment, row: _number(row, "standard_price"),
        "total_value": lambda environment, row: _number(row, "standard_price") * on_hand(environment, row),
    },
    "product.template": {
        "qty_available": of_variants(on_hand),
        "incoming_qty": of_variants(incoming),
        "virtual_available": of_variants(forecast),
        "currency_id": company_currency,
        "cost_currency_id": company_currency,
    },
    "purchase.order": {"is_late": is_late},
    "purchase.order.line": {"price_unit_discounted": discounted},
    "stock.quant": {
        "available_quantity": available,
        "value": lambda environment, row: (
            _number(row, "quantity") * _number(_product(environment, row), "standard_price")
        ),
    },
    LOCATION: {"parent_path": parent_path},
    ORDERPOINT: {"qty_on_hand": rule_on_hand, "qty_forecast": rule_forecast, "qty_to_order": to_order},
    "res.country.state": {"display_name": state_name},
    "res.partner": {
        "company_type": lambda environment, row: "company" if row.get("is_company") else "person",
        "currency_id": company_currency,
    },
}
