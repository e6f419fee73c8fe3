"""Outgoing network access: the only module that builds network clients, and the guard that all of them share.

Users type the addresses of their systems, so what is checked is the address that is actually dialled, at the
socket, on every connection. Failures are told apart by what the transport really did: `httpx.ConnectError`
and `httpx.ConnectTimeout` mean that no byte of the request has left; every other `httpx.TransportError` means
that the source may have seen it. A refused address or URL is `connectors.errors.AddressRefused`. Nothing is
ever sent twice here: repeating is the caller's decision.
"""

import asyncio
import os
import re
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Literal, cast

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport
from pydantic import SecretStr

from connectors.errors import AddressRefused, Sent
from gateway.addresses import AddressPolicy
from gateway.settings import Network, Profile
from gateway.version import VERSION

__all__ = ["AddressRefused", "ConnectFailed", "ConnectTimedOut", "Egress", "Lookup", "Tls", "UrlRefused"]

Stage = Literal["DNS", "TCP", "TLS", "CONNECT"]
"""How far connecting came; CONNECT means somewhere between the look-up of the name and the end of TLS."""

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""Finds the IP addresses of a name; an OSError means that there are none."""

Prepare = Callable[[httpx.Request], Awaitable[None]]
"""Adds to a request what every outgoing one carries."""

DEFAULT_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
"""Seconds; `connect` bounds the dialling of one address, `pool` all of connecting from the look-up to TLS."""

# Shorter than the 5 seconds after which common servers drop an idle connection: a request that meets the drop
# may or may not have been read, which for a write is the worst answer there is.
_KEEP_ALIVE_SECONDS = 4.0
# Deflate expands at most 1032 times, so a piece never becomes more than about 2 MB at once.
_COMPRESSED_PIECE_BYTES = 2048
_PIECE_BYTES = 16_384
_READABLE_CODINGS = {"", "identity", "gzip", "deflate"}
_LOOKUP_THREADS = 16
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?", re.IGNORECASE)
_NUMERIC_HOST = re.compile(r"(?:^|\.)(?:0x[0-9a-f]*|[0-9]+)\.?$", re.IGNORECASE)


class UrlRefused(AddressRefused):
    """The URL is not one that may be called; `reason` is a clause for the user who typed it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The URL may not be called: {reason}.", sent=Sent.NOT_SENT)
        self.reason = reason


class ConnectFailed(httpx.ConnectError):
    """No connection was made, so nothing was sent; `stage` says how far it came."""

    def __init__(self, message: str, stage: Stage) -> None:
        super().__init__(message)
        self.stage = stage


class ConnectTimedOut(httpx.ConnectTimeout):
    """No connection was made in time, or none became free, so nothing was sent."""

    stage: Stage = "CONNECT"


@dataclass(frozen=True)
class Tls:
    """What one connection trusts and shows over TLS; without it, the public certificate authorities.

    Both certificates are PEM text. `certificate_authority` replaces the public authorities;
    `client_certificate` holds the chain and its private key; `server_name` is the name that the server's
    certificate must carry, where that is not the host's.
    """

    certificate_authority: str | None = None
    client_certificate: SecretStr | None = None
    server_name: str | None = None

    def context(self) -> ssl.SSLContext:
        """Build the TLS context; text that is no certificate raises ssl.SSLError."""
        if self.certificate_authority is None:
            context = httpx.create_ssl_context(trust_env=False)
        else:
            context = ssl.create_default_context(cadata=self.certificate_authority)
        if self.client_certificate is not None:
            # The ssl module reads a private key from a file only; this one is ours alone and gone at once.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(self.client_certificate.get_secret_value())
                file.flush()
                context.load_cert_chain(file.name)
        return context


