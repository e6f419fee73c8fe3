import base64
import json
import os
from pathlib import Path

import pytest

from gateway.keys.keyring import Keyring, KeyringError, SealBroken

SECRET = b'{"password": "hunter2"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keys.json"


def test_what_was_sealed_opens_for_its_row() -> None:
    keyring = Keyring.generate()
    sealed = keyring.seal(SECRET, tenant="cus_1", row="con_1")
    assert keyring.unseal(sealed, tenant="cus_1", row="con_1") == SECRET
    assert "hunter2" not in sealed
    assert sealed.isascii()
    assert keyring.unseal(keyring.seal(b"", tenant="t", row="r"), tenant="t", row="r") == b""


@pytest.mark.parametrize(("tenant", "row"), [("cus_2", "con_1"), ("cus_1", "con_2"), ("cus_1c", "on_1"), ("", "")])
def test_a_sealed_text_that_was_moved_does_not_open(tenant: str, row: str) -> None:
    keyring = Keyring.generate()
    sealed = keyring.seal(SECRET, tenant="cus_1", row="con_1")
    with pytest.raises(SealBroken, match="another row"):
        keyring.unseal(sealed, tenant=tenant, row=row)


def test_both_layers_are_bound_to_the_row() -> None:
    keyring = Keyring.generate()
    one = keyring.seal(b"one", tenant="t", row="1").split(".")
    two = keyring.seal(b"two", tenant="t", row="2").split(".")
    for mixed in ([*one[:3], two[3]], [*two[:3], one[3]]):
        for row in ("1", "2"):
            with pytest.raises(SealBroken):
                keyring.unseal(".".join(mixed), tenant="t", row=row)


def test_a_bar_in_an_id_could_move_the_border_and_is_refused() -> None:
    keyring = Keyring.generate()
    for tenant, row in (("a|b", "c"), ("a", "b|c")):
        with pytest.raises(ValueError, match=r"'\|'"):
            keyring.seal(SECRET, tenant=tenant, row=row)


def test_another_keyring_opens_nothing() -> None:
    sealed = Keyring.generate().seal(SECRET, tenant="t", row="r")
    with pytest.raises(SealBroken):
        Keyring.generate().unseal(sealed, tenant="t", row="r")


def test_every_damage_is_found() -> None:
    keyring = Keyring.generate()
    version, key_id, *parts = keyring.seal(SECRET, tenant="t", row="r").split(".")
    for number, part in enumerate(parts):
        data = base64.urlsafe_b64decode(part)
        for position in range(len(data)):
            flipped = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
            damaged = [*parts]
            damaged[number] = base64.urlsafe_b64encode(flipped).decode()
            with pytest.raises(SealBroken):
                keyring.unseal(".".join([version, key_id, *damaged]), tenant="t", row="r")


@pytest.mark.parametrize(
    "text", ["", "x", "1.k1.a.b", "2.k1.YWJj.YWJj", "1.k9.YWJj.YWJj", "1.k1.YWJj.YWJj", "1.k1.ä.ä"]
)
def test_other_text_is_a_broken_seal(text: str) -> None:
    with pytest.raises(SealBroken):
        Keyring.generate().unseal(text, tenant="t", row="r")


def test_equal_texts_are_sealed_differently() -> None:
    keyring = Keyring.generate()
    assert len({keyring.seal(SECRET, tenant="t", row="r") for _ in range(100)}) == 100


def test_older_keys_still_open_what_they_sealed() -> None:
    old, new, base = b"o" * 32, b"n" * 32, b"b" * 32
    before = Keyring(roots={"k1": old}, current="k1", base=base)
    after = Keyring(roots={"k1": old, "k2": new}, current="k2", base=base)
    sealed = before.seal(SECRET, tenant="t", row="r")
    assert after.unseal(sealed, tenant="t", row="r") == SECRET
    assert after.seal(SECRET, tenant="t", row="r").startswith("1.k2.")
    assert (before.pepper, before.cursor_key) == (after.pepper, after.cursor_key)


def test_every_purpose_has_its_own_key() -> None:
    root = b"r" * 32
    keyring = Keyring(roots={"k1": root}, current="k1", base=root)
    keys = {root, keyring.pepper, keyring.cursor_key}
    assert len(keys) == 3
    assert all(len(key) == 32 for key in keys)


def test_no_key_is_shown() -> None:
    keyring = Keyring(roots={"k1": b"secret-root-secret-root-secret-r"}, current="k1", base=b"b" * 32)
    assert repr(keyring) == str(keyring) == "Keyring(current='k1', keys=['k1'])"


@pytest.mark.parametrize(
    ("roots", "current", "base"),
    [
        ({}, "k1", b"b" * 32),
        ({"k1": b"short"}, "k1", b"b" * 32),
        ({"a.b": b"r" * 32}, "a.b", b"b" * 32),
        ({"k1": b"r" * 32}, "k1", b""),
    ],
)
def test_keys_that_cannot_work_are_refused(roots: dict[str, bytes], current: str, base: bytes) -> None:
    with pytest.raises(KeyringError):
        Keyring(roots=roots, current=current, base=base)


# The file


def test_a_keyring_survives_in_its_file(path: Path) -> None:
    created = Keyring.create(path)
    loaded = Keyring.load(path)
    assert loaded.unseal(created.seal(SECRET, tenant="t", row="r"), tenant="t", row="r") == SECRET
    assert (loaded.pepper, loaded.cursor_key) == (created.pepper, created.cursor_key)


def test_the_file_is_its_owners_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        Keyring.create(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_an_existing_file_is_never_overwritten(path: Path) -> None:
    Keyring.create(path)
    before = path.read_bytes()
    with pytest.raises(KeyringError, match="exists already"):
        Keyring.create(path)
    assert path.read_bytes() == before


def test_a_link_is_not_followed(path: Path) -> None:
    path.parent.mkdir()
    target = path.parent / "elsewhere"
    path.symlink_to(target)
    with pytest.raises(KeyringError, match="exists already"):
        Keyring.create(path)
    assert not target.exists()


def test_a_file_that_cannot_be_written_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        Keyring.create(path)
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620, 0o601])
def test_a_file_that_others_may_use_is_refused(path: Path, mode: int) -> None:
    Keyring.create(path)
    path.chmod(mode)
    with pytest.raises(KeyringError, match="chmod 600"):
        Keyring.load(path)
    path.chmod(0o400)
    Keyring.load(path)


def test_a_missing_file_is_named_with_the_remedy(path: Path) -> None:
    with pytest.raises(KeyringError, match="switchgear init") as caught:
        Keyring.load(path)
    assert str(path) in str(caught.value)


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="cannot be read"):
        Keyring.load(tmp_path)


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "keys.json", tmp_path / ("k" * 300)):
        with pytest.raises(KeyringError, match="cannot be made"):
            Keyring.create(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"version": 1}',
        '{"version": 1, "current": "k1", "keys": {"k1": "hunter2"}, "base": "hunter2"}',
    ],
)
def test_other_files_are_no_key_files_and_are_not_quoted(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyringError) as caught:
        Keyring.load(path)
    assert str(path) in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_newer_file_is_refused(path: Path) -> None:
    Keyring.create(path)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "version": 2}))
    with pytest.raises(KeyringError, match="newer version"):
        Keyring.load(path)
