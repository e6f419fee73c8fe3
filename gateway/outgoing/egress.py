"""Outgoing network access: the only module that builds network clients, and the guard that all of them share.

Users type the addresses of their systems, so what is checked is the address that is actually dialled, at the
socket, on every connection. Failures are told apart by what the transport really did: `httpx.ConnectError`
and `httpx.ConnectTimeout` mean that no byte of the request has left; every other `httpx.TransportError` means
that the source may have seen it. A refused address or URL is `connectors.errors.AddressRefused`. Nothing is
ever sent twice here: repeating is the caller's decision.
"""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal, cast

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from connectors.errors import AddressRefused, Trouble
from gateway.outgoing.addresses import AddressPolicy
from gateway.outgoing.handshakes import certificate_refusal, handshake_trouble
from gateway.outgoing.lines import PLAIN, Line, Tls
from gateway.outgoing.overhearing import overhear
from gateway.outgoing.proxies import mute_proxy, nameless_proxy, proxy_trouble
from gateway.outgoing.urls import Origin, UrlRefused, UrlRules, origin_of, place_of
from gateway.settings import Network, Profile
from gateway.version import VERSION

__all__ = ["AddressRefused", "ConnectFailed", "ConnectTimedOut", "Egress", "Lookup", "UrlRefused"]

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
_TARGET_SECONDS = 2.0
_TARGET_KEPT_SECONDS = 60.0


class ConnectFailed(httpx.ConnectError):
    """No connection was made, so nothing was sent; `stage` says how far it came, `meaning` what it comes to."""

    def __init__(self, message: str, stage: Stage, meaning: Trouble | None = None) -> None:
        super().__init__(message)
        self.stage = stage
        self.meaning = meaning


class CertificateNotTaken(httpx.ReadError):
    """The line broke off because of our certificate."""

    def __init__(self, meaning: Trouble) -> None:
        super().__init__("the host refuses the client certificate")
        self.meaning = meaning