class Egress:
    """Builds the clients of the whole process.

    `allowed_networks` and `own_addresses` are described at AddressPolicy; `lookup` replaces the system's
    name resolution, and `prepare` sees every request before it is sent.
    """

    def __init__(
        self,
        profile: Profile,
        allowed_networks: Iterable[Network] = (),
        own_addresses: Iterable[tuple[str, int]] = (),
        *,
        lookup: Lookup | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        self._profile = profile
        self._policy = AddressPolicy(profile, allowed_networks, own_addresses)
        # Threads of our own: a name server that hangs must not hold up other users of the loop's threads.
        self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="name-lookup")
        self._lookup = lookup or self._system_lookup
        self._hooks = {"request": [prepare] if prepare is not None else []}
        self._public_context = Tls().context()

    def client(
        self,
        base_url: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        timeout: httpx.Timeout | float = DEFAULT_TIMEOUT,
        tls: Tls | None = None,
        keep_cookies: bool = False,
        connections: int = 10,
    ) -> httpx.AsyncClient:
        """Build a client with a connection pool of its own; the caller closes it.

        It follows no redirects, ignores the environment's proxies, keeps no cookies unless asked, and opens
        at most `connections` sockets to one host and twice as many in all. A base URL that may not be called
        raises UrlRefused.
        """
        if base_url:
            self.check_url(base_url)
        context = self._public_context if tls is None else tls.context()

        def session() -> aiohttp.ClientSession:
            return self._session(context, connections)

        return httpx.AsyncClient(
            base_url=base_url,
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "gzip, deflate", **(headers or {})},
            auth=auth,
            timeout=timeout,
            cookies=CookieJar(None if keep_cookies else DefaultCookiePolicy(allowed_domains=[])),
            transport=_Transport(session, context, tls.server_name if tls else None, self._check),
            trust_env=False,
            event_hooks=self._hooks,
        )

    def check_url(self, url: str) -> None:
        """Raise UrlRefused unless this is the URL of a system that may be called.

        It looks at the text alone; which address a name leads to is checked when it is dialled.
        """
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            raise UrlRefused("it is not a URL") from None
        if parsed.fragment:
            raise UrlRefused("it must not have a fragment (#...)")
        self._check(parsed)

    async def permitted(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be dialled; AddressRefused if none may, an OSError if there is none."""
        return [found["host"] for found in await _Resolver(self._lookup, self._policy).resolve(host, port)]

    async def dial(self, address: str, port: int) -> asyncio.StreamWriter:
        """Open a bare line to an address; the caller closes it."""
        self._policy.check(address, port)
        return (await asyncio.open_connection(address, port))[1]

    @property
    def context(self) -> ssl.SSLContext:
        """What is trusted over TLS."""
        return self._public_context

    def close(self) -> None:
        """Let go of the threads that look up names."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, url: httpx.URL) -> None:
        if url.scheme not in {"http", "https"}:
            raise UrlRefused("it must start with https:// or http://")
        if url.scheme == "http" and self._profile == "cloud":
            raise UrlRefused("it must start with https://, unless SWITCHGEAR_PROFILE is plant or dev")
        if not url.host:
            raise UrlRefused("it has no host")
        if url.userinfo:
            raise UrlRefused("it must not contain a user name or password")
        port = _PORTS[url.scheme] if url.port is None else url.port
        if not 0 < port < 65_536:
            raise UrlRefused("its port is not between 1 and 65535")
        if not _HOST_NAME.fullmatch(host := url.raw_host.decode()) and ":" not in host:
            raise UrlRefused("its host is not a host name")
        if ":" in host or _NUMERIC_HOST.search(host):
            try:
                address = str(ip_address(host))
            except ValueError:
                raise UrlRefused("its host must be a name or an IP address in its usual form") from None
            reason = self._policy.objection(address, port)
            if reason is not None:
                raise UrlRefused(reason)

    def _session(self, context: ssl.SSLContext, connections: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=context,
            resolver=_Resolver(self._lookup, self._policy),
            socket_factory=self._open_socket,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            limit=2 * connections,
            limit_per_host=connections,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_tell_failures_apart,),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            trust_env=False,
        )

    def _open_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """Open the socket for exactly this address, which is the last moment to refuse it."""
        family, kind, protocol, _, address = info
        self._policy.check(str(address[0]), int(address[1]))
        opened = socket.socket(family, kind, protocol)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return opened

    async def _system_lookup(self, host: str) -> Sequence[str]:
        def look_up() -> list[str]:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            return [str(sockaddr[0]) for _, _, _, _, sockaddr in found]

        return await asyncio.get_running_loop().run_in_executor(self._threads, look_up)


