"""A new encryption key: everything opens afterwards, nothing under the old key alone, and no key is ever lost."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.commands.neighbours import marked
from gateway.keys.keyring import Keyring, SealBroken
from gateway.stores.sql import Store
from tests.gateway.running import PASSWORD, running_gateway, stand_in


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWITCHGEAR_DATA_DIRECTORY", str(tmp_path))
    return tmp_path


def test_a_sealed_text_is_put_under_a_new_key() -> None:
    old = Keyring.generate()
    sealed = old.seal(b"secret", tenant="cus_1", row="con_1")
    renewed = old.rotated()
    moved = renewed.rewrap(sealed, tenant="cus_1", row="con_1")
    assert renewed.unseal(moved, tenant="cus_1", row="con_1") == b"secret"
    assert renewed.unseal(sealed, tenant="cus_1", row="con_1") == b"secret", "older backups still open"
    assert moved.split(".")[-1] == sealed.split(".")[-1], "only the data key is wrapped anew"
    with pytest.raises(SealBroken):
        old.unseal(moved, tenant="cus_1", row="con_1")
    for tenant, row in (("cus_2", "con_1"), ("cus_1", "con_2")):
        with pytest.raises(SealBroken):
            renewed.rewrap(sealed, tenant=tenant, row=row)
    assert renewed.pepper == old.pepper, "tokens stay valid"
    assert renewed.cursor_key == old.cursor_key


async def connect(folder: Path, keyring: Keyring) -> None:
    async with stand_in() as erp, running_gateway(folder, keyring) as gateway:
        await gateway.connected(erp)


async def sealed(folder: Path) -> list[tuple[str, str, str]]:
    store = await Store.open(f"sqlite:///{folder / 'switchgear.db'}")
    try:
        return await store.sealed()
    finally:
        await store.close()


def test_rotation_and_verification(folder: Path) -> None:
    import asyncio

    keyring = Keyring.create(folder / "keys.json")
    asyncio.run(connect(folder, keyring))
    before = asyncio.run(sealed(folder))
    assert run("keys", "verify").output == "All 1 credentials can be opened.\n"
    rotated = run("keys", "rotate")
    assert rotated.exit_code == 0, rotated.output
    assert rotated.output.startswith("1 credentials are under a new key.")
    ((tenant, row, text),) = after = asyncio.run(sealed(folder))
    assert after != before
    assert PASSWORD.encode() in Keyring.load(folder / "keys.json").unseal(text, tenant=tenant, row=row)
    assert (folder / "keys.json").stat().st_mode & 0o777 == 0o600
    assert run("keys", "verify").exit_code == 0
    keyring.replace(folder / "keys.json")
    broken = run("keys", "verify")
    assert broken.exit_code == 1
    assert row in broken.output
    assert PASSWORD not in broken.output


def test_rotation_waits_until_nobody_serves(folder: Path) -> None:
    Keyring.create(folder / "keys.json")
    before = (folder / "keys.json").read_bytes()
    with marked(folder) as other:
        assert other is None
        refused = run("keys", "rotate")
    assert refused.exit_code == 1
    assert str(os.getpid()) in refused.output
    assert (folder / "keys.json").read_bytes() == before


def test_without_keys_there_is_nothing_to_rotate(folder: Path) -> None:
    for command in ("rotate", "verify"):
        said = run("keys", command)
        assert said.exit_code == 1
        assert "switchgear init" in said.output
