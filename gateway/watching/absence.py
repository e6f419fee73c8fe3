"""Tells of what is away: once when it goes, and once when it is back, with how long it was gone."""

import logging
import time
from collections.abc import Callable


class Absence:
    """One thing that can be away; `gone` and `back` are the sentences for it."""

    def __init__(
        self, logger: logging.Logger, gone: str, back: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._logger = logger
        self._gone = gone
        self._back = back
        self._monotonic = monotonic
        self._since: float | None = None

    def met(self, error: Exception) -> None:
        """It is away; said when it was not before."""
        if self._since is None:
            self._since = self._monotonic()
            self._logger.error("%s", self._gone, exc_info=error)

    def over(self) -> None:
        """It is there; said when it was away before."""
        if self._since is not None:
            self._logger.warning("%s after %.1f seconds", self._back, self._monotonic() - self._since)
            self._since = None
