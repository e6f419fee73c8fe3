"""Pages of rows: Relay's connection types, and the paging of child rows that come with their record."""

import base64
import binascii
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Annotated, Any

import strawberry

from schema.absent import given
from schema.enums import enumeration
from schema.errors import ErrorCode, failure

MAX_PAGE_SIZE = 200
"""The greatest `first`, as the contract says."""


@enumeration
class SortDirection(Enum):
    """Which way to sort."""

    ASC = "Smallest or earliest first."
    DESC = "Greatest or latest first."


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(description="Whether a source that answered has more rows.")
    has_previous_page: bool = strawberry.field(description="Whether rows precede this page.")
    start_cursor: str | None = strawberry.field(default=None, description="The cursor of the first row.")
    end_cursor: str | None = strawberry.field(
        default=None, description="The cursor to continue from; it also takes up sources that failed."
    )


class ChildRow:
    """A row that belongs to a record, such as a line of an order."""

    PLURAL = "rows"


First = Annotated[int | None, strawberry.argument(description="How many rows at most; 200 is the limit.")]
After = Annotated[str | None, strawberry.argument(description="Continue after this cursor.")]


def checked_first(first: int | None) -> int:
    """The page size that was asked for, or a clear error."""
    if first is None:
        raise failure(ErrorCode.VALIDATION_FAILED, "`first` cannot be null; leave it out for 50.", field="first")
    if not 0 <= first <= MAX_PAGE_SIZE:
        raise failure(
            ErrorCode.VALIDATION_FAILED,
            f"`first` must lie between 0 and {MAX_PAGE_SIZE}, not {first}.",
            field="first",
        )
    return first


@cache
def page_type(node: type[Any], plural: str, more: type[Any] = object) -> type[Any]:
    """Make the connection and edge types of a kind of row, `PurchaseOrderConnection` and so on.

    `more` is a strawberry type whose fields the connection type has too.
    """
    name = node.__name__
    edge = type(
        f"{name}Edge",
        (),
        {
            "__doc__": f"One of the {plural} and its place in the list.",
            "__annotations__": {"cursor": str, "node": node},
            "cursor": strawberry.field(description="Its place; pass it as `after`."),
            "node": strawberry.field(description="The row itself."),
        },
    )
    strawberry.type(edge, description=edge.__doc__)
    connection = type(
        f"{name}Connection",
        (more,),
        {
            "__doc__": f"A page of {plural}.",
            "__annotations__": {
                "nodes": list[node],  # type: ignore[valid-type]
                "edges": list[edge],  # type: ignore[valid-type]
                "page_info": PageInfo,
                "total_count": int | None,
            },
            "nodes": strawberry.field(description=f"The {plural} of this page."),
            "edges": strawberry.field(description=f"The same {plural}, each with its cursor."),
            "page_info": strawberry.field(description="Where this page stands."),
            "total_count": strawberry.field(
                default=None,
                description="How many there are in all; null when a source cannot tell without reading everything.",
            ),
            "Edge": edge,
        },
    )
    strawberry.type(connection, description=connection.__doc__)
    return connection


def child_page_type(child: type[ChildRow]) -> type[Any]:
    """The connection type of a kind of child row."""
    return page_type(child, child.PLURAL)  # type: ignore[arg-type] # a class is hashable


def page_of_children(child: type[ChildRow]) -> Callable[..., Any]:
    """Make the resolver that pages the child rows which came with their record."""

    def resolve(root: Any, info: strawberry.Info, first: First = 50, after: After = strawberry.UNSET) -> Any:
        rows = root.child_rows.get(info.python_name)
        return None if rows is None else slice_page(child_page_type(child), rows, first, given(after))

    return resolve


def slice_page(connection: type[Any], rows: list[Any], first: int | None, after: str | None) -> Any:
    """Cut one page out of rows that are all here; cursors name the row, so they survive rows before it."""
    size = checked_first(first)
    start = 0
    if after is not None:
        key = read_row_cursor(after)
        start = next((place + 1 for place, row in enumerate(rows) if str(row.id) == key), -1)
        if start < 0:
            raise failure(ErrorCode.INVALID_CURSOR, "The row of this cursor is no longer there.", field="after")
    chosen = rows[start : start + size]
    cursors = [row_cursor(str(row.id)) for row in chosen]
    return connection(
        nodes=chosen,
        edges=[connection.Edge(cursor=cursor, node=row) for cursor, row in zip(cursors, chosen, strict=True)],
        page_info=PageInfo(
            has_next_page=start + size < len(rows),
            has_previous_page=start > 0,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else after,
        ),
        total_count=len(rows),
    )


def row_cursor(key: str) -> str:
    """A cursor that names a row by its key."""
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()


def read_row_cursor(cursor: str) -> str:
    """The key in a cursor of `row_cursor`, or INVALID_CURSOR."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        raise failure(ErrorCode.INVALID_CURSOR, "The cursor is not one of ours.", field="after") from None
