"""Looks again and again at what others may have changed: at a hint at once, and otherwise after a while."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gateway.watching.absence import Absence

_LOGGER = logging.getLogger(__name__)
POLL_SECONDS = 1.0
"""How long a change may go unseen when no hint of it arrives."""


class Poll:
    """Calls `look` for ever; a hint that comes while it looks makes it look once more.

    What goes wrong is logged when it begins and when it is over; `what` is the subject of these sentences.
    """

    def __init__(self, look: Callable[[], Awaitable[object]], what: str, seconds: float = POLL_SECONDS) -> None:
        self._look = look
        self._seconds = seconds
        self._hint = asyncio.Event()
        self._absence = Absence(
            _LOGGER, f"{what} cannot be read; it is tried again and again", f"{what} can be read again"
        )

    def hint(self) -> None:
        """There may be news."""
        self._hint.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._hint.clear()
            await self._try()
            try:
                async with asyncio.timeout(self._seconds):
                    await self._hint.wait()
            except TimeoutError:
                continue

    async def _try(self) -> None:
        try:
            await self._look()
        except Exception as error:
            self._absence.met(error)
        else:
            self._absence.over()
