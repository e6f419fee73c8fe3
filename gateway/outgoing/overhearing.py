"""Listens to why a system has ended a secure line that seemed to be made.

In TLS 1.3 our side of the handshake is over before the system has looked at our certificate. When it refuses it, the
request is on its way already, and what the system says of the certificate is lost with the line. On a second line, on
which nothing is sent, it is heard.
"""

import asyncio
from typing import TYPE_CHECKING

import httpx

from connectors.errors import CertificateRefused, Sent, Trouble
from gateway.outgoing.handshakes import certificate_refusal
from gateway.outgoing.lines import Line
from gateway.outgoing.proxies import pass_on
from gateway.outgoing.urls import place_of

if TYPE_CHECKING:
    from gateway.outgoing.egress import Egress

_SECONDS = 1.0


async def overhear(egress: "Egress", url: httpx.URL, line: Line, name: str) -> CertificateRefused | None:
    """What the system of this name says of our certificate, if it says anything within a moment."""
    try:
        async with asyncio.timeout(_SECONDS):
            await _listen(egress, url, line, name)
    except (OSError, Trouble) as error:  # a TimeoutError is an OSError
        refused = certificate_refusal(error)
        return refused and CertificateRefused(refused.message, sent=Sent.MAYBE_SENT, remedy=refused.remedy)
    return None


async def _listen(egress: "Egress", url: httpx.URL, line: Line, name: str) -> None:
    target = place_of(url)
    hop = target if line.proxy is None else place_of(httpx.URL(line.proxy.url))
    address, *_ = await egress.permitted(*hop)
    reader, writer = await egress.dial(address, hop[1])
    try:
        if line.proxy is None or await pass_on(reader, writer, line.proxy, *target) is None:
            await writer.start_tls(egress.context_of(line), server_hostname=name)
            await reader.read(1)
    finally:
        writer.close()