class _Resolver(AbstractResolver):
    """Gives the addresses of a name that may be dialled.

    The socket decides as well, but several addresses of one name are dialled in a race, which hides what a
    socket refuses; so only permitted addresses take part in it.
    """

    def __init__(self, lookup: Lookup, policy: AddressPolicy) -> None:
        self._lookup = lookup
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            addresses = await self._lookup(host)
        except UnicodeError as error:  # a label that is empty or too long
            raise OSError(f"{host!r} is not a host name") from error
        permitted = []
        refused: AddressRefused | None = None
        for address in addresses:
            try:
                self._policy.check(address, port)
            except AddressRefused as error:
                refused = error
            else:
                permitted.append(address)
        if not permitted:
            raise refused or OSError(f"{host!r} has no address")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in permitted
        ]

    async def close(self) -> None:
        """Nothing to let go of."""


class _Transport(AiohttpTransport):
    """The transport of one client: checks every URL, and tells failures of the body apart, too."""

    def __init__(
        self,
        session: Callable[[], aiohttp.ClientSession],
        context: ssl.SSLContext,
        server_name: str | None,
        check: Callable[[httpx.URL], None],
    ) -> None:
        super().__init__(verify=context, trust_env=False, client=session)
        self._server_name = server_name
        self._check = check

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._check(request.url)
        if self._server_name is not None:
            request.extensions = {**request.extensions, "sni_hostname": self._server_name}
        response = await super().handle_async_request(request)
        coding = response.headers.get("content-encoding", "").strip().lower()
        if coding not in _READABLE_CODINGS:
            # Codings can be stacked, and each layer multiplies what the one below it expands to.
            await response.aclose()
            raise httpx.DecodingError("the answer is compressed in a way that was not asked for")
        piece = _PIECE_BYTES if coding in {"", "identity"} else _COMPRESSED_PIECE_BYTES
        response.stream = _Body(cast(httpx.AsyncByteStream, response.stream), piece)
        return response


class _Body(httpx.AsyncByteStream):
    """An answer's body in pieces of at most `piece` bytes."""

    def __init__(self, stream: httpx.AsyncByteStream, piece: int) -> None:
        self._stream = stream
        self._piece = piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                for start in range(0, len(chunk), self._piece):
                    yield chunk[start : start + self._piece]
        except httpx.TransportError as error:
            # The library below maps by type alone and calls a body that broke off a failed connect.
            raise _failure(error.__cause__ or error) from error.__cause__

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _tell_failures_apart(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Raise what really happened, as httpx's exceptions.

    It stands inside aiohttp, around one attempt, because aiohttp sends PUT, DELETE and GET a second time when
    a kept connection breaks. It does so for its own exceptions only, so ours end the matter.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientError, OSError) as error:
        raise _failure(error) from error


def _failure(error: BaseException) -> Exception:
    """Translate a failure of aiohttp's; what is not certainly unsent counts as perhaps sent."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return ConnectFailed("the host's name cannot be resolved", "DNS")
        case aiohttp.ClientSSLError():
            return ConnectFailed(f"the TLS handshake failed: {_words(error.os_error)}", "TLS")
        case aiohttp.ClientConnectorError(os_error=ConnectionResetError() | ConnectionAbortedError()):
            return ConnectFailed("the host closed the connection during the TLS handshake", "TLS")
        case aiohttp.ClientConnectorError():
            return ConnectFailed(f"connecting failed: {_words(error.os_error)}", "TCP")
        case aiohttp.ConnectionTimeoutError():
            return ConnectTimedOut("connecting took too long")
        case aiohttp.InvalidURL():
            return UrlRefused("its host must be a name or an IP address in its usual form")
        case TimeoutError():
            return httpx.ReadTimeout("the source took too long to answer")
        case aiohttp.ServerDisconnectedError():
            return httpx.RemoteProtocolError("the source closed the connection without an answer")
        case aiohttp.ClientResponseError():
            return httpx.RemoteProtocolError("the source's answer is not HTTP")
        case aiohttp.ClientPayloadError():
            return httpx.RemoteProtocolError("the source's answer broke off")
        case _:
            return httpx.ReadError(f"the connection broke: {_words(error)}")


def _words(error: BaseException) -> str:
    """Say what went wrong in the words of the certificate check, of TLS or of the operating system."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or "no common ground"
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, aiohttp.ClientError):
        return os.strerror(error.errno)
    return getattr(error, "strerror", None) or type(error).__name__


_USER_AGENT = f"switchgear/{VERSION}"
_PORTS = {"http": 80, "https": 443}
