"""What a failed TLS handshake means, and what to do about it."""

import re
import ssl

from connectors.errors import CertificateRefused, Sent, Trouble, Unavailable

_UNKNOWN_AUTHORITY = (
    "The system's certificate is signed by an authority that is not known here.",
    "Give the authority's certificate in `settings.tls.certificateAuthority`.",
)
_WRONG_NAME = (
    "The system's certificate is for another name than the one that it was called by.",
    "Correct the address, or give the name in the certificate in `settings.tls.serverName`.",
)
_UNTRUSTED = {
    9: (
        "The system's certificate is not valid yet.",
        "Check the clocks of the system and of this machine.",
    ),
    10: (
        "The system's certificate, or that of its authority, has expired.",
        "Have it renewed at the system; calls go on by themselves.",
    ),
    2: _UNKNOWN_AUTHORITY,
    7: _UNKNOWN_AUTHORITY,
    18: _UNKNOWN_AUTHORITY,
    19: _UNKNOWN_AUTHORITY,
    20: _UNKNOWN_AUTHORITY,
    21: _UNKNOWN_AUTHORITY,
    62: _WRONG_NAME,
    64: _WRONG_NAME,
}
"""Message and remedy by OpenSSL's codes of what is wrong with a certificate (X509_V_ERR_...)."""
_CHECK_CERTIFICATE = "Have the certificate checked at the system."

_GIVE_ONE = "Give one in `settings.tls.clientCertificate`, and its key in `settings.tls.clientKey`."
_GIVE_ANOTHER = "Give one that the system takes in `settings.tls.clientCertificate`, and its key in `clientKey`."
_REFUSED = {
    "CERTIFICATE_REQUIRED": ("The system asks for a client certificate.", _GIVE_ONE),
    "CERTIFICATE_EXPIRED": ("The system refuses the client certificate, because it has expired.", _GIVE_ANOTHER),
    "CERTIFICATE_REVOKED": ("The system refuses the client certificate, because it was revoked.", _GIVE_ANOTHER),
    "UNKNOWN_CA": ("The system does not know the authority of the client certificate.", _GIVE_ANOTHER),
    "BAD_CERTIFICATE": ("The system refuses the client certificate.", _GIVE_ANOTHER),
    "CERTIFICATE_UNKNOWN": ("The system refuses the client certificate.", _GIVE_ANOTHER),
    "UNSUPPORTED_CERTIFICATE": ("The system refuses this kind of client certificate.", _GIVE_ANOTHER),
    "ACCESS_DENIED": ("The system refuses the client certificate.", _GIVE_ANOTHER),
}
"""Message and remedy by the alerts with which a system ends a handshake for the sake of our certificate."""
_ALERT = re.compile(r"ALERT_(\w+)$")
_NO_LINE = "No secure line to the system could be made."
_NO_COMMON_GROUND = (
    "The system must offer TLS 1.2 or later. Some end the handshake like this when they want a client certificate."
)


def handshake_trouble(error: BaseException | None) -> Trouble:
    """The meaning of an error of the handshake; nothing was sent, or nothing was read of it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        unknown = (f"The system's certificate is not trusted: {error.verify_message}.", _CHECK_CERTIFICATE)
        message, remedy = _UNTRUSTED.get(error.verify_code, unknown)
        return _unavailable(message, remedy)
    return certificate_refusal(error) or _unavailable(_NO_LINE, _NO_COMMON_GROUND)


def certificate_refusal(error: BaseException | None) -> CertificateRefused | None:
    """What a system has said of our certificate, if it was that; it may come after our side of the handshake."""
    while error is not None:
        alert = _ALERT.search(getattr(error, "reason", None) or "")
        if alert is not None and alert[1] in _REFUSED:
            message, remedy = _REFUSED[alert[1]]
            return CertificateRefused(message, sent=Sent.NOT_SENT, remedy=remedy)
        error = error.__cause__ or error.__context__
    return None


def _unavailable(message: str, remedy: str) -> Unavailable:
    return Unavailable(message, sent=Sent.NOT_SENT, stage="TLS", remedy=remedy)
