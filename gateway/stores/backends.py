"""Which cache a URL stands for: the one place where they are told apart."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from gateway.stores.memory import MemoryCache
from resolvers.ports import CacheStore

OpenCache = Callable[[str, int, Callable[[], None]], CacheStore]


def _memory(url: str, max_bytes: int, on_error: Callable[[], None]) -> CacheStore:
    return MemoryCache(max_bytes)


def _redis(url: str, max_bytes: int, on_error: Callable[[], None]) -> CacheStore:
    from gateway.stores.redis import RedisCache  # only where it is used: importing it takes memory

    return RedisCache(url, on_error=on_error)


CACHES: Mapping[str, OpenCache] = {"memory": _memory, "redis": _redis, "rediss": _redis, "unix": _redis}
"""How a cache is opened, by the scheme of its URL."""


def scheme_of(url: str) -> str:
    """The scheme of a cache's URL; a ValueError, which does not repeat the URL, where there is no such cache."""
    scheme = urlsplit(url).scheme
    if scheme not in CACHES:
        raise ValueError(f"must begin with one of {', '.join(f'{name}://' for name in CACHES)}")
    return scheme


def open_cache(url: str, max_bytes: int, on_error: Callable[[], None]) -> CacheStore:
    """The cache that a URL stands for; nothing is connected before it is used. `max_bytes` bounds one in memory."""
    return CACHES[scheme_of(url)](url, max_bytes, on_error)
