"""What a kind of database brings along, so that the statements need not know which one it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import URL, ColumnElement, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One kind of database.

    `engine` opens a pool, `insert` makes an INSERT that knows ON CONFLICT, `moment` is the time a while from
    now by the clock that all processes share, and `is_passing` tells an error that may not come again from a
    mistake. `reading` are the options of transactions that only read, `alone` the statements after which no
    other process migrates until the transaction ends.
    """

    engine: Callable[[URL], AsyncEngine]
    insert: Callable[[Table], sqlite.Insert | postgresql.Insert]
    moment: Callable[[timedelta], ColumnElement[datetime]]
    is_passing: Callable[[DBAPIError], bool]
    reading: Mapping[str, Any] = field(default_factory=dict)
    alone: Sequence[str] = ()
