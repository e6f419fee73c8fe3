"""What processes tell each other about calls to systems, by way of Redis.

No call ever waits for Redis. A hint is published to the processes that run, and kept for as long as it holds, for those
that start or come back later. Time is told as durations only, so that no two clocks have to agree.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Awaitable
from itertools import islice
from typing import Any, cast

from redis.exceptions import RedisError

from connectors.ports import Hint, HintKind
from gateway.stores.call_state import Listener
from gateway.stores.redis import PREFIX, key_of, open_redis

_LOGGER = logging.getLogger(__name__)
_CHANNEL = f"{PREFIX}:calls"
_PROCESSES = f"{PREFIX}:processes"
_BEAT_SECONDS = 1.0
_LIFE_SECONDS = 5.0
_PAUSE_SECONDS = 1.0
_MOST_UNDER_WAY = 100
_RECALLED_AT_ONCE = 500


class RedisCallState:
    """Hints by way of Redis; while it is away every process decides alone, and nothing waits for it."""

    def __init__(self, url: str) -> None:
        self._client = open_redis(url)
        self._name = secrets.token_hex(8)
        self._sending: set[asyncio.Task[None]] = set()
        self._is_away = False
        self.processes = 1
        """How many processes have been there lately; the last number known while Redis is away."""

    def tell(self, hint: Hint) -> None:
        """Tell the others in the background; where too much is on its way already, they find out themselves."""
        if len(self._sending) < _MOST_UNDER_WAY:
            task = asyncio.create_task(self._send(hint))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def run(self, listener: Listener) -> None:
        """Listen until cancelled; come back whenever Redis does."""
        while True:
            try:
                await self._listen(listener)
            except (RedisError, OSError) as error:
                if not self._is_away:
                    _LOGGER.warning(
                        "Redis does not answer (%s); each process limits its calls alone until it does",
                        type(error).__name__,
                    )
                self._is_away = True
            await asyncio.sleep(_PAUSE_SECONDS)

    async def close(self) -> None:
        """Take leave, and close the connections."""
        with contextlib.suppress(RedisError, OSError):  # else the others notice by themselves
            await _answer(self._client.zrem(_PROCESSES, self._name))
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._client.aclose()

    async def _send(self, hint: Hint) -> None:
        milliseconds = round(hint.seconds * 1_000)
        text = json.dumps([self._name, list(hint.key), hint.kind.name, milliseconds])
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                if hint.kind is HintKind.CLOSED:
                    pipeline.delete(_stored(hint.key, HintKind.OPEN))
                elif milliseconds > 0:
                    pipeline.set(_stored(hint.key, hint.kind), 1, px=milliseconds)
                pipeline.publish(_CHANNEL, text)
                await pipeline.execute()
        except (RedisError, OSError):
            pass  # a hint that does not arrive is found out by the others themselves

    async def _listen(self, listener: Listener) -> None:
        async with self._client.pubsub() as channel:
            await channel.subscribe(_CHANNEL)
            await self._recall(listener)
            while True:
                await self._beat()
                if self._is_away:
                    _LOGGER.warning("Redis answers again; processes limit their calls together")
                self._is_away = False
                loop = asyncio.get_running_loop()
                end = loop.time() + _BEAT_SECONDS
                while (left := end - loop.time()) > 0:
                    message = await channel.get_message(ignore_subscribe_messages=True, timeout=left)
                    if message is not None:
                        self._hear(message["data"], listener)

    async def _recall(self, listener: Listener) -> None:
        """Read what was told before this process listened."""
        keys = iter(listener.keys())
        while chunk := list(islice(keys, _RECALLED_AT_ONCE)):
            async with self._client.pipeline(transaction=False) as pipeline:
                for key, kind in chunk:
                    pipeline.pttl(_stored(key, kind))
                left = await pipeline.execute()
            for (key, kind), milliseconds in zip(chunk, left, strict=True):
                if milliseconds > 0:
                    listener.hear(Hint(key, kind, milliseconds / 1_000))

    async def _beat(self) -> None:
        """Say that this process lives, and count the others; Redis's own clock is the only one that counts."""
        seconds, _ = await _answer(self._client.time())
        async with self._client.pipeline() as pipeline:
            pipeline.zadd(_PROCESSES, {self._name: seconds})
            pipeline.zremrangebyscore(_PROCESSES, "-inf", seconds - _LIFE_SECONDS)
            pipeline.zcard(_PROCESSES)
            pipeline.expire(_PROCESSES, round(10 * _LIFE_SECONDS))
            _, _, count, _ = await pipeline.execute()
        self.processes = max(1, count)

    def _hear(self, data: bytes, listener: Listener) -> None:
        try:
            name, key, kind, milliseconds = json.loads(data)
            hint = Hint(tuple(map(str, key)), HintKind[kind], milliseconds / 1_000)
        except (ValueError, KeyError, TypeError):
            return  # of another version
        if name != self._name:
            listener.hear(hint)


async def _answer(reply: Any) -> Any:
    """What Redis answers; the library's types do not say that a reply can be waited for."""
    return await cast(Awaitable[Any], reply)


def _stored(key: tuple[str, ...], kind: HintKind) -> str:
    """Where a hint is kept; the customer comes first, and keeps what is theirs together."""
    tenant, *rest = key
    return key_of(tenant, "calls", kind.name.lower(), *rest)
