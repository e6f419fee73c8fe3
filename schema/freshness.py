"""How old an answer may be: what clients say, and what follows where they say nothing."""

from dataclasses import dataclass
from typing import Any

import strawberry

from schema.absent import given
from schema.errors import ErrorCode, failure
from schema.model import described_input


@described_input
class FreshnessInput:
    """How old an answer may be."""

    max_age_seconds: int | None = strawberry.field(
        default=strawberry.UNSET, description="The greatest age; 0 reads live."
    )
    stale_on_error: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether an older answer may stand in for a system that does not answer."
    )


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old an answer may be; None leaves it to whoever is asked next: the connection, and then nobody reads old."""

    max_age_seconds: int | None = None
    stale_on_error: bool | None = None

    def otherwise(self, other: "Freshness") -> "Freshness":
        """The same, and what it leaves open as the other has it."""
        return Freshness(
            other.max_age_seconds if self.max_age_seconds is None else self.max_age_seconds,
            other.stale_on_error if self.stale_on_error is None else self.stale_on_error,
        )

    @property
    def max_age(self) -> int:
        """The greatest age in seconds; 0 reads live."""
        return self.max_age_seconds or 0

    @property
    def accepts_stale(self) -> bool:
        """Whether an older answer may stand in for a system that does not answer."""
        return bool(self.stale_on_error)


UNSAID = Freshness()


def parse(value: Any) -> Freshness:
    """Read the argument `freshness`; a negative age is VALIDATION_FAILED."""
    asked = given(value)
    if asked is None:
        return UNSAID
    max_age, stale_on_error = given(asked.max_age_seconds), given(asked.stale_on_error)
    if max_age is not None and max_age < 0:
        raise failure(
            ErrorCode.VALIDATION_FAILED,
            f"`freshness.maxAgeSeconds` must be 0 (read live) or more, not {max_age}.",
            field="freshness.maxAgeSeconds",
        )
    return Freshness(max_age, stale_on_error)
