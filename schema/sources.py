"""What each source answered: one outcome per connection, with every call counted."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from schema.enums import enumeration
from schema.errors import Problem
from schema.model import described_type, entity_of
from schema.pages import page_type
from schema.records import ServedFrom

if TYPE_CHECKING:
    from schema.connections import ConnectedSystem


@enumeration
class SourceStatus(Enum):
    """How a source answered."""

    OK = "It answered in full."
    STALE = "An older answer stands in for it."
    PARTIAL = "It answered in part."
    TIMED_OUT = "It did not answer in time."
    SKIPPED_CIRCUIT_OPEN = "It was not asked, because it has been failing."
    UNSUPPORTED = "The system has no such records, or cannot answer in this way."
    REAUTHORIZATION_REQUIRED = "Its credentials no longer work."
    PERMISSION_DENIED = "Its user may not read these records."
    RATE_LIMITED = "It has had too many calls."
    ERROR = "It failed in another way."


@enumeration
class PagingGuarantee(Enum):
    """How surely paging gives each row of a source once."""

    KEYSET = "Continues after the last row's key: rows that do not change come exactly once."
    TOKEN = "Continues where the system said: exactly once while its token lives."  # noqa: S105 - a word
    OFFSET = "Counts rows: rows that are added or removed meanwhile may be missed or come twice."


@enumeration
class SourceCallPurpose(Enum):
    """What a call to a source was for."""

    ROWS = "The rows of the list."
    LINK = "Records that the rows point to."


@described_type
class SourceCall:
    """One kind of call that was made to a source."""

    purpose: SourceCallPurpose = strawberry.field(description="What it was for.")
    path: str = strawberry.field(description="The field that needed it, such as nodes.vendor.")
    requests: int = strawberry.field(description="How many requests it took.")
    status: SourceStatus = strawberry.field(description="How it went.")
    error: Problem | None = strawberry.field(default=None, description="What went wrong.")


@described_type
class SourceOutcome:
    """What one source answered."""

    connection: Annotated["ConnectedSystem", strawberry.lazy("schema.connections")] = strawberry.field(
        description="The source."
    )
    status: SourceStatus = strawberry.field(default=SourceStatus.OK, description="How it went.")
    count: int = strawberry.field(default=0, description="How many rows of this page come from it.")
    duration_ms: int = strawberry.field(default=0, description="How long it took.")
    upstream_calls: int = strawberry.field(default=0, description="How many calls were made to it.")
    served_from: ServedFrom | None = strawberry.field(default=None, description="Where its rows came from.")
    fetched_at: datetime | None = strawberry.field(default=None, description="When its rows were read from the system.")
    filtered_here: list[str] = strawberry.field(
        default_factory=list,
        description="Filters that the system could not apply and that were applied here.",
    )
    truncated: bool = strawberry.field(
        default=False, description="Whether rows may be missing because a limit was reached."
    )
    paging: PagingGuarantee = strawberry.field(
        default=PagingGuarantee.KEYSET, description="How surely paging gives each row once."
    )
    calls: list[SourceCall] = strawberry.field(
        default_factory=list, description="The calls in detail: the rows themselves and linked records."
    )
    error: Problem | None = strawberry.field(default=None, description="What went wrong.")


def page_of(cls: type[Any]) -> type[Any]:
    """The connection type of an entity's class, such as PurchaseOrderConnection, with its sources."""
    return page_type(cls, entity_of(cls).plural, SourcedPage)  # type: ignore[arg-type] # a class is hashable


@described_type
class SourcedPage:
    """What pages over several sources have beside their rows."""

    is_complete: bool = strawberry.field(
        default=True,
        description="True when every source that has this kind of record answered this page in full.",
    )
    sources: list[SourceOutcome] = strawberry.field(default_factory=list, description="What each source answered.")
