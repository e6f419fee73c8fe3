"""Which URLs may be called, as far as their text tells; what a name leads to is checked when it is dialled."""

import re
from ipaddress import ip_address

import httpx

from connectors.errors import AddressRefused, Sent
from gateway.outgoing.addresses import AddressPolicy
from gateway.settings import Profile

PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?", re.IGNORECASE)
_NUMERIC_HOST = re.compile(r"(?:^|\.)(?:0x[0-9a-f]*|[0-9]+)\.?$", re.IGNORECASE)


Origin = tuple[str, str, int | None]
"""Scheme, host and port; the port only where it is not the usual one."""


def origin_of(url: str | httpx.URL) -> Origin:
    """Where a URL leads, whatever its path."""
    parsed = httpx.URL(url)
    return parsed.scheme, parsed.host, parsed.port


class UrlRefused(AddressRefused):
    """The URL is not one that may be called; `reason` is a clause for the user who typed it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The URL may not be called: {reason}.", sent=Sent.NOT_SENT)
        self.reason = reason


class ProxyRefused(UrlRefused):
    """The proxy is not one that may be used."""


class UrlRules:
    """Refuses the URLs that no client of this process may call."""

    def __init__(self, profile: Profile, policy: AddressPolicy) -> None:
        self._profile = profile
        self._policy = policy

    def check_text(self, text: str) -> None:
        """Raise UrlRefused unless this is the URL of a system that may be called."""
        parsed = _parsed(text)
        if parsed.fragment:
            raise UrlRefused("it must not have a fragment (#...)")
        self.check(parsed)

    def check(self, url: httpx.URL) -> None:
        """Raise UrlRefused unless this URL may be called."""
        if url.scheme not in PORTS:
            raise UrlRefused("it must start with https:// or http://")
        if url.scheme == "http" and self._profile == "cloud":
            raise UrlRefused("it must start with https://, unless SWITCHGEAR_PROFILE is plant or dev")
        self._check_host(url)

    def check_proxy(self, text: str) -> None:
        """Raise ProxyRefused unless this is a proxy that may be used."""
        try:
            parsed = _parsed(text)
            if parsed.scheme != "http":
                raise UrlRefused("a proxy is given as http://host:port, also for systems with https")
            if parsed.path not in ("", "/") or parsed.query or parsed.fragment:
                raise UrlRefused("nothing may follow its port")
            self._check_host(parsed)
        except UrlRefused as refused:
            raise ProxyRefused(refused.reason) from None

    def _check_host(self, url: httpx.URL) -> None:
        if not url.host:
            raise UrlRefused("it has no host")
        if url.userinfo:
            raise UrlRefused("it must not contain a user name or password")
        port = PORTS[url.scheme] if url.port is None else url.port
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


def place_of(url: httpx.URL) -> tuple[str, int]:
    """The host and the port of a URL."""
    return url.host, url.port or PORTS[url.scheme]


def _parsed(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except httpx.InvalidURL:
        raise UrlRefused("it is not a URL") from None
