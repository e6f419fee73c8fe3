"""The keyring: the keys that protect stored credentials, tokens and cursors, and sealing with them.

Sealing is an envelope. A random data key encrypts the text, and the current key-encryption key encrypts the
data key; both with AES-256-GCM, and both bound to the tenant and the row they belong to, so that a sealed
text that was moved to another row opens nowhere. The keys live in a file of their own, never in the database.
"""

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = "1"
_KEY_LENGTH = 32
_NONCE_LENGTH = 12


class KeyringError(Exception):
    """The key file cannot be used; the message says why and names the file."""


class SealBroken(Exception):
    """A sealed text does not open: damaged, sealed for another tenant or row, or under a key we lack."""


class Keyring:
    """Key-encryption keys by id, and the keys for token digests and cursors.

    `roots` are the secrets that key-encryption keys are derived from, by id; new texts are sealed under
    `current`. `base` is the secret that everything else is derived from; it must outlive a rotation of the
    others, because token digests cannot be computed again. Every secret has 32 bytes.
    """

    def __init__(self, *, roots: Mapping[str, bytes], current: str, base: bytes) -> None:
        if current not in roots:
            raise KeyringError(f"the current key {current!r} is not among the keys")
        if any(not key_id or "." in key_id for key_id in roots):
            raise KeyringError("a key id must not be empty or contain a dot")
        if any(len(secret) != _KEY_LENGTH for secret in (base, *roots.values())):
            raise KeyringError(f"every key must have {_KEY_LENGTH} bytes")
        self._roots = dict(roots)
        self._base = base
        self._current = current
        self._wrapping = {key_id: AESGCM(_derive(root, "wrapping")) for key_id, root in roots.items()}
        self._pepper = _derive(base, "token digests")
        self._cursor_key = _derive(base, "cursors")

    @classmethod
    def generate(cls) -> Self:
        """Make a keyring of new random keys, in memory only."""
        return cls(
            roots={"k1": secrets.token_bytes(_KEY_LENGTH)},
            current="k1",
            base=secrets.token_bytes(_KEY_LENGTH),
        )

    @classmethod
    def create(cls, path: Path) -> Self:
        """Write a new keyring to `path`, readable by its owner alone; an existing file is never touched."""
        keyring = cls.generate()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise KeyringError(f"{path.parent} cannot be made: {error.strerror}") from error
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyringError(f"{path} exists already; a key file is never overwritten") from None
        except OSError as error:
            raise KeyringError(f"{path} cannot be made: {error.strerror}") from error
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(keyring._document(), file, indent=2)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink()
            raise
        return keyring

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the keyring at `path`; a file that others may read is refused."""
        try:
            with path.open() as file:
                mode = os.fstat(file.fileno()).st_mode
                if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
                    raise KeyringError(f"{path} is open to other users; allow its owner alone: chmod 600 {path}")
                text = file.read()
        except FileNotFoundError:
            raise KeyringError(f"{path} does not exist; make it with `switchgear init`") from None
        except OSError as error:
            raise KeyringError(f"{path} cannot be read: {error.strerror}") from error
        try:
            return cls._from_document(json.loads(text))
        except KeyringError as error:
            raise KeyringError(f"{path}: {error}") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            # No cause: the decoder's exception holds the whole file.
            raise KeyringError(f"{path} is not a key file") from None

    @property
    def pepper(self) -> bytes:
        """The key for token digests."""
        return self._pepper

    @property
    def cursor_key(self) -> bytes:
        """The key that signs cursors."""
        return self._cursor_key

    def seal(self, plaintext: bytes, *, tenant: str, row: str) -> str:
        """Encrypt so that only this tenant's row opens it; the result is printable text."""
        bound_to = _bound_to(tenant, row)
        data_key = secrets.token_bytes(_KEY_LENGTH)
        wrapped = _encrypt(self._wrapping[self._current], data_key, bound_to)
        sealed = _encrypt(AESGCM(data_key), plaintext, bound_to)
        return ".".join((_VERSION, self._current, wrapped, sealed))

    def unseal(self, text: str, *, tenant: str, row: str) -> bytes:
        """Decrypt what was sealed for this tenant's row; anything else raises SealBroken."""
        bound_to = _bound_to(tenant, row)
        try:
            _, key_id, wrapped, sealed = self._parts(text)
            data_key = _decrypt(self._wrapping[key_id], wrapped, bound_to)
            return _decrypt(AESGCM(data_key), sealed, bound_to)
        except InvalidTag:
            raise SealBroken("the sealed text is damaged or belongs to another row") from None
        except ValueError:
            raise SealBroken("the sealed text is malformed") from None

    def rotated(self) -> Self:
        """The same keys with a new one, under which texts are sealed from now on."""
        numbers = [int(key_id[1:]) for key_id in self._roots if key_id[0] == "k" and key_id[1:].isdigit()]
        current = f"k{max(numbers, default=0) + 1}"
        return type(self)(
            roots={**self._roots, current: secrets.token_bytes(_KEY_LENGTH)}, current=current, base=self._base
        )

    def replace(self, path: Path) -> None:
        """Write this keyring in the place of the one at `path`, at once and whole."""
        beside = path.with_name(f"{path.name}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._document(), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    def rewrap(self, text: str, *, tenant: str, row: str) -> str:
        """Put a sealed text under the current key; what is sealed stays as it is, only its data key is wrapped anew."""
        version, key_id, wrapped, sealed = self._parts(text)
        bound_to = _bound_to(tenant, row)
        try:
            data_key = _decrypt(self._wrapping[key_id], wrapped, bound_to)
        except InvalidTag:
            raise SealBroken("the sealed text is damaged or belongs to another row") from None
        return ".".join((version, self._current, _encrypt(self._wrapping[self._current], data_key, bound_to), sealed))

    def _parts(self, text: str) -> tuple[str, str, str, str]:
        try:
            version, key_id, wrapped, sealed = text.split(".")
        except ValueError:
            raise SealBroken("the sealed text is malformed") from None
        if version != _VERSION:
            raise SealBroken("the sealed text has an unknown version")
        if key_id not in self._wrapping:
            raise SealBroken(f"the keyring has no key {key_id!r}")
        return version, key_id, wrapped, sealed

    def __repr__(self) -> str:
        return f"Keyring(current={self._current!r}, keys={sorted(self._wrapping)})"

    def _document(self) -> dict[str, Any]:
        return {
            "version": 1,
            "current": self._current,
            "keys": {key_id: _text(root) for key_id, root in self._roots.items()},
            "base": _text(self._base),
        }

    @classmethod
    def _from_document(cls, document: Mapping[str, Any]) -> Self:
        if document["version"] != 1:
            raise KeyringError("the key file was made by a newer version")
        return cls(
            roots={key_id: _bytes(text) for key_id, text in document["keys"].items()},
            current=document["current"],
            base=_bytes(document["base"]),
        )


def _derive(secret: bytes, purpose: str) -> bytes:
    """Derive the key for one purpose, so that no key is ever used for two."""
    info = f"switchgear/v1/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=_KEY_LENGTH, salt=None, info=info).derive(secret)


def _bound_to(tenant: str, row: str) -> bytes:
    if "|" in tenant or "|" in row:
        raise ValueError("a tenant or row id must not contain '|'")
    return f"{_VERSION}|{tenant}|{row}".encode()


def _encrypt(cipher: AESGCM, plaintext: bytes, bound_to: bytes) -> str:
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    return _text(nonce + cipher.encrypt(nonce, plaintext, bound_to))


def _decrypt(cipher: AESGCM, text: str, bound_to: bytes) -> bytes:
    data = _bytes(text)
    return cipher.decrypt(data[:_NONCE_LENGTH], data[_NONCE_LENGTH:], bound_to)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
