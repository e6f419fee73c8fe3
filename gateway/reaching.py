"""Looks how far a connection to an address comes: its name, its port, its certificate."""

import asyncio
import ssl
import time
from dataclasses import dataclass

import httpx

from connectors.errors import AddressRefused, Sent, TimedOut, Trouble, Unavailable
from gateway.egress import Egress
from schema.checks import ConnectionCheckName

_SECONDS = 5.0
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Reached:
    """One stage that was tried: how long it took, in seconds, what it found, and what stopped it."""

    name: ConnectionCheckName
    seconds: float
    found: str | None = None
    trouble: Trouble | None = None


async def reach(egress: Egress, url: str, context: ssl.SSLContext | None = None) -> list[Reached]:
    """Try the stages of connecting in order; the last one holds the trouble, if there is any. Nothing is sent.

    `context` says what is trusted over TLS; by default the public authorities.
    """
    parsed = httpx.URL(url)
    host, port = parsed.host, parsed.port or _PORTS[parsed.scheme]
    looked_up, addresses = await _look_up(egress, host, port)
    if looked_up.trouble is not None:
        return [looked_up]
    dialled, writer = await _dial(egress, addresses[0], port)
    if writer is None:
        return [looked_up, dialled]
    try:
        if parsed.scheme == "http":
            return [looked_up, dialled]
        return [looked_up, dialled, await _secure(writer, context or egress.context, host)]
    finally:
        writer.close()


async def _look_up(egress: Egress, host: str, port: int) -> tuple[Reached, list[str]]:
    started, addresses = time.monotonic(), list[str]()
    trouble: Trouble | None = None
    try:
        async with asyncio.timeout(_SECONDS):
            addresses = await egress.permitted(host, port)
    except AddressRefused as refused:
        trouble = refused
    except TimeoutError:
        trouble = TimedOut("The name server did not answer in time.", sent=Sent.NOT_SENT)
    except OSError:
        trouble = Unavailable("The system's host name is not known.", sent=Sent.NOT_SENT, stage="DNS")
    found = None if trouble else f"{host} is at {', '.join(addresses[:3])}."
    return Reached(ConnectionCheckName.DNS, time.monotonic() - started, found, trouble), addresses


async def _dial(egress: Egress, address: str, port: int) -> tuple[Reached, asyncio.StreamWriter | None]:
    started, writer = time.monotonic(), None
    trouble: Trouble | None = None
    try:
        async with asyncio.timeout(_SECONDS):
            writer = await egress.dial(address, port)
    except TimeoutError:
        trouble = TimedOut(f"Nothing answers at port {port} in time.", sent=Sent.NOT_SENT)
    except OSError:
        trouble = Unavailable("Nothing answers at the system's address.", sent=Sent.NOT_SENT, stage="TCP")
    found = None if trouble else f"Port {port} answers."
    return Reached(ConnectionCheckName.TCP, time.monotonic() - started, found, trouble), writer


async def _secure(writer: asyncio.StreamWriter, context: ssl.SSLContext, host: str) -> Reached:
    started, found, trouble = time.monotonic(), None, None
    try:
        await writer.start_tls(context, server_hostname=host, ssl_handshake_timeout=_SECONDS)
        found = f"{writer.get_extra_info('ssl_object').version()}, and the certificate is trusted."
    except ssl.SSLCertVerificationError as error:
        trouble = Unavailable(
            f"The system's certificate is not trusted: {error.verify_message}.", sent=Sent.NOT_SENT, stage="TLS"
        )
    except (OSError, TimeoutError):
        trouble = Unavailable("No secure line to the system could be made.", sent=Sent.NOT_SENT, stage="TLS")
    return Reached(ConnectionCheckName.TLS, time.monotonic() - started, found, trouble)
