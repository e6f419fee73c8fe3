"""The rows that the source sends: purchase orders of 25 fields, about 630 bytes each, and the vendors they name."""

from typing import Any

VENDORS = 20


def order(number: int) -> dict[str, Any]:
    """One purchase order, the same every time."""
    vendor = number % VENDORS + 1
    return {
        "id": number,
        "number": f"PO-{number:07d}",
        "title": f"Spare parts for line {number % 12}, quarter {number % 4 + 1}",
        "state": "DIC"[number % 3],
        "vendorId": vendor,
        "vendorName": f"Vendor {vendor} of rotating machinery",
        "ordered": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "needed": f"2026-{number % 12 + 1:02d}-{(number + 9) % 28 + 1:02d}",
        "created": f"2026-01-{number % 28 + 1:02d}T08:{number % 60:02d}:00Z",
        "changed": f"2026-10-{number % 28 + 1:02d}T09:{number % 60:02d}:30Z",
        "currency": "EUR" if number % 2 else "USD",
        "total": f"{number * 37 % 90_000}.{number % 100:02d}",
        "note": f"Deliver to gate {number % 9}, before noon" if number % 5 else None,
        "reference": f"REQ-{number * 13 % 100_000}",
        "incoterm": "DAP",
        "buyer": f"buyer{number % 7}",
        "plant": f"P{number % 4}",
        "company": "1000",
        "group": f"G{number % 30:02d}",
        "paymentTerms": "0030",
        "language": "EN",
        "exchangeRate": "1.00000",
        "releaseState": "released",
        "revision": number % 3,
        "isDeleted": False,
    }


def vendor(number: int) -> dict[str, Any]:
    """One vendor."""
    return {
        "id": number,
        "number": f"V-{number:04d}",
        "name": f"Vendor {number} of rotating machinery",
        "state": "A" if number % 9 else "B",
        "email": f"orders@vendor{number}.example",
    }


def page(first: int, count: int) -> list[dict[str, Any]]:
    """Orders from a number on."""
    return [order(number) for number in range(first, first + count)]


def vendors() -> list[dict[str, Any]]:
    """All vendors."""
    return [vendor(number) for number in range(1, VENDORS + 1)]
