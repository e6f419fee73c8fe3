"""What is asked: five queries over connections of different sizes, the same for every contender."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """A query and how often to ask it in one round; `connections` are the names of those that it asks."""

    name: str
    about: str
    query: str
    connections: tuple[str, ...]
    requests: int


SIZES: Mapping[str, int] = {
    "hundred": 100,
    **{f"large{number}": 200 for number in range(5)},
    **{f"small{number}": 25 for number in range(8)},
}
"""Every connection by name, and how many orders it has."""

_EIGHT = "number title status orderDate requiredDate updatedAt currency reference"
_SIX = "number title status orderDate updatedAt currency"
_TWELVE = f"{_EIGHT} sourceStatus vendorName memo incoterm"
_LARGE = tuple(f"large{number}" for number in range(5))
_SMALL = tuple(f"small{number}" for number in range(8))


def _orders(count: int, fields: str, variable: str = "ids") -> str:
    return f"purchaseOrders(first: {count}, connectionIds: ${variable}) {{ nodes {{ {fields} }} }}"


WORKLOADS = (
    Workload(
        "W1",
        "100 rows, 8 fields",
        f"query W1($ids: [ID!]!) {{ {_orders(100, _EIGHT)} }}",
        ("hundred",),
        300,
    ),
    Workload(
        "W2",
        "100 rows, 6 fields, 20 vendors joined",
        f"query W2($ids: [ID!]!) {{ {_orders(100, _SIX + ' vendor { remoteId name email }')} }}",
        ("hundred",),
        200,
    ),
    Workload(
        "W3",
        "1,000 rows in five pages of 200, 12 fields",
        "query W3({}) {{ {} }}".format(
            ", ".join(f"$ids{index}: [ID!]!" for index in range(5)),
            " ".join(f"page{index}: {_orders(200, _TWELVE, f'ids{index}')}" for index in range(5)),
        ),
        _LARGE,
        40,
    ),
    Workload(
        "W4",
        "8 connections of 25 rows in one list, 8 fields",
        f"query W4($ids: [ID!]!) {{ {_orders(200, _EIGHT)} }}",
        _SMALL,
        80,
    ),
    Workload("W5", "no rows", "{ __typename }", (), 1_500),
)


def variables(workload: Workload, ids: Mapping[str, str]) -> dict[str, list[str]]:
    """The variables of a query; `ids` are those of the connections by name."""
    chosen = [ids[name] for name in workload.connections]
    if "$ids0" in workload.query:
        return {f"ids{index}": [connection] for index, connection in enumerate(chosen)}
    return {"ids": chosen} if chosen else {}
