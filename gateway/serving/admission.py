"""Lets callers in by their tokens, as long as it is known which tokens are in force."""

import asyncio
import logging
from datetime import UTC, datetime

from gateway.directory import Directory
from gateway.keys import tokens
from gateway.keys.keyring import Keyring
from gateway.serving.auth import Caller, TokenRefused, check_key
from gateway.stores.errors import Outdated, StoreError
from gateway.watching.absence import Absence
from schema.errors import ErrorCode

_LOGGER = logging.getLogger(__name__)
_TOUCH_SECONDS = 60.0


class Admission:
    """Who may ask; a known token costs no SQL.

    While the database is away, what was known goes on to count for `outdated_seconds`; after that nobody is let in,
    because keys that were revoked meanwhile would still open.
    """

    def __init__(self, directory: Directory, keyring: Keyring, outdated_seconds: float) -> None:
        self._directory = directory
        self._keyring = keyring
        self._outdated_seconds = outdated_seconds
        self._touched: dict[str, float] = {}
        self._touching: set[asyncio.Task[None]] = set()
        self._absence = Absence(_LOGGER, "the use of keys cannot be noted", "the use of keys can be noted again")

    async def authenticate(self, token: str) -> Caller:
        """The caller of a token; TokenRefused says why there is none, and Unavailable that it is not known."""
        self._require_knowledge()
        digest = tokens.digest(token, self._keyring.pepper)
        key = self._directory.keys.get(digest)
        if key is None and tokens.checksum_ok(token):
            key = await self._directory.store.key_by_digest(digest)
            if key is not None and key.revoked_at is None:
                await self._directory.refresh()  # another process has just made it, and perhaps what it reaches
        caller = check_key(key)
        self._touch(caller)
        return caller

    def readmit(self, caller: Caller) -> None:
        """Let a caller of before ask once more, or refuse it like one that comes."""
        self._require_knowledge()
        self.recheck(caller)

    def recheck(self, caller: Caller) -> None:
        """Refuse a caller whose key is no longer in force."""
        key = self._directory.keys.get(caller.key.digest)
        if key is None:
            raise TokenRefused(ErrorCode.TOKEN_REVOKED, "This token was revoked.")
        check_key(key)

    def _require_knowledge(self) -> None:
        if self._directory.age > self._outdated_seconds:
            raise Outdated(f"for {self._directory.age:.0f} seconds it was not known which tokens are in force")

    def _touch(self, caller: Caller) -> None:
        """Have it noted that a key is in use, at most once a minute; nobody waits for it."""
        now = asyncio.get_running_loop().time()
        if now - self._touched.get(caller.key.id, -_TOUCH_SECONDS) >= _TOUCH_SECONDS:
            self._touched[caller.key.id] = now
            task = asyncio.create_task(self._note_use(caller.key.id))
            self._touching.add(task)
            task.add_done_callback(self._touching.discard)

    async def _note_use(self, key_id: str) -> None:
        try:
            await self._directory.store.touch_key(key_id, datetime.now(UTC))
        except StoreError as error:
            self._absence.met(error)
        else:
            self._absence.over()

    async def close(self) -> None:
        """Wait until the uses of keys are noted."""
        await asyncio.gather(*self._touching, return_exceptions=True)
