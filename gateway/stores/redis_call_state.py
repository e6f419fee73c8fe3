"""What processes tell each other about calls to systems, by way of Redis.

No call ever waits for Redis. A hint is published to the processes that run, and kept for as long as it holds, for those
that start or come back later. Time is told as durations only, so that no two clocks have to agree. The calls that were
made are told once a second, and the last ones of each connection are kept for a quarter of an hour.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import islice
from typing import Any, cast

from redis.exceptions import RedisError

from connectors.ports import Hint, HintKind
from gateway.stores.call_state import Audience, Listener
from gateway.stores.redis import PREFIX, key_of, open_redis

_LOGGER = logging.getLogger(__name__)
_CHANNEL = f"{PREFIX}:calls"
_MADE_CHANNEL = f"{PREFIX}:made"
_PROCESSES = f"{PREFIX}:processes"
_BEAT_SECONDS = 1.0
_LIFE_SECONDS = 5.0
_PAUSE_SECONDS = 1.0
_MOST_UNDER_WAY = 100
_RECALLED_AT_ONCE = 500
_MADE_UNTOLD = 2_000
"""How many calls wait at most to be told of; of more, the last ones are."""
_MADE_KEPT = 100
_MADE_LIFE = timedelta(minutes=15)


class RedisCallState:
    """Hints by way of Redis; while it is away every process decides alone, and nothing waits for it."""

    def __init__(self, url: str) -> None:
        self._client = open_redis(url)
        self._name = secrets.token_hex(8)
        self._sending: set[asyncio.Task[None]] = set()
        self._made: deque[tuple[str, str, Callable[[], Any]]] = deque(maxlen=_MADE_UNTOLD)
        self._is_away = False
        self.processes = 1
        """How many processes have been there lately; the last number known while Redis is away."""

    def tell(self, hint: Hint) -> None:
        """Tell the others in the background; where too much is on its way already, they find out themselves."""
        if len(self._sending) < _MOST_UNDER_WAY:
            task = asyncio.create_task(self._send(hint))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def tell_call(self, customer_id: str, connection_id: str, words: Callable[[], Any]) -> None:
        """Tell the others with the next beat."""
        self._made.append((customer_id, connection_id, words))

    async def forget_calls(self, customer_id: str, connection_id: str) -> None:
        """Forget the calls to a connection that has ended; while Redis is away they end by themselves, soon."""
        kept = [made for made in self._made if made[1] != connection_id]
        self._made.clear()
        self._made.extend(kept)
        with contextlib.suppress(RedisError, OSError):
            await _answer(self._client.delete(_made(customer_id, connection_id)))

    async def run(self, listener: Listener, audience: Audience) -> None:
        """Listen until cancelled; come back whenever Redis does."""
        while True:
            try:
                await self._listen(listener, audience)
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

    async def _listen(self, listener: Listener, audience: Audience) -> None:
        async with self._client.pubsub() as channel:
            await channel.subscribe(_CHANNEL, _MADE_CHANNEL)
            await self._recall(listener)
            await self._recall_made(audience)
            while True:
                await self._beat()
                await self._tell_made()
                if self._is_away:
                    _LOGGER.warning("Redis answers again; processes limit their calls together")
                self._is_away = False
                loop = asyncio.get_running_loop()
                end = loop.time() + _BEAT_SECONDS
                while (left := end - loop.time()) > 0:
                    message = await channel.get_message(ignore_subscribe_messages=True, timeout=left)
                    if message is not None and message["channel"] == _CHANNEL.encode():
                        self._hear(message["data"], listener)
                    elif message is not None:
                        self._overhear(message["data"], audience)

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

    async def _recall_made(self, audience: Audience) -> None:
        """Read which calls were made before this process listened."""
        followed = iter(audience.followed())
        while chunk := list(islice(followed, _RECALLED_AT_ONCE)):
            async with self._client.pipeline(transaction=False) as pipeline:
                for customer_id, connection_id in chunk:
                    pipeline.lrange(_made(customer_id, connection_id), 0, -1)
                found = await pipeline.execute()
            for (_, connection_id), texts in zip(chunk, found, strict=True):
                for text in texts:
                    with contextlib.suppress(ValueError):  # of another version
                        audience.overhear(connection_id, json.loads(text))

    async def _tell_made(self) -> None:
        """Tell of the calls that were made since the last time; what Redis does not take then is not told."""
        made = [(customer_id, connection_id, words()) for customer_id, connection_id, words in self._made]
        self._made.clear()
        if not made:
            return
        by_place: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for customer_id, connection_id, words in made:
            by_place[customer_id, connection_id].append(json.dumps(words))
        async with self._client.pipeline(transaction=False) as pipeline:
            for place, texts in by_place.items():
                pipeline.rpush(_made(*place), *texts[-_MADE_KEPT:])
                pipeline.ltrim(_made(*place), -_MADE_KEPT, -1)
                pipeline.expire(_made(*place), _MADE_LIFE)
            told = [[connection_id, words] for _, connection_id, words in made]
            pipeline.publish(_MADE_CHANNEL, json.dumps([self._name, told]))
            await pipeline.execute()

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

    def _overhear(self, data: bytes, audience: Audience) -> None:
        try:
            name, told = json.loads(data)
            calls = [(str(connection_id), words) for connection_id, words in told]
        except (ValueError, TypeError):
            return  # of another version
        if name != self._name:
            for connection_id, words in calls:
                audience.overhear(connection_id, words)


async def _answer(reply: Any) -> Any:
    """What Redis answers; the library's types do not say that a reply can be waited for."""
    return await cast(Awaitable[Any], reply)


def _stored(key: tuple[str, ...], kind: HintKind) -> str:
    """Where a hint is kept; the customer comes first, and keeps what is theirs together."""
    tenant, *rest = key
    return key_of(tenant, "calls", kind.name.lower(), *rest)


def _made(customer_id: str, connection_id: str) -> str:
    """Where the last calls to a connection are kept."""
    return key_of(customer_id, "made", connection_id)
