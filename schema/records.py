"""What every record shares: identity, origin, and an honest account of what is missing in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from schema.absent import given
from schema.custom import CustomField
from schema.enums import enumeration
from schema.errors import ErrorCode, failure
from schema.model import as_asked, described_interface, described_type, field
from schema.scalars import JSON
from schema.values import Organization

if TYPE_CHECKING:
    from schema.connections import ConnectedSystem


@enumeration
class ServedFrom(Enum):
    """Where an answer came from."""

    LIVE = "Read from the system for this request."
    CACHE = "Read from the system a short time ago."
    STALE = "Older than was asked for, because the system did not answer."


@dataclass(frozen=True, slots=True)
class Served:
    """Where something that was not read for this request came from, and when it was read from the system."""

    source: ServedFrom
    fetched_at: datetime


def weaker(one: Served | None, other: Served | None) -> Served | None:
    """What can be said of two things together: the weaker source and the older time; None is read live."""
    if one is None or other is None:
        return one or other
    is_stale = ServedFrom.STALE in (one.source, other.source)
    source = ServedFrom.STALE if is_stale else ServedFrom.CACHE
    return Served(source, min(one.fetched_at, other.fetched_at))


@enumeration
class FieldGapReason(Enum):
    """Why a field is null."""

    NOT_SUPPORTED_BY_SYSTEM = "The system has no such field."
    NOT_MAPPED = "The system may have it, but it is not mapped yet."
    NOT_PERMITTED = "The connection's user may not read it."
    EMPTY_AT_SOURCE = "The field is empty in the system."
    REDACTED = "It was held back on purpose."
    SOURCE_ERROR = "The call that would have read it failed."
    UNPARSABLE = "The system sent something that could not be understood."


@described_type
class FieldGap:
    """Why a field has no value."""

    path: str = strawberry.field(description="The field, from the record on, such as lines.item.")
    reason: FieldGapReason = strawberry.field(description="Why it is null.")


Paths = Annotated[
    list[str] | None,
    strawberry.argument(description="Only gaps under these paths; by default all that the query selects."),
]


@described_type
class RecordMeta:
    """Where the answer came from and what is missing in it."""

    source: ServedFrom = strawberry.field(description="Whether it was read live or comes from the cache.")
    fetched_at: datetime = strawberry.field(description="When it was read from the system.")
    find_gaps: strawberry.Private[Callable[[], Sequence[FieldGap]]]

    @strawberry.field(description="Why fields that were asked for have no value.")
    def missing(self, paths: Paths = strawberry.UNSET) -> list[FieldGap]:
        """Look for gaps only when they are asked for."""
        roots = given(paths)
        return [gap for gap in self.find_gaps() if roots is None or _is_under(gap.path, roots)]


def _is_under(path: str, roots: Sequence[str]) -> bool:
    return any(path == root or path.startswith(f"{root}.") for root in roots)


@described_type
class KeyPart:
    """One part of a key."""

    name: str = strawberry.field(description="The name of the part in the system.")
    value: str = strawberry.field(description="Its value.")


@described_interface
class Node:
    """Anything with a global id; every type that has an `id` is one, and `node` finds it again."""

    id: strawberry.ID = strawberry.field(
        description="The global id; opaque, and stable for as long as the object exists."
    )


@dataclass(slots=True)
class Origin:
    """What a record remembers of its row, beside its values.

    `key` is what its source calls it; `reference` is what others point to it with, which is the same unless several
    collections of a system hold such records. `served` says where the row came from, unless it was read live. `custom`
    are the custom fields that were read, `raw` is the source's own record for each choice of its parts, and `left_out`
    says what of both is missing and why.
    """

    key: str
    reference: str
    links: dict[str, str] = dataclass_field(default_factory=dict)
    children: dict[str, list[Any] | None] = dataclass_field(default_factory=dict)
    pages: dict[str, Any] = dataclass_field(default_factory=dict)
    failed_links: dict[str, FieldGapReason] = dataclass_field(default_factory=dict)
    unreadable: set[str] = dataclass_field(default_factory=set)
    served: Served | None = None
    custom: Sequence[CustomField] = ()
    raw: dict[frozenset[str] | None, Any] = dataclass_field(default_factory=dict)
    left_out: dict[str, FieldGapReason] = dataclass_field(default_factory=dict)


_MAX_PARTS, _MAX_STEPS = 100, 5


def chosen_parts(paths: Sequence[str] | None) -> frozenset[str] | None:
    """The parts of the source's record that one use of `raw` asks for, None for all; too many are refused."""
    if paths is not None and (len(paths) > _MAX_PARTS or any(path.count(".") >= _MAX_STEPS for path in paths)):
        message = f"`raw` takes at most {_MAX_PARTS} paths, each of at most {_MAX_STEPS} names."
        raise failure(ErrorCode.VALIDATION_FAILED, message, field="paths")
    return None if paths is None else frozenset(paths)


Keys = Annotated[list[str] | None, strawberry.argument(description="Only these keys.")]
Parts = Annotated[list[str] | None, strawberry.argument(description="Only these parts of it.")]


@described_interface
class Record(Node):
    """A record of a connected system."""

    id: strawberry.ID = strawberry.field(
        description="The global id; it names connection, entity and key, and nobody needs to store it."
    )
    remote_id: str = strawberry.field(description="The record's own key in its system, as text.")
    remote_key: list[KeyPart] | None = strawberry.field(
        default=None, description="The parts of that key, where the system uses several."
    )
    display_name: str = strawberry.field(default="", description="A name to show to people.")
    connection: Annotated["ConnectedSystem", strawberry.lazy("schema.connections")] = strawberry.field(
        default=None, description="The connection that it comes from."
    )
    organization: Organization | None = field("The company, subsidiary or plant that it belongs to.")
    created_at: datetime | None = field(
        "When it was created in the system.", filter="When it was created.", sort="When it was created."
    )
    updated_at: datetime | None = field(
        "When it was last changed in the system.",
        filter="When it was last changed.",
        sort="When it was last changed.",
    )
    is_deleted: bool | None = field(
        "Whether the system has flagged it as deleted.",
        filter="Whether it is flagged as deleted; such rows are left out unless this is given.",
    )
    version: str | None = field("Its version in the system; pass it as `ifVersion`.")
    meta: RecordMeta = strawberry.field(
        default=None, description="Where this answer came from and what is missing in it."
    )
    number: str | None = field("The number that people know it by.", filter="The number.", sort="The number, as text.")
    source_status: str | None = field(
        "The system's own word for the status.", filter="The system's own word for the status."
    )
    origin: strawberry.Private[Origin] = None  # type: ignore[assignment]

    @as_asked("Fields that this connection's settings have added.")
    def custom_fields(self, keys: Keys = strawberry.UNSET) -> list[CustomField] | None:
        """Give what was read of them."""
        wanted = given(keys)
        return [item for item in self.origin.custom if wanted is None or item.key in wanted]

    @as_asked("The record as the system sent it; fetched only when selected.")
    def raw(self, paths: Parts = strawberry.UNSET) -> JSON | None:
        """Give what was read for these parts."""
        return self.origin.raw.get(chosen_parts(given(paths)))

    @property
    def child_rows(self) -> dict[str, list[Any] | None]:
        """The child rows that came with the record, by attribute."""
        return self.origin.children
