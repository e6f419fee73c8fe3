"""What the URL of a cache stands for, a bus and hints too: the one place where they are told apart."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.stores.bus import Bus, MemoryBus
from gateway.stores.call_state import MemoryCallState, SharedCallState
from gateway.stores.memory import MemoryCache
from resolvers.ports import CacheStore


@dataclass(frozen=True)
class Backend:
    """A kind of cache: how one is opened, and how what the processes share that use it.

    That is a bus between them, and what they tell each other about calls.

    `port` is the one that it listens on if its URL does not say; None for no port.
    """

    open: Callable[[str, int, Callable[[], None]], CacheStore]
    open_calls: Callable[[str], SharedCallState]
    open_bus: Callable[[str], Bus]
    port: int | None = None


def _memory(url: str, max_bytes: int, on_error: Callable[[], None]) -> CacheStore:
    return MemoryCache(max_bytes)


def _redis(url: str, max_bytes: int, on_error: Callable[[], None]) -> CacheStore:
    from gateway.stores.redis import RedisCache  # only where it is used: importing it takes memory

    return RedisCache(url, on_error=on_error)


def _memory_calls(url: str) -> SharedCallState:
    return MemoryCallState()


def _redis_calls(url: str) -> SharedCallState:
    from gateway.stores.redis_call_state import RedisCallState  # only where it is used, too

    return RedisCallState(url)


def _memory_bus(url: str) -> Bus:
    return MemoryBus()


def _redis_bus(url: str) -> Bus:
    from gateway.stores.redis_bus import RedisBus  # only where it is used, too

    return RedisBus(url)


CACHES: Mapping[str, Backend] = {
    "memory": Backend(_memory, _memory_calls, _memory_bus),
    "redis": Backend(_redis, _redis_calls, _redis_bus, 6379),
    "rediss": Backend(_redis, _redis_calls, _redis_bus, 6379),
    "unix": Backend(_redis, _redis_calls, _redis_bus),
}
"""The kinds of caches, by the scheme of their URLs."""


def scheme_of(url: str) -> str:
    """The scheme of a cache's URL; a ValueError, which does not repeat the URL, where there is no such cache."""
    parts = urlsplit(url)
    if parts.scheme not in CACHES:
        raise ValueError(f"must begin with one of {', '.join(f'{name}://' for name in CACHES)}")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("has a port that is no number; signs of a password such as / have to be written %2F") from None
    return parts.scheme


def open_cache(url: str, max_bytes: int, on_error: Callable[[], None]) -> CacheStore:
    """The cache that a URL stands for; nothing is connected before it is used. `max_bytes` bounds one in memory."""
    return CACHES[scheme_of(url)].open(url, max_bytes, on_error)


def open_call_state(url: str) -> SharedCallState:
    """What processes share about calls, by the same URL; nothing is connected before it is used."""
    return CACHES[scheme_of(url)].open_calls(url)


def open_bus(url: str) -> Bus:
    """The bus between the processes that share a cache, by its URL; nothing is connected before it runs."""
    return CACHES[scheme_of(url)].open_bus(url)


def addresses_of(url: str) -> list[tuple[str, int]]:
    """Where a cache listens, so that nobody can connect it as a system; nowhere where its name is not known now."""
    parts, backend = urlsplit(url), CACHES[scheme_of(url)]
    if backend.port is None:
        return []
    try:
        found = socket.getaddrinfo(parts.hostname or "localhost", parts.port or backend.port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({(str(address[0]), int(address[1])) for *_, address in found})
