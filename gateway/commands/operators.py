"""The operator's beginnings: keys and the admin token, made once and kept where only their owner can read."""

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path

from gateway.keys import tokens
from gateway.keys.keyring import Keyring
from gateway.settings import Settings, SettingsError
from gateway.stores import rows
from gateway.stores.errors import StoreError
from gateway.stores.sql import Store

ADMIN_SCOPES = ("READ", "WRITE", "MANAGE")
_FROM_SETTINGS = "from SWITCHGEAR_ADMIN_TOKEN"
_FROM_INIT = "from switchgear init"


def admin_token_file(settings: Settings) -> Path:
    """Where `init` leaves the admin token."""
    return settings.data_directory / "admin-token"


async def initialize(settings: Settings) -> str | None:
    """Make the keys and the admin token; the token, or None where the settings already give one."""
    settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = admin_token_file(settings)
    # What may fail comes first: keys are never made twice, so a beginning cannot be left half made.
    if path.exists() and not settings.keys_path.exists():
        raise FileExistsError(f"{path} exists already, without its keys; move it away")
    store = await Store.open(settings.store_url)
    try:
        keyring = Keyring.create(settings.keys_path)
        if settings.admin_token is not None:
            return None
        token = tokens.mint(tokens.TokenKind.ADMIN)
        secret = token.secret.get_secret_value()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
        await store.create_api_key(_admin_row(secret, token.preview, keyring, _FROM_INIT))
    finally:
        await store.close()
    return secret


async def admit_operator(settings: Settings, keyring: Keyring) -> bool:
    """Make the token of the settings count, and no earlier one of theirs; whether any admin token is in force."""
    store = await Store.open(settings.store_url)
    try:
        given = settings.admin_token.get_secret_value() if settings.admin_token is not None else None
        wanted = tokens.digest(given, keyring.pepper) if given is not None else None
        admins = [key for key in (await store.snapshot()).keys.values() if key.kind is tokens.TokenKind.ADMIN]
        for key in admins:
            if key.name == _FROM_SETTINGS and key.digest != wanted:
                await store.revoke_api_key(key.id, customer_id=None)
        if given is not None and wanted not in {key.digest for key in admins}:
            await _admit(store, _admin_row(given, f"…{given[-4:]}", keyring, _FROM_SETTINGS))
        return any(key.kind is tokens.TokenKind.ADMIN for key in (await store.snapshot()).keys.values())
    finally:
        await store.close()


async def _admit(store: Store, row: rows.ApiKey) -> None:
    """Add an admin key, unless another process that begins with the same token has been quicker."""
    with contextlib.suppress(StoreError):
        await store.create_api_key(row)
    kept = await store.key_by_digest(row.digest)
    if kept is None or kept.revoked_at is not None:
        raise SettingsError("SWITCHGEAR_ADMIN_TOKEN: this token was revoked; choose another.")


def _admin_row(secret: str, preview: str, keyring: Keyring, name: str) -> rows.ApiKey:
    return rows.ApiKey(
        id=rows.new_id("key"),
        kind=tokens.TokenKind.ADMIN,
        name=name,
        scopes=ADMIN_SCOPES,
        digest=tokens.digest(secret, keyring.pepper),
        preview=preview,
        created_at=datetime.now(UTC),
    )
