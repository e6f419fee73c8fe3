"""The purchases of the demo plant: orders from request to paid, some late, some for what is short or to be mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Literal

from connectors.sandbox.odoo_json2 import Row
from connectors.systems.odoo.demo.company import COMPANY, Tables, planned
from connectors.systems.odoo.demo.products import Product

CENT = Decimal("0.01")
ZERO = Decimal(0)
TAX, TAX_RATE = 1, Decimal("0.2")
BUYERS = (6, 12)
RECEIPTS = 1
TERMS = {1: 0, 2: 15, 4: 30, 5: 45}
"""Days until a bill is due, by payment term."""
REFILLED = 0.7
FIRST_ORDER_DAYS = 400

Fate = Literal["draft", "sent", "to approve", "cancel", "pending", "late", "partial", "full"]
OPEN: tuple[Fate, ...] = ("pending", "late", "partial")
CONFIRMED: tuple[Fate, ...] = (*OPEN, "full")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an order asks a vendor for."""

    vendor: Row
    fate: Fate
    ordered: date
    products: Sequence[tuple[Product, Decimal]]
    origin: str | None = None


class Purchasing:
    """Writes the orders of the plant."""

    def __init__(
        self,
        tables: Tables,
        random: Random,
        vendors: Sequence[Row],
        goods: Sequence[Product],
        services: Sequence[Product],
        jobs: Sequence[Row],
    ) -> None:
        """Buy these goods and services from these vendors, and some of them for these maintenance requests."""
        self.tables = tables
        self.random = random
        self.vendors = vendors
        self.goods = goods
        self.services = services
        self.jobs = [job for job in jobs if job.get("close_date") is None and not job["archive"]]

    def write(self, count: int) -> None:
        """Write orders, oldest first: those that refill the store are among the newest."""
        wishes = [*self._refills(), *(self._some_wish() for _ in range(count))]
        chosen = wishes[:count]
        for number, wish in enumerate(sorted(chosen, key=lambda each: each.ordered), 1):
            self._write_order(number, wish)

    def _refills(self) -> list[Wish]:
        """Order most of what is short from who sells it first."""
        wishes = []
        for product in self.goods:
            if product.is_short and product.sellers and self.random.random() < REFILLED:
                fate = self.random.choice(OPEN)
                ordered = self.tables.today - timedelta(days=self.random.randint(2, 20))
                missing = max(product.maximum - product.on_hand, Decimal(1)).to_integral_value()
                origin = "Replenishment"
                wishes.append(Wish(product.sellers[0], fate, ordered, [(product, missing)], origin))
        return wishes

    def _some_wish(self) -> Wish:
        random = self.random
        vendor = random.choice(self.vendors)
        age = random.choice((random.randint(0, 40), random.randint(0, FIRST_ORDER_DAYS)))
        sold = [product for product in self.goods if any(seller is vendor for seller in product.sellers)]
        pool = sold or self.goods
        products = [
            (product, random.choice(product.good.quantities))
            for product in random.sample(pool, min(len(pool), random.choice((1, 1, 2, 3, 5))))
        ]
        job = random.choice(self.jobs) if self.jobs and age < 20 and random.random() < 0.4 else None
        if not products or random.random() < 0.1:
            service = random.choice(self.services)
            products.append((service, random.choice(service.good.quantities)))
        ordered = self.tables.today - timedelta(days=age)
        return Wish(vendor, self._fate(age), ordered, products, f"Maintenance request {job['id']}" if job else None)

    def _fate(self, age: int) -> Fate:
        if age > 60:
            return self.random.choice(("full",) * 14 + ("cancel", "partial"))
        return self.random.choice(
            ("draft", "sent", "to approve", "cancel", "pending", "pending", "pending", "late", "partial", "full")
        )

    def _write_order(self, number: int, wish: Wish) -> None:
        tables, random = self.tables, self.random
        confirmed = wish.fate in CONFIRMED
        made = tables.at_work(random, wish.ordered)
        due = self._due(wish)
        partner = self._partner(wish.vendor)
        term = wish.vendor["property_supplier_payment_term_id"]
        order = tables.add(
            "purchase.order",
            created=made,
            name=f"P{number:05d}",
            partner_id=partner["id"],
            partner_ref=f"A-{random.randint(10_000, 99_999)}" if confirmed and random.random() < 0.4 else None,
            origin=wish.origin,
            state="purchase" if confirmed else wish.fate,
            priority="1" if random.random() < 0.08 else "0",
            date_order=made,
            date_approve=made if confirmed else None,
            date_planned=due,
            currency_id=tables.currency,
            currency_rate=Decimal(1),
            company_id=COMPANY,
            user_id=random.choice(BUYERS),
            payment_term_id=term,
            incoterm_id=random.choice((None, 1, 2, 10, 12)),
            picking_type_id=RECEIPTS,
            locked=wish.fate == "full" and random.random() < 0.3,
            acknowledged=wish.fate in ("partial", "full"),
            note="<p>Please deliver to the gate of the store.</p>" if random.random() < 0.2 else None,
            invoice_ids=[],
        )
        lines = self._write_lines(order, wish, due)
        arrived = self._arrival(wish, made)
        self._sum_up(order, lines, wish, arrived)
        if any(line["qty_invoiced"] for line in lines):
            self._write_bill(order, lines, arrived or made)
        order["write_date"] = max(made, arrived) if arrived else made

    def _due(self, wish: Wish) -> datetime:
        days = self.random.randint(3, 25)
        day = wish.ordered + timedelta(days=days)
        if wish.fate == "late":
            day = min(day, self.tables.today - timedelta(days=self.random.randint(1, 6)))
        elif wish.fate == "pending":
            day = max(day, self.tables.today + timedelta(days=self.random.randint(1, 15)))
        return planned(self.random, max(day, wish.ordered))

    def _partner(self, vendor: Row) -> Row:
        """Return the vendor, or sometimes one of its desks."""
        desks = [
            row
            for row in self.tables.rows["res.partner"]
            if row.get("parent_id") == vendor["id"] and row["type"] == "contact"
        ]
        return self.random.choice(desks) if desks and self.random.random() < 0.1 else vendor

    def _arrival(self, wish: Wish, made: datetime) -> datetime | None:
        """Return when the first goods came."""
        if wish.fate not in ("partial", "full"):
            return None
        day = min(wish.ordered + timedelta(days=self.random.randint(1, 28)), self.tables.today)
        return max(made, self.tables.at_work(self.random, day))

    def _write_lines(self, order: Row, wish: Wish, due: datetime) -> list[Row]:
        lines = []
        if len(wish.products) > 3:
            self._write_line(order, {"name": "Spare parts", "display_type": "line_section"}, 9)
        for index, (product, quantity) in enumerate(wish.products):
            values = self._amounts(product, quantity, wish, first=index == 0)
            values |= {"name": product.name, "product_id": product.id, "product_uom_id": product.unit}
            values |= {"date_planned": due, "tax_ids": [TAX], "display_type": None}
            lines.append(self._write_line(order, values, 10 + index))
        if self.random.random() < 0.08:
            note = {"name": "Pack every position by itself.", "display_type": "line_note"}
            self._write_line(order, note, 10 + len(lines))
        return lines

    def _write_line(self, order: Row, values: dict[str, Any], sequence: int) -> Row:
        shared = {"order_id": order["id"], "partner_id": order["partner_id"], "company_id": COMPANY}
        return self.tables.add(
            "purchase.order.line", created=order["create_date"], **shared, **values, sequence=sequence
        )

    def _amounts(self, product: Product, quantity: Decimal, wish: Wish, *, first: bool) -> dict[str, Any]:
        random = self.random
        price = (product.price * random.randint(96, 108) / 100).quantize(Decimal("0.0001"))
        discount = Decimal(random.choice((0, 0, 0, 0, 5, 10)))
        net = (quantity * price * (100 - discount) / 100).quantize(CENT)
        total = net + (net * TAX_RATE).quantize(CENT)
        received = self._received(product, quantity, wish, first=first)
        basis = received if product.good.number else quantity
        billed = basis if wish.fate in ("full", "partial") and random.random() < 0.75 else ZERO
        return {
            "product_qty": quantity,
            "product_uom_qty": quantity,
            "price_unit": price,
            "discount": discount,
            "price_subtotal": net,
            "price_total": total,
            "price_tax": float(total) - float(net),
            "qty_received": received,
            "qty_received_method": "stock_moves" if product.good.number else "manual",
            "qty_invoiced": billed,
            "qty_to_invoice": basis - billed if wish.fate in CONFIRMED else ZERO,
        }

    def _received(self, product: Product, quantity: Decimal, wish: Wish, *, first: bool) -> Decimal:
        if wish.fate == "full":
            return quantity
        if wish.fate != "partial" or not product.good.number:
            return ZERO
        if first:
            return Decimal(int(quantity / 2))
        return self.random.choice((ZERO, quantity))

    def _sum_up(self, order: Row, lines: Sequence[Row], wish: Wish, arrived: datetime | None) -> None:
        """Write what the order shows of its lines."""
        net = sum((line["price_subtotal"] for line in lines), ZERO)
        total = sum((line["price_total"] for line in lines), ZERO)
        order |= {"amount_untaxed": net, "amount_tax": total - net, "amount_total": total, "amount_total_cc": total}
        order["invoice_status"] = _invoice_status(lines) if wish.fate in CONFIRMED else "no"
        goods = [line for line in lines if line["qty_received_method"] == "stock_moves"]
        order["receipt_status"] = _receipt_status(goods) if wish.fate in CONFIRMED else None
        order["effective_date"] = arrived if order["receipt_status"] in ("partial", "full") else None

    def _write_bill(self, order: Row, lines: Sequence[Row], after: datetime) -> None:
        """Write the vendor's bill of what is billed: paid, due, or overdue."""
        net = sum(
            (
                (line["price_subtotal"] * line["qty_invoiced"] / line["product_qty"]).quantize(CENT)
                for line in lines
                if line["product_qty"]
            ),
            ZERO,
        )
        total = net + (net * TAX_RATE).quantize(CENT)
        billed = min(after.date() + timedelta(days=self.random.randint(0, 9)), self.tables.today)
        due = billed + timedelta(days=TERMS[order["payment_term_id"]])
        paid = due < self.tables.today and self.random.random() < 0.85
        bill = self.tables.add(
            "account.move",
            created=max(after, self.tables.at_work(self.random, billed)),
            name=f"BILL/{billed:%Y}/{billed:%m}/{len(self.tables.rows.get('account.move', ())) + 1:04d}",
            ref=f"R{self.random.randint(100_000, 999_999)}",
            move_type="in_invoice",
            state="posted",
            payment_state="paid" if paid else "not_paid",
            date=billed,
            invoice_date=billed,
            invoice_date_due=due,
            amount_untaxed=net,
            amount_total=total,
            amount_residual=ZERO if paid else total,
            currency_id=order["currency_id"],
            partner_id=order["partner_id"],
            company_id=COMPANY,
        )
        order |= {"invoice_ids": [bill["id"]], "invoice_count": 1}


def _invoice_status(lines: Sequence[Row]) -> str:
    if any(line["qty_to_invoice"] for line in lines):
        return "to invoice"
    return "invoiced" if any(line["qty_invoiced"] for line in lines) else "no"


def _receipt_status(goods: Sequence[Row]) -> str | None:
    if not goods:
        return None
    if all(line["qty_received"] >= line["product_qty"] for line in goods):
        return "full"
    return "partial" if any(line["qty_received"] for line in goods) else "pending"
