"""A call that has reached a system, as every process may know of it: when, what for, how it ended; no values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter

from connectors.errors import NoSuchRecords, NotFound, Rejected, TimedOut, Trouble, Upstream
from connectors.ports import Call
from resolvers.outcomes import code_of
from schema.errors import ErrorCode
from schema.model import EntityType

_NO_FAULT = (Rejected, NotFound, NoSuchRecords)
"""What a system answers about one request, and that says nothing of the system."""
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a call failed, with an ErrorCode; `is_of_system` says that the system is to blame, and not the request."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    code: str
    message: str
    is_of_system: bool
    upstream: Upstream | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardCall:
    """One call; `id` is its own among those of all processes, `entity` an EntityType, `seconds` how long it took."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    id: str
    started_at: datetime
    seconds: float
    entity: str | None
    about: str
    status: int | None
    failure: Failure | None
    is_hurried: bool
    request_id: str

    @property
    def ended_at(self) -> datetime:
        """When it was over."""
        return self.started_at + timedelta(seconds=self.seconds)

    @property
    def order(self) -> tuple[datetime, str]:
        """The same in every process: by when it was over."""
        return self.ended_at, self.id

    @property
    def has_failed(self) -> bool:
        """Whether the system, and neither the request nor its hurry, is to blame."""
        return self.failure is not None and self.failure.is_of_system and not self.is_hurried


_ADAPTER = TypeAdapter(HeardCall)


def heard(call: Call, entity: EntityType | None, started_at: datetime, identifier: str, request_id: str) -> HeardCall:
    """What there is to remember of a call."""
    return HeardCall(
        id=identifier,
        started_at=started_at,
        seconds=call.seconds,
        entity=entity.name if entity is not None else None,
        about=call.about,
        status=call.status,
        failure=_failure(call.trouble) if call.trouble is not None else None,
        is_hurried=call.is_hurried and isinstance(call.trouble, TimedOut),
        request_id=request_id,
    )


def _failure(trouble: Trouble) -> Failure:
    return Failure(
        code=code_of(trouble).name,
        message=trouble.message,
        is_of_system=not isinstance(trouble, _NO_FAULT),
        upstream=trouble.upstream,
    )


def written(call: HeardCall) -> Any:
    """A call as JSON can hold it."""
    return _ADAPTER.dump_python(call, mode="json")


def read(words: Any) -> HeardCall:
    """A call as another process has written it; a ValueError where that is none of this version's."""
    call = _ADAPTER.validate_python(words)
    is_known = call.failure is None or call.failure.code in ErrorCode.__members__
    if not is_known or (call.entity is not None and call.entity not in EntityType.__members__):
        raise ValueError("a code or a kind of record is not known")
    return call