class ConnectTimedOut(httpx.ConnectTimeout):
    """No connection was made in time, or none became free, so nothing was sent."""

    stage: Stage = "CONNECT"


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
        self._policy = AddressPolicy(profile, allowed_networks, own_addresses)
        self._rules = UrlRules(profile, self._policy)
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
        line: Line = PLAIN,
        keep_cookies: bool = False,
        connections: int = 10,
    ) -> httpx.AsyncClient:
        """Build a client with a connection pool of its own; the caller closes it.

        It follows no redirects, ignores the environment's proxies, keeps no cookies unless asked, and opens
        at most `connections` sockets to one host and twice as many in all. A base URL that may not be called
        raises UrlRefused, and so does a proxy.
        """
        if base_url:
            self.check_url(base_url)
        if line.proxy is not None:
            self.check_proxy(line.proxy.url)
        context = self.context_of(line)

        def session() -> aiohttp.ClientSession:
            return self._session(context, connections)

        return httpx.AsyncClient(
            base_url=base_url,
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "gzip, deflate", **(headers or {})},
            auth=auth,
            timeout=timeout,
            cookies=CookieJar(None if keep_cookies else DefaultCookiePolicy(allowed_domains=[])),
            transport=_Transport(session, self, line, origin_of(base_url) if base_url else None),
            trust_env=False,
            event_hooks=self._hooks,
        )

    def check_url(self, url: str) -> None:
        """Raise UrlRefused unless this is the URL of a system that may be called.

        It looks at the text alone; which address a name leads to is checked when it is dialled.
        """
        self._rules.check_text(url)

    def check_proxy(self, url: str) -> None:
        """Raise ProxyRefused unless this is a proxy that may be used."""
        self._rules.check_proxy(url)

    def check(self, url: httpx.URL) -> None:
        """Raise UrlRefused unless this URL may be called."""
        self._rules.check(url)

    async def check_target(self, host: str, port: int) -> None:
        """Refuse a host behind a proxy that is known here to lead where nobody may go.

        A name that is not known here, or not soon, is the proxy's affair.
        """
        addresses: Sequence[str] = ()
        with suppress(OSError, UnicodeError):  # a TimeoutError is an OSError
            async with asyncio.timeout(_TARGET_SECONDS):
                addresses = await self._lookup(host)
        for address in addresses:
            self._policy.check(address, port)

    async def permitted(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be dialled; AddressRefused if none may, an OSError if there is none."""
        return [found["host"] for found in await _Resolver(self._lookup, self._policy).resolve(host, port)]

    async def dial(self, address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a bare line to an address; the caller closes it."""
        self._policy.check(address, port)
        return await asyncio.open_connection(address, port)

    def context_of(self, line: Line) -> ssl.SSLContext:
        """What is trusted and shown over TLS."""
        return line.context or self._public_context

    def close(self) -> None:
        """Let go of the threads that look up names."""
        self._threads.shutdown(wait=False, cancel_futures=True)

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
    """The transport of one client: checks every URL, and tells failures of the body apart, too.

    The headers and the server name of its line are for the `origin` alone, where there is one: a login may go
    elsewhere, and whoever answers there is not to learn what opens the system's own gate.
    """

    def __init__(
        self,
        session: Callable[[], aiohttp.ClientSession],
        egress: Egress,
        line: Line,
        origin: Origin | None,
    ) -> None:
        proxy = None if line.proxy is None else httpx.Proxy(line.proxy.url, headers=line.proxy.headers)
        super().__init__(verify=egress.context_of(line), trust_env=False, client=session, proxy=proxy)
        self._line = line
        self._origin = origin
        self._egress = egress
        self._check = egress.check
        self._targets: dict[tuple[str, int], float] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._check(request.url)
        if self._line.proxy is not None:
            await self._look_behind(request.url)
            if request.url.scheme == "http":  # without a tunnel the request itself is what the proxy reads
                request.headers.update(self._line.proxy.headers)
        if self._origin in (None, origin_of(request.url)):
            self._add_own(request)
        response = await self._send(request)
        if response.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED and self._line.proxy is not None:
            await response.aclose()
            raise ConnectFailed("the proxy asks for a login", "TCP", proxy_trouble(response.status_code))
        coding = response.headers.get("content-encoding", "").strip().lower()
        if coding not in _READABLE_CODINGS:
            # Codings can be stacked, and each layer multiplies what the one below it expands to.
            await response.aclose()
            raise httpx.DecodingError("the answer is compressed in a way that was not asked for")
        piece = _PIECE_BYTES if coding in {"", "identity"} else _COMPRESSED_PIECE_BYTES
        response.stream = _Body(cast(httpx.AsyncByteStream, response.stream), piece)
        return response

    def _add_own(self, request: httpx.Request) -> None:
        """Make it a request to the system itself."""
        if self._line.tls.server_name is not None:
            request.extensions = {**request.extensions, "sni_hostname": self._line.tls.server_name}
        for name, value in self._line.headers.items():
            request.headers.setdefault(name, value.get_secret_value())

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            shows_certificate = self._line.tls.client_certificate is not None and request.url.scheme == "https"
            name = request.extensions.get("sni_hostname", request.url.host)
            refused = await overhear(self._egress, request.url, self._line, name) if shows_certificate else None
            if refused is None:
                raise
            raise CertificateNotTaken(refused) from error

    async def _look_behind(self, url: httpx.URL) -> None:
        """Check where a name leads that the proxy will dial, now and then."""
        target, now = place_of(url), time.monotonic()
        if self._targets.get(target, 0.0) < now:
            await self._egress.check_target(*target)
            self._targets[target] = now + _TARGET_KEPT_SECONDS


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
        raise _failure(error, is_proxied=request.proxy is not None) from error


def _failure(error: BaseException, *, is_proxied: bool = False) -> Exception:
    """Translate a failure of aiohttp's; what is not certainly unsent counts as perhaps sent."""
    refused = certificate_refusal(error)
    if refused is not None:
        return ConnectFailed("the host refuses the client certificate", "TLS", refused)
    match error:
        case aiohttp.ClientHttpProxyError():
            return ConnectFailed(f"the proxy refuses: {error.status}", "TCP", proxy_trouble(error.status))
        case aiohttp.ClientConnectorDNSError() if is_proxied:
            return ConnectFailed("the proxy's name cannot be resolved", "DNS", nameless_proxy())
        case aiohttp.ClientProxyConnectionError():
            return ConnectFailed(f"the proxy: {_words(error.os_error)}", "TCP", mute_proxy())
        case aiohttp.ClientConnectorDNSError():
            return ConnectFailed("the host's name cannot be resolved", "DNS")
        case aiohttp.ClientSSLError():
            words = f"the TLS handshake failed: {_words(error.os_error)}"
            return ConnectFailed(words, "TLS", handshake_trouble(error.os_error))
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
