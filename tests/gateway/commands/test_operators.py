"""The operator's keys and token: made once, readable by their owner alone, and counted as the settings say."""

import asyncio
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.commands.operators import admin_token_file, admit_operator, initialize
from gateway.keys import tokens
from gateway.keys.keyring import Keyring, KeyringError
from gateway.settings import Settings, SettingsError
from gateway.stores.errors import StoreError
from gateway.stores.sql import Store

ONE, OTHER = "a-token-of-the-operator", "another-token-of-theirs"


def settings(folder: Path, token: str | None = None, **more: object) -> Settings:
    secret = SecretStr(token) if token is not None else None
    return Settings(data_directory=folder, admin_token=secret, **more)  # type: ignore[arg-type]


async def in_force(folder: Path, keyring: Keyring) -> set[str]:
    """Which of our tokens count as admin tokens."""
    store = await Store.open(settings(folder).store_url)
    try:
        kept = (await store.snapshot()).keys
    finally:
        await store.close()
    return {name for name in (ONE, OTHER) if tokens.digest(name, keyring.pepper) in kept}


async def test_beginning_makes_keys_and_a_token_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    token = await initialize(settings(folder))
    assert token is not None
    assert tokens.kind_of(token) is tokens.TokenKind.ADMIN
    assert admin_token_file(settings(folder)).read_text() == f"{token}\n"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "keys.json": 0o600,
        "admin-token": 0o600,
        "switchgear.db": 0o600,
    }
    assert await admit_operator(settings(folder), Keyring.load(folder / "keys.json"))


def texts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".db"}


async def test_beginning_twice_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    await initialize(settings(tmp_path))
    before = texts(tmp_path)
    with pytest.raises(KeyringError, match="exists already"):
        await initialize(settings(tmp_path))
    assert texts(tmp_path) == before


async def test_a_given_token_is_not_written_down(tmp_path: Path) -> None:
    assert await initialize(settings(tmp_path, ONE)) is None
    assert not admin_token_file(settings(tmp_path)).exists()


@pytest.mark.parametrize("fault", ["store", "token file"])
async def test_a_beginning_that_fails_can_be_made_again(tmp_path: Path, fault: str) -> None:
    wrong = settings(tmp_path)
    if fault == "store":
        wrong = settings(tmp_path, database_url=SecretStr("oracle://nowhere/x"))
    else:
        admin_token_file(wrong).write_text("of an earlier life\n")
    with pytest.raises((StoreError, FileExistsError)):
        await initialize(wrong)
    assert not (tmp_path / "keys.json").exists()
    admin_token_file(wrong).unlink(missing_ok=True)
    assert await initialize(settings(tmp_path)) is not None


async def test_without_any_token_nobody_is_admitted(tmp_path: Path) -> None:
    assert not await admit_operator(settings(tmp_path), Keyring.generate())


async def test_the_token_of_the_settings_counts_until_they_name_another(tmp_path: Path) -> None:
    keyring = Keyring.generate()
    for _ in range(2):
        assert await admit_operator(settings(tmp_path, ONE), keyring)
        assert await in_force(tmp_path, keyring) == {ONE}
    assert await admit_operator(settings(tmp_path, OTHER), keyring)
    assert await in_force(tmp_path, keyring) == {OTHER}
    assert not await admit_operator(settings(tmp_path), keyring)
    assert await in_force(tmp_path, keyring) == set()


async def test_several_processes_may_begin_with_the_same_token_at_once(tmp_path: Path) -> None:
    keyring = Keyring.generate()
    await admit_operator(settings(tmp_path, OTHER), keyring)
    began = await asyncio.gather(*(admit_operator(settings(tmp_path, ONE), keyring) for _ in range(8)))
    assert began == [True] * 8
    assert await in_force(tmp_path, keyring) == {ONE}


async def test_a_token_that_was_revoked_does_not_come_back(tmp_path: Path) -> None:
    keyring = Keyring.generate()
    await admit_operator(settings(tmp_path, ONE), keyring)
    await admit_operator(settings(tmp_path, OTHER), keyring)
    with pytest.raises(SettingsError, match="was revoked") as caught:
        await admit_operator(settings(tmp_path, ONE), keyring)
    assert ONE not in str(caught.value)
    assert await in_force(tmp_path, keyring) <= {OTHER}
