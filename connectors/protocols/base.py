"""What every protocol offers: how to ask, how to read an answer, and how to find values in a row."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from connectors.errors import (
    BadAnswer,
    PermissionDenied,
    RateLimited,
    Reauthorize,
    Rejected,
    Trouble,
    Unavailable,
    Upstream,
    WrongSystem,
)
from connectors.protocols.shapes import Shape
from connectors.query import Answer, Page, Read, Request
from connectors.retry_after import wait_of

Row = dict[str, Any]
Getter = Callable[[Row], Any]
Decoder = Callable[[Any], Any]


class WireProtocol(Protocol):
    """A language that systems speak; it holds no state and does no input or output."""

    decoders: Mapping[type[Any], Decoder]
    """How a value that is not null is read, by the Python type that it becomes."""

    version_path: str
    """Where a row carries its version."""

    def request(self, read: Read, options: Mapping[str, str]) -> Request:
        """Say a question in this language; `options` are the connection's, such as a client number."""

    def page(self, read: Read, answer: Answer) -> Page:
        """Read the rows of a good answer, or raise BadAnswer."""

    def trouble(self, answer: Answer) -> Trouble | None:
        """What a bad answer means; None for a good one."""

    def count(self, read: Read, options: Mapping[str, str]) -> Request | None:
        """Ask how many rows a question finds; None in a language that cannot tell without sending them."""
        return None

    def counted(self, answer: Answer) -> int:
        """Read that number from a good answer, as a rule the whole of it, or raise BadAnswer."""
        return checked_count(read_json(answer), answer)

    def getter(self, path: str) -> Getter:
        """How the value at a dotted path is found in a row, as a rule step by step; None where it is absent."""
        steps = path.split(".")
        if len(steps) == 1:
            return lambda row: row.get(path)

        def get(row: Row) -> Any:
            value: Any = row
            for step in steps:
                if not isinstance(value, dict):
                    return None
                value = value.get(step)
            return value

        return get

    searches_text: bool = True
    """Whether a search in text finds at least what ours finds."""

    asks_by_name: bool = False
    """Whether a whole row can only be asked for by the names of all its fields."""

    children_key: str | None = None
    """Under which name child rows stand inside their field, where they do not stand there at once."""

    def describe(self, source: str, options: Mapping[str, str]) -> Request | None:
        """How to ask which fields a collection has; None where the system does not tell."""
        return None

    def shapes(self, source: str, answer: Answer) -> Mapping[str, Shape]:
        """What the system tells of a collection, and of others with the same answer."""
        return {}

    def whole(self, source: str, row: Row, expanded: frozenset[str]) -> Row:
        """A row as the system would send it alone: without what stands in it because `expanded` was asked for."""
        return row

    def link_key(self, name: str) -> str:
        """Under which name a row holds what its link leads to."""
        return name

    def attach(self, row: Row, name: str, rows: list[Row]) -> None:
        """Put rows of another collection into a row, where `children` finds them under `@name`."""
        row[f"@{name}"] = rows

    def attach_one(self, row: Row, name: str, found: Row) -> None:
        """Put one row of another collection into a row, where `getter` finds its values under `@name`."""
        row[f"@{name}"] = found

    def children(self, path: str) -> Callable[[Row], list[Row] | None]:
        """How the child rows at a dotted path are found in a row, as a rule a list; None where they are absent."""
        get = self.getter(path)

        def children(row: Row) -> list[Row] | None:
            found = get(row)
            return found if isinstance(found, list) else None

        return children


def checked_count(value: Any, answer: Answer) -> int:
    """A number of rows in an answer, or BadAnswer."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadAnswer("The answer is no number of rows.", upstream=Upstream(status=answer.status))
    return value


def read_json(answer: Answer) -> Any:
    """Parse a body; numbers with a fraction become Decimal, because a float would change them.

    A name that stands twice in one object is refused, because one of its values would be lost without a word.
    """
    try:
        return json.loads(
            answer.body, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_without_doubles
        )
    except (ValueError, RecursionError):
        kind = answer.headers.get("content-type", "no content type").partition(";")[0]
        raise BadAnswer(
            f"The system answered with something that is not JSON ({kind}).",
            upstream=Upstream(status=answer.status),
        ) from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadAnswer("The system's answer names a value twice.")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def http_trouble(answer: Answer, code: str | None = None, message: str | None = None) -> Trouble | None:
    """What an HTTP status means where the protocol has no better word for it."""
    status = answer.status
    if 200 <= status < 300:
        return None
    said = Upstream(status=status, code=code, message=message)
    reason = f": {message}" if message else "."
    if status == 401:
        return Reauthorize("The system refuses the credentials.", upstream=said)
    if status == 403:
        return PermissionDenied(f"The connection's user may not do this{reason}", upstream=said)
    if status == 404:
        return WrongSystem(f"The address is not known to the system{reason}", upstream=said)
    if status == 429:
        return RateLimited("The system has had too many calls.", upstream=said, retry_after=wait_of(answer.headers))
    if 300 <= status < 400:
        return WrongSystem("The address redirects elsewhere; connect the final address.", upstream=said)
    if status >= 500:
        message = f"The system failed with status {status}{reason}"
        return Unavailable(message, upstream=said, retry_after=wait_of(answer.headers))
    return Rejected(f"The system refuses the request{reason}", upstream=said)


def plain_decoders() -> dict[type[Any], Decoder]:
    """Decoders of values that JSON or a decoder hook has already made right."""
    return {
        str: read_text,
        int: read_int,
        bool: read_bool,
        Decimal: read_decimal,
        date: read_date,
        datetime: read_moment,
    }


def read_text(value: Any) -> str | None:
    """Text, or null where it is empty; a number is written as it stands."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("not text")
    return str(value)


def read_int(value: Any) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("not a whole number")
    number = Decimal(value)
    if number != int(number):
        raise ValueError("not a whole number")
    return int(number)


def read_bool(value: Any) -> bool:
    """True or false, and nothing that merely resembles them."""
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def read_decimal(value: Any) -> Decimal:
    """An exact, finite number from text, a whole number or a Decimal; never from a float."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("not an exact number")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("not a finite number")
    return number


def read_date(value: Any) -> date:
    """A day that a decoder hook has made."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("not a day")
    return value


def read_moment(value: Any) -> datetime:
    """A moment that a decoder hook has made; without a zone it is not one."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("not a moment")
    return value
