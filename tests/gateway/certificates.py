"""Certificates for tests: an authority that lives as long as the test."""

import datetime
import ssl
import tempfile
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

HOUR = datetime.timedelta(hours=1)


class Pair(NamedTuple):
    """A certificate and its private key, as PEM."""

    certificate: str
    key: str


class Authority:
    """Signs certificates for names; `lasts` is how long from now its own is valid."""

    def __init__(self, name: str = "test authority", lasts: datetime.timedelta = HOUR) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._certificate = self._sign(self._name, self._key.public_key(), lasts, is_authority=True)
        self.pem = self._certificate.public_bytes(Encoding.PEM).decode()

    def pair(
        self, name: str, lasts: datetime.timedelta = HOUR, passphrase: bytes | None = None, *, is_weak: bool = False
    ) -> Pair:
        """Give a certificate for this host name, and its private key."""
        key = rsa.generate_private_key(65_537, 1024) if is_weak else ec.generate_private_key(ec.SECP256R1())  # noqa: S505 - just that
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key(), lasts, host=name)
        how: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
        return Pair(certificate.public_bytes(Encoding.PEM).decode(), private.decode())

    def certificate_and_key(self, name: str, lasts: datetime.timedelta = HOUR) -> str:
        """Give both in one text."""
        return "".join(self.pair(name, lasts))

    def server_context(
        self, name: str, *, asks_for_certificate: bool = False, lasts: datetime.timedelta = HOUR
    ) -> ssl.SSLContext:
        """Build the context of a server with this name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.renew(context, name, lasts)
        if asks_for_certificate:
            context.load_verify_locations(cadata=self.pem)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def renew(self, context: ssl.SSLContext, name: str, lasts: datetime.timedelta = HOUR) -> None:
        """Give a server another certificate, which it shows from its next handshake on."""
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.certificate_and_key(name, lasts))
            file.flush()
            context.load_cert_chain(file.name)

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        lasts: datetime.timedelta,
        *,
        host: str | None = None,
        is_authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=4000))
            .not_valid_after(now + lasts)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        )
        if host is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(self._key, SHA256())
