"""Looks how far a connection to an address comes: its name, its port, its certificate."""

import asyncio
import ssl
import time
from dataclasses import dataclass

import httpx

from connectors.errors import AddressRefused, Sent, TimedOut, Trouble, Unavailable
from gateway.outgoing.egress import Egress
from gateway.outgoing.handshakes import handshake_trouble
from gateway.outgoing.lines import PLAIN, Line, Proxy
from gateway.outgoing.proxies import mute_proxy, nameless_proxy, pass_on
from gateway.outgoing.urls import place_of
from schema.checks import ConnectionCheckName
from schema.health import REMEDIES, StatusReasonCode

_SECONDS = 5.0
_CHECK_NAME = REMEDIES[StatusReasonCode.NAME_NOT_FOUND]
_CHECK_WAY = REMEDIES[StatusReasonCode.CONNECTION_REFUSED]

Place = tuple[str, int]
"""A host and a port."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
"""An open line, to read from and to write to."""


@dataclass(frozen=True)
class Reached:
    """One stage that was tried: how long it took, in seconds, what it found, and what stopped it."""

    name: ConnectionCheckName
    seconds: float
    found: str | None = None
    trouble: Trouble | None = None


async def reach(egress: Egress, url: str, line: Line = PLAIN) -> list[Reached]:
    """Try the stages of connecting in order; the last one holds the trouble, if there is any. Nothing is sent.

    What is dialled is the proxy, where the line has one; only its answers tell of what is behind it.
    """
    parsed = httpx.URL(url)
    host, port = place_of(parsed)
    next_hop = (host, port) if line.proxy is None else place_of(httpx.URL(line.proxy.url))
    looked_up, addresses = await _look_up(egress, next_hop, None if line.proxy is None else (host, port))
    if looked_up.trouble is not None:
        return [looked_up]
    is_secure = parsed.scheme == "https"
    dialled, streams = await _dial(egress, addresses[0], next_hop[1], line.proxy, (host, port) if is_secure else None)
    if streams is None:
        return [looked_up, dialled]
    writer = streams[1]
    try:
        if dialled.trouble is not None or not is_secure:
            return [looked_up, dialled]
        return [looked_up, dialled, await _secure(writer, egress.context_of(line), line.tls.server_name or host)]
    finally:
        writer.close()


async def _look_up(egress: Egress, hop: Place, behind: Place | None) -> tuple[Reached, list[str]]:
    """Find where a host is that will be dialled, and see that nobody may not go where it passes the line on to."""
    started, addresses = time.monotonic(), list[str]()
    trouble: Trouble | None = None
    try:
        async with asyncio.timeout(_SECONDS):
            addresses = await egress.permitted(*hop)
            if behind is not None:
                await egress.check_target(*behind)
    except AddressRefused as refused:
        trouble = refused
    except TimeoutError:
        trouble = TimedOut("The name server did not answer in time.", sent=Sent.NOT_SENT, remedy=_CHECK_NAME)
    except OSError:
        unknown = Unavailable(
            "The system's host name is not known.", sent=Sent.NOT_SENT, stage="DNS", remedy=_CHECK_NAME
        )
        trouble = unknown if behind is None else nameless_proxy()
    subject = hop[0] if behind is None else f"The proxy {hop[0]}"
    found = None if trouble else f"{subject} is at {', '.join(addresses[:3])}."
    return Reached(ConnectionCheckName.DNS, time.monotonic() - started, found, trouble), addresses


async def _dial(
    egress: Egress, address: str, port: int, proxy: Proxy | None, target: Place | None
) -> tuple[Reached, Streams | None]:
    """Open a line to an address, and have a proxy there pass it on to the target, where there are both."""
    started, streams = time.monotonic(), None
    trouble: Trouble | None = None
    found = f"Port {port} answers." if proxy is None else f"The proxy answers at port {port}."
    try:
        async with asyncio.timeout(_SECONDS):
            streams = await egress.dial(address, port)
            if proxy is not None and target is not None:
                trouble = await pass_on(*streams, proxy, *target)
                found = f"The proxy at port {port} passes on to {target[0]}, port {target[1]}."
    except TimeoutError:
        who = "Nothing" if proxy is None else "No proxy"
        trouble = TimedOut(f"{who} answers at port {port} in time.", sent=Sent.NOT_SENT, remedy=_CHECK_WAY)
    except OSError:
        nothing = Unavailable("Nothing answers at the system's address.", sent=Sent.NOT_SENT, stage="TCP")
        trouble = nothing if proxy is None else mute_proxy()
    return Reached(ConnectionCheckName.TCP, time.monotonic() - started, None if trouble else found, trouble), streams


async def _secure(writer: asyncio.StreamWriter, context: ssl.SSLContext, name: str) -> Reached:
    started, found, trouble = time.monotonic(), None, None
    try:
        await writer.start_tls(context, server_hostname=name, ssl_handshake_timeout=_SECONDS)
        found = f"{writer.get_extra_info('ssl_object').version()}, and the certificate is trusted."
    except (OSError, TimeoutError) as error:
        trouble = handshake_trouble(error)
    return Reached(ConnectionCheckName.TLS, time.monotonic() - started, found, trouble)
