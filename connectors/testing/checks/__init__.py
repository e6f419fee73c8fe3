"""The checks, by what they are about; importing this package fills the registry."""

from connectors.testing.checks import (
    exactness,
    facts,
    filters,
    gaps,
    keys,
    paging,
    requests,
    rows,
    secrets,
    sorting,
    totals,
    troubles,
)

__all__ = [
    "exactness",
    "facts",
    "filters",
    "gaps",
    "keys",
    "paging",
    "requests",
    "rows",
    "secrets",
    "sorting",
    "totals",
    "troubles",
]
