"""A cache in the process's own memory: for one process, and gone with it."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import count

from resolvers.ports import CacheEntry, CacheScope, Recalled

_OVERHEAD = 500
"""Bytes that an entry takes beside its content, roughly."""


class MemoryCache:
    """Keeps entries up to so many bytes in all; those that nobody has used for the longest time give way."""

    def __init__(self, max_bytes: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._monotonic = monotonic
        self._entries: OrderedDict[tuple[CacheScope, str], tuple[CacheEntry, str]] = OrderedDict()
        self._bytes = 0
        self._forgotten: dict[tuple[str, str, str | None], int] = {}
        self._numbers = count(1)

    @property
    def size(self) -> int:
        """How many bytes it takes, roughly."""
        return self._bytes

    async def get(self, scope: CacheScope, areas: Sequence[str], digests: Sequence[str]) -> Recalled:
        """What there is of several entries."""
        stamp = self._stamp(scope, areas)
        found = {}
        for digest in digests:
            key = (scope, digest)
            entry, kept_under = self._entries.get(key, (None, ""))
            if entry is None:
                continue
            if kept_under != stamp or self._monotonic() - entry.as_of >= entry.lifetime:
                self._drop(key)
                continue
            self._entries.move_to_end(key)
            found[digest] = entry
        return Recalled(stamp, found)

    async def put(self, scope: CacheScope, areas: Sequence[str], entries: Mapping[str, CacheEntry], stamp: str) -> None:
        """Keep entries, and let the oldest go where there are too many."""
        for digest, entry in entries.items():
            key = (scope, digest)
            self._drop(key)
            self._entries[key] = (entry, stamp)
            self._bytes += _size(entry)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    async def forget(self, scope: CacheScope, area: str | None = None) -> None:
        """Make entries unreachable; they go when their turn comes."""
        self._forgotten[scope.tenant, scope.connection, area] = next(self._numbers)

    async def lock(self, scope: CacheScope, digest: str, seconds: float) -> str | None:
        """Always granted: there is no other process, and within this one equal questions share a call anyway."""
        return "granted"

    async def unlock(self, scope: CacheScope, digest: str, token: str) -> None:
        """Nothing: nobody was kept out."""

    async def close(self) -> None:
        """Let everything go."""
        self._entries.clear()
        self._bytes = 0

    def _stamp(self, scope: CacheScope, areas: Sequence[str]) -> str:
        numbers = (self._forgotten.get((scope.tenant, scope.connection, area), 0) for area in (None, *areas))
        return ".".join(map(str, numbers))

    def _drop(self, key: tuple[CacheScope, str]) -> None:
        entry, _ = self._entries.pop(key, (None, ""))
        if entry is not None:
            self._bytes -= _size(entry)


def _size(entry: CacheEntry) -> int:
    return len(entry.content) + _OVERHEAD
