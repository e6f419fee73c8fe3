"""Hints by way of Redis: published to the processes that listen at the moment, and kept nowhere."""

import asyncio
import logging
import random
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

_LOGGER = logging.getLogger(__name__)
_CHANNEL = "switchgear:changes"
_TIMEOUT_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 5.0


class RedisBus:
    """Tells and hears by way of Redis; while Redis is away nothing is told, and it is tried again ever more rarely.

    A line on which nothing has come for `silence` seconds is asked whether it still leads anywhere.
    """

    def __init__(self, url: str, *, silence: float = 2.0) -> None:
        self._silence = silence
        self._name = secrets.token_hex(8)
        self._told = asyncio.Event()
        self._is_there = False
        self._is_missed = False
        self._client: Redis = Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
        )

    def __repr__(self) -> str:
        """Without the address, which may hold a password."""
        return f"RedisBus({'there' if self._is_there else 'away'})"

    def tell(self) -> None:
        """Have the others told; what is told while a hint is on its way becomes one more, however often."""
        self._told.set()

    async def run(self, hear: Callable[[], None]) -> None:
        """Tell and listen until cancelled; after Redis was away, everything may have changed."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send())
            group.create_task(self._listen(hear))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def _send(self) -> None:
        while True:
            await self._told.wait()
            self._told.clear()
            if self._is_there:
                try:
                    await self._client.publish(_CHANNEL, self._name)
                except (RedisError, OSError):
                    continue  # the others look by themselves; whoever listens finds out why

    async def _listen(self, hear: Callable[[], None]) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._client.pubsub() as channel:
                    await channel.subscribe(_CHANNEL)
                    async for message in self._messages(channel):
                        if message["type"] == "subscribe":
                            self._arrived()
                            pause = _FIRST_PAUSE_SECONDS
                            hear()
                        elif message["type"] == "message" and message["data"] != self._name.encode():
                            hear()
            except (RedisError, OSError) as error:
                self._left(error)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - only so that not all come at once
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _messages(self, channel: PubSub) -> AsyncIterator[Mapping[str, Any]]:
        """Every message of a channel; TimeoutError where not even a question is answered."""
        is_asked = False
        while True:
            message = await channel.get_message(timeout=self._silence)
            if message is not None:
                is_asked = False
                yield message
            elif is_asked:
                raise TimeoutError
            else:
                await channel.ping()
                is_asked = True

    def _arrived(self) -> None:
        self._is_there = True
        if self._is_missed:
            self._is_missed = False
            _LOGGER.warning("Redis answers again; what other processes change is seen at once")

    def _left(self, error: Exception) -> None:
        self._is_there = False
        if not self._is_missed:
            self._is_missed = True
            _LOGGER.warning(
                "Redis does not answer (%s); what other processes change is seen within a second or two",
                type(error).__name__,
            )
