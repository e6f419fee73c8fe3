"""What callers type about certificates, proxy and headers: every mistake is named, and no secret is repeated."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from connectors.errors import CertificateRefused
from gateway.connecting.forms import Refused, invalid
from gateway.keys.sealed import Sealed
from gateway.outgoing.lines import line_of
from gateway.outgoing.urls import UrlRefused

_MOST_HEADERS = 20
_MOST_TEXT = 200_000
_MOST_VALUE = 8_000
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_SERVER_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
_OUR_HEADERS = """
accept accept-charset accept-encoding authorization connection content-encoding content-length content-type cookie
dataserviceversion expect host if-match if-none-match keep-alive maxdataserviceversion odata-maxversion odata-version
prefer proxy-authorization proxy-connection traceparent tracestate trailer transfer-encoding upgrade user-agent
x-csrf-token x-odoo-database
"""
"""What the product sets itself."""


class Form(BaseModel):
    """Part of what was typed, named as callers name it."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class TlsForm(Form):
    """What is trusted and shown over TLS; what is not set stays, and null takes it back."""

    certificate_authority: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    server_name: str | None = None


class HeaderForm(Form):
    """A header that is added to every call."""

    name: str
    value: str


class LineForm(Form):
    """How calls travel; what is not set stays as it is, and null takes back what was set."""

    proxy_url: str | None = None
    tls: TlsForm | None = None
    headers: list[HeaderForm] | None = None

    @property
    def changes_line(self) -> bool:
        """Whether it says anything of how calls travel."""
        return bool(self.model_fields_set & LineForm.model_fields.keys())

    def check_line(self, now: datetime) -> None:
        """Refuse what could not be used, before it is seen whether it fits to what is there."""
        if self.tls is not None:
            _check_tls(self.tls, now)
        if self.proxy_url is not None:
            split_proxy(self.proxy_url)
        _check_headers(self.headers or ())

    def line_settings(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that are not secret as they will be; None takes one back."""
        changed: dict[str, Any] = {}
        if "proxy_url" in self.model_fields_set:
            changed["proxyUrl"] = split_proxy(self.proxy_url)[0] if self.proxy_url else None
        if "headers" in self.model_fields_set:
            changed["headerNames"] = [item.name for item in self.headers or ()] or None
        if "tls" in self.model_fields_set:
            changed["tls"] = _merged_tls(self.tls, before.get("tls") or {}) or None
        return changed

    def secrets(self, before: Sealed) -> Sealed:
        """The secrets as they will be."""
        after = before
        if "proxy_url" in self.model_fields_set:
            after = replace(after, proxy_login=split_proxy(self.proxy_url)[1] if self.proxy_url else None)
        if "headers" in self.model_fields_set:
            after = replace(after, headers={item.name: item.value for item in self.headers or ()})
        if "tls" in self.model_fields_set:
            after = replace(after, client_key=self._client_key(before))
        return after

    def _client_key(self, before: Sealed) -> str | None:
        if self.tls is None:
            return None
        typed = self.tls.model_fields_set
        if "client_certificate" in typed and self.tls.client_certificate is None:
            return None
        return self.tls.client_key if "client_key" in typed else before.client_key


def check_fit(settings: Mapping[str, Any], secrets: Sealed) -> None:
    """Refuse a client certificate without its key, the reverse, and what cannot be used together."""
    certificate, key = (settings.get("tls") or {}).get("clientCertificate"), secrets.client_key
    if certificate and not key:
        raise invalid("settings.tls.clientKey", "The key of the client certificate is missing.")
    if key and not certificate:
        raise invalid("settings.tls.clientCertificate", "The certificate of the client key is missing.")
    if certificate and key and _public_of(certificate) != _public(load_pem_private_key(key.encode(), None)):
        raise invalid("settings.tls.clientKey", "The key does not belong to the client certificate.")
    try:
        _ = line_of(settings, secrets).context
    except CertificateRefused as refused:
        raise invalid("settings.tls", refused.message) from None


def split_proxy(url: str) -> tuple[str, str | None]:
    """The address of a proxy, and its user and password, joined by a colon."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise invalid("settings.proxyUrl", "This proxy cannot be used: it is not a URL.") from None
    if not parsed.userinfo:
        return str(parsed), None
    user, colon, password = parsed.userinfo.decode().partition(":")
    if not user or not colon:
        raise invalid("settings.proxyUrl", "A login at the proxy is a user and a password, joined by a colon.")
    login = f"{unquote(user)}:{unquote(password)}"
    if ":" in unquote(user) or not login.isprintable() or not _is_latin(login):
        raise invalid("settings.proxyUrl", "The login at the proxy holds a character that cannot be sent.")
    return str(parsed.copy_with(username=None, password=None)), login


def no_proxy(error: UrlRefused) -> Refused:
    """The refusal for a proxy that may not be used."""
    return invalid("settings.proxyUrl", f"This proxy cannot be used: {error.reason}.")


def _merged_tls(given: TlsForm | None, before: Mapping[str, Any]) -> dict[str, Any]:
    if given is None:
        return {}
    changed = {to_camel(name): value for name, value in given if name in given.model_fields_set}
    changed.pop("clientKey", None)
    merged = {**before, **changed}
    if "clientCertificate" in changed:
        certificate = changed["clientCertificate"]
        merged["clientCertificateExpiresAt"] = _expiry(_certificates(certificate)[:1]) if certificate else None
    return {name: value for name, value in merged.items() if value is not None}


def _check_tls(given: TlsForm, now: datetime) -> None:
    for name in ("certificate_authority", "client_certificate"):
        text = getattr(given, name)
        if text is not None:
            _check_certificates(f"settings.tls.{to_camel(name)}", text, now)
    if given.client_key is not None:
        _check_key(given.client_key)
    if given.server_name is not None and not _SERVER_NAME.fullmatch(given.server_name):
        raise invalid("settings.tls.serverName", "This is not a host name.", given.server_name)


def _check_certificates(where: str, text: str, now: datetime) -> None:
    try:
        found = _certificates(text)
    except (ValueError, TypeError):
        found = []
    if not found or len(text) > _MOST_TEXT:
        raise invalid(where, "This is no certificate as PEM, which begins with -----BEGIN CERTIFICATE-----.")
    if "PRIVATE KEY" in text:
        raise invalid(where, "A private key is in here; it belongs into `clientKey` alone.")
    is_over = _expiry(found[:1] if where.endswith("clientCertificate") else found) <= now.isoformat()
    if is_over:
        raise invalid(where, f"The certificate has expired, on {_expiry(found)[:10]}.")


def _check_key(text: str) -> None:
    where = "settings.tls.clientKey"
    try:
        load_pem_private_key(text.encode(), None)
    except TypeError:
        raise invalid(where, "The key is encrypted; give it without a passphrase.") from None
    except Exception:  # the library has an exception of its own for each kind of key
        raise invalid(where, "This is no private key as PEM, such as one of OpenSSL.") from None


def _check_headers(given: Sequence[HeaderForm]) -> None:
    if len(given) > _MOST_HEADERS:
        raise invalid("settings.headers", f"At most {_MOST_HEADERS} headers can be added.")
    names = [item.name.lower() for item in given]
    for place, item in enumerate(given):
        where = f"settings.headers.{place}"
        if not _HEADER_NAME.fullmatch(item.name):
            raise invalid(f"{where}.name", "A header's name has letters, digits and hyphens.")
        if names[place] in _OUR_HEADERS.split():
            raise invalid(f"{where}.name", f"{item.name} is set by the product itself.")
        if names[place] in names[:place]:
            raise invalid(f"{where}.name", "Another one has this name already.")
        if len(item.value) > _MOST_VALUE or not _HEADER_VALUE.fullmatch(item.value):
            raise invalid(f"{where}.value", f"A value has 1 to {_MOST_VALUE} characters of ASCII, in one line.")


def _certificates(text: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(text.encode())


def _expiry(found: Sequence[x509.Certificate]) -> str:
    """When the first of some certificates expires, in UTC."""
    return min(item.not_valid_after_utc for item in found).astimezone(UTC).isoformat()


def _public_of(certificate: str) -> bytes:
    return _public(_certificates(certificate)[0])


def _public(holder: Any) -> bytes:
    encoded: bytes = holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _is_latin(text: str) -> bool:
    return all(ord(sign) < 256 for sign in text)
