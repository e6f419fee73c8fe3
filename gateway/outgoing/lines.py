"""How the calls of a connection travel: whom they trust and what they show over TLS, what they carry, through whom."""

import base64
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
from pydantic import SecretStr

from connectors.errors import CertificateRefused, Sent
from gateway.keys.sealed import Sealed


@dataclass(frozen=True)
class Tls:
    """What one connection trusts and shows over TLS.

    Both certificates are PEM text. `certificate_authority` is trusted beside the public authorities;
    `client_certificate` holds the chain and its private key; `server_name` is the name that the server's
    certificate must carry, where that is not the host's.
    """

    certificate_authority: str | None = None
    client_certificate: SecretStr | None = None
    server_name: str | None = None

    def context(self) -> ssl.SSLContext:
        """Build the TLS context; text that is no certificate raises ssl.SSLError."""
        context = httpx.create_ssl_context(trust_env=False)
        if self.certificate_authority is not None:
            context.load_verify_locations(cadata=self.certificate_authority)
        if self.client_certificate is not None:
            # The ssl module reads a private key from a file only; this one is ours alone and gone at once.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(self.client_certificate.get_secret_value())
                file.flush()
                context.load_cert_chain(file.name)
        return context


@dataclass(frozen=True)
class Proxy:
    """A proxy at `url`, which is http://host:port; `login` is its user and password, joined by a colon."""

    url: str
    login: SecretStr | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """What is said to the proxy itself."""
        if self.login is None:
            return {}
        token = base64.b64encode(self.login.get_secret_value().encode("latin-1")).decode()
        return {"Proxy-Authorization": f"Basic {token}"}


@dataclass(frozen=True)
class Line:
    """How calls travel; a plain one trusts the public authorities and carries nothing of its own."""

    tls: Tls = field(default_factory=Tls)
    proxy: Proxy | None = None
    headers: Mapping[str, SecretStr] = field(default_factory=dict)

    @cached_property
    def context(self) -> ssl.SSLContext | None:
        """The TLS context of its own, which is built once; None where the public authorities will do.

        Certificates that OpenSSL does not take are CertificateRefused.
        """
        if self.tls.certificate_authority is None and self.tls.client_certificate is None:
            return None
        try:
            return self.tls.context()
        except ssl.SSLError as error:
            message = f"The certificates cannot be used: {error.reason or 'OpenSSL refuses them'}."
            remedy = "Give others in `settings.tls`, with `updateConnectionSettings`: old kinds of key are too weak."
            raise CertificateRefused(message, sent=Sent.NOT_SENT, remedy=remedy) from None


PLAIN = Line()


def line_of(settings: Mapping[str, Any], sealed: Sealed) -> Line:
    """The line of a connection, from its settings and what is sealed of them."""
    tls, proxy_url = settings.get("tls") or {}, settings.get("proxyUrl")
    certificate = tls.get("clientCertificate")
    if certificate and not sealed.client_key:
        message = "The key of the client certificate cannot be read any more."
        remedy = "Give certificate and key again in `settings.tls`, with `updateConnectionSettings`."
        raise CertificateRefused(message, sent=Sent.NOT_SENT, remedy=remedy)
    return Line(
        Tls(
            tls.get("certificateAuthority"),
            SecretStr(f"{certificate}\n{sealed.client_key}") if certificate else None,
            tls.get("serverName"),
        ),
        Proxy(proxy_url, SecretStr(sealed.proxy_login) if sealed.proxy_login else None) if proxy_url else None,
        {name: SecretStr(value) for name, value in sealed.headers.items()},
    )
