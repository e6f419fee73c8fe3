"""A cache in Redis, shared by all processes: quick to give up, and never believed blindly."""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError, RedisError, ResponseError

from gateway.stores.breaker import Breaker
from resolvers.ports import CacheEntry, CacheScope, Recalled

_LOGGER = logging.getLogger(__name__)
PREFIX = "switchgear"
"""What all keys and channels begin with."""
TIMEOUT_SECONDS = 0.05
"""How long Redis may take for anything: what it has is only worth having quickly."""
_CONNECTIONS = 32
_STAMP_MS = 8 * 24 * 3600 * 1000
"""How long it is remembered that something was forgotten: longer than any entry can be kept."""
_UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
_NOT_HELD = ""
Result = TypeVar("Result")


def open_redis(url: str, timeout: float = TIMEOUT_SECONDS) -> Redis:
    """The client of a Redis, which never repeats anything; nothing is connected before it is used."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
    )
    client: Redis = Redis.from_pool(pool)
    return client


def key_of(tenant: str, *parts: str) -> str:
    """The one way in which keys are made: the tenant first, in braces, so that a cluster keeps its keys together."""
    rest = ":".join(quote(part, safe="") for part in parts)
    return f"{PREFIX}:{{{quote(tenant, safe='')}}}:{rest}"


class RedisCache:
    """Keeps entries under keys that begin with the tenant; each says itself whose it is, and is checked when read.

    A call may take `timeout` seconds and is never repeated. After a few failures Redis is left alone for a while: a
    Redis that is gone, full, or a replica that only reads costs speed, and nothing else. `on_error` hears of each
    call that failed.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        breaker: Breaker | None = None,
        on_error: Callable[[], None] = lambda: None,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout = timeout
        self._breaker = breaker or Breaker()
        self._on_error = on_error
        self._wall, self._monotonic = wall, monotonic
        self._is_refusing = False
        self._owed: dict[str, str] = {}
        """Stamps that Redis has not taken; until it does, nothing of theirs is believed."""
        self._redis = open_redis(url, timeout)

    def __repr__(self) -> str:
        """Without the address, which may hold a password."""
        return f"RedisCache({self._breaker.state.name})"

    async def get(self, scope: CacheScope, areas: Sequence[str], digests: Sequence[str]) -> Recalled:
        """What there is of several entries, in one round trip."""
        stamps = [_stamp_key(scope, area) for area in (None, *areas)]
        if not await self._pay(stamps):
            return Recalled(None)

        async def call() -> list[Any]:
            pipeline = self._redis.pipeline(transaction=False)
            for key in stamps:
                pipeline.get(key)
            for digest in digests:
                pipeline.get(_entry_key(scope, digest))
                pipeline.pttl(_entry_key(scope, digest))
            return await pipeline.execute()

        found = await self._run(call)
        if found is None:
            return Recalled(None)
        stamp = ".".join((item or b"0").decode() for item in found[: len(stamps)])
        pairs = zip(digests, found[len(stamps) :: 2], found[len(stamps) + 1 :: 2], strict=True)
        entries = {digest: self._read(scope, digest, stamp, value, left) for digest, value, left in pairs}
        return Recalled(stamp, {digest: entry for digest, entry in entries.items() if entry is not None})

    def _read(self, scope: CacheScope, digest: str, stamp: str, value: bytes | None, left: int) -> CacheEntry | None:
        """An entry that is what it should be; one that belongs to another question or another time is none.

        It is at least as old as Redis's own clock says, so that a clock of ours that was set back makes nothing young.
        """
        if value is None or left <= 0:
            return None
        head, _, content = value.partition(b"\n")
        try:
            told = json.loads(head)
            if told["of"] != _identity(scope, digest) or told["stamp"] != stamp:
                return None
            fetched_at, cost, lifetime = float(told["at"]), float(told["cost"]), float(told["lifetime"])
        except (ValueError, TypeError, KeyError):
            return None
        age = max(self._wall() - fetched_at, lifetime - left / 1000 + cost, 0.0)
        return CacheEntry(content, fetched_at, self._monotonic() - age, cost, lifetime)

    async def put(self, scope: CacheScope, areas: Sequence[str], entries: Mapping[str, CacheEntry], stamp: str) -> None:
        """Keep entries, each for its lifetime; what was forgotten meanwhile makes them unreachable at once."""

        async def call() -> Any:
            pipeline = self._redis.pipeline(transaction=False)
            for digest, entry in entries.items():
                head = {
                    "of": _identity(scope, digest),
                    "stamp": stamp,
                    "at": entry.fetched_at,
                    "cost": entry.cost,
                    "lifetime": entry.lifetime,
                }
                value = json.dumps(head).encode() + b"\n" + entry.content
                pipeline.set(_entry_key(scope, digest), value, px=max(1, int(entry.lifetime * 1000)))
            return await pipeline.execute()

        if await self._run(call) is not None:
            self._is_refusing = False

    async def forget(self, scope: CacheScope, area: str | None = None) -> None:
        """Make entries unreachable in all processes; what Redis does not take now, it takes before it is read again."""
        self._owed[_stamp_key(scope, area)] = secrets.token_hex(8)
        await self._pay([_stamp_key(scope, area)])

    async def _pay(self, keys: Sequence[str]) -> bool:
        """Tell Redis what was forgotten while it did not listen; whether it knows everything about these keys."""
        for key in keys:
            stamp = self._owed.get(key)
            if stamp is None:
                continue
            if await self._run(partial(self._redis.set, key, stamp, px=_STAMP_MS)) is None:
                return False
            if self._owed.get(key) == stamp:
                del self._owed[key]
        return True

    async def lock(self, scope: CacheScope, digest: str, seconds: float) -> str | None:
        """A token, None where another holds the lock; without Redis everyone is granted it."""
        token = secrets.token_hex(8)

        async def call() -> bool:
            return bool(await self._redis.set(_lock_key(scope, digest), token, nx=True, px=int(seconds * 1000)))

        is_ours = await self._run(call)
        if is_ours is None:
            return _NOT_HELD
        return token if is_ours else None

    async def unlock(self, scope: CacheScope, digest: str, token: str) -> None:
        """Give a lock back, if it is still ours."""
        if token != _NOT_HELD:
            await self._run(lambda: self._redis.eval(_UNLOCK, 1, _lock_key(scope, digest), token))

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    async def _run(self, call: Callable[[], Awaitable[Result]]) -> Result | None:
        """What Redis answers; None where it does not, or refuses."""
        if not self._breaker.admits():
            return None
        began = self._monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                result = await call()
        except asyncio.CancelledError:
            self._breaker.abandoned()
            raise
        except ResponseError as error:
            self._breaker.succeeded()
            await self._refused(error)
            return None
        except (RedisError, OSError, TimeoutError) as error:
            self._on_error()
            if self._monotonic() - began > 2 * self._timeout:
                # This process was too busy to look at the answer, which says nothing of Redis.
                self._breaker.abandoned()
            elif self._breaker.failed():
                _LOGGER.warning("Redis does not answer (%s); the cache is off until it does", type(error).__name__)
            return None
        if self._breaker.succeeded():
            _LOGGER.warning("Redis answers again; the cache is on")
        return result

    async def _refused(self, error: ResponseError) -> None:
        """Redis answers and will not do it; told once.

        A replica that only reads is left: its name may lead to the primary now.
        """
        self._on_error()
        if not self._is_refusing:
            self._is_refusing = True
            _LOGGER.warning("Redis refuses what it is told (%s)", type(error).__name__)
        if isinstance(error, ReadOnlyError):
            await self._redis.connection_pool.disconnect(inuse_connections=False)


def _key(scope: CacheScope, *parts: str) -> str:
    return key_of(scope.tenant, scope.connection, *parts)


def _entry_key(scope: CacheScope, digest: str) -> str:
    return _key(scope, scope.generation, "entry", digest)


def _lock_key(scope: CacheScope, digest: str) -> str:
    return _key(scope, scope.generation, "lock", digest)


def _stamp_key(scope: CacheScope, area: str | None) -> str:
    return _key(scope, "stamp") if area is None else _key(scope, "stamp", "of", area)


def _identity(scope: CacheScope, digest: str) -> list[str]:
    return [scope.tenant, scope.connection, scope.generation, digest]
