"""Arguments that were left out: strawberry tells them from null, and most of ours do not mind."""

from typing import Any

import strawberry


def given(value: Any) -> Any:
    """The value of an argument, with null in the place of one that was left out."""
    return None if value is strawberry.UNSET else value
