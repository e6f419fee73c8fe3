"""What servers in front of a system say themselves, in its place."""

from connectors.errors import CertificateRefused, Trouble, Upstream
from connectors.query import Answer

_BAD_REQUEST = 400
_LONGEST_PAGE = 2000
_SAYINGS = {
    b"No required SSL certificate was sent": (
        "The server in front of the system asks for a client certificate.",
        "Give one in `settings.tls.clientCertificate`, and its key in `settings.tls.clientKey`.",
    ),
    b"The SSL certificate error": (
        "The server in front of the system refuses the client certificate.",
        "Give one that it takes and that has not expired in `settings.tls.clientCertificate`, and its key.",
    ),
}
"""What nginx writes into its page when it has ended a handshake that it does not like."""


def front_trouble(answer: Answer) -> Trouble | None:
    """The meaning of an answer that no system has given, but nginx before it; None for every other."""
    if answer.status != _BAD_REQUEST or len(answer.body) > _LONGEST_PAGE:
        return None
    for words, (message, remedy) in _SAYINGS.items():
        if words in answer.body:
            return CertificateRefused(message, upstream=Upstream(status=answer.status), remedy=remedy)
    return None
