"""Which network addresses may be dialled: a table of what every address is, and what each profile permits."""

import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from connectors.errors import AddressRefused, Sent
from gateway.settings import Network, Profile

Address = IPv4Address | IPv6Address

_TABLE = {
    "public": ("0.0.0.0/0", "2000::/3"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "cloud metadata": (
        "169.254.169.254/32",
        "fd00:ec2::254/128",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
    ),
    "carrier-grade NAT": ("100.64.0.0/10",),
    "unspecified": ("0.0.0.0/8", "::/128"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    # Where the IPv4 address stands inside is up to the operator of such a translator.
    "local NAT64": ("64:ff9b:1::/48",),
    "reserved": (
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    ),
    "unassigned": ("::/0",),
}
"""Every address has a kind: that of the narrowest network that holds it."""

_KINDS = sorted(
    ((ip_network(text), kind) for kind, texts in _TABLE.items() for text in texts),
    key=lambda entry: -entry[0].prefixlen,
)
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressPolicy:
    """Decides about every address that is about to be dialled.

    `cloud` permits public addresses. `plant` permits private ones inside `allowed_networks` too; anything
    more special (loopback, link-local, ...) only where a network within that special range is named, so that
    allowing 0.0.0.0/0 does not open the machine itself. Outside `dev`, which permits everything, our own
    listeners (`own_addresses`, hosts with ports) are always refused.
    """

    def __init__(
        self,
        profile: Profile,
        allowed_networks: Iterable[Network] = (),
        own_addresses: Iterable[tuple[str, int]] = (),
    ) -> None:
        self._profile = profile
        self._allowed = tuple(allowed_networks) if profile == "plant" else ()
        self._own = [(address, port) for host, port in own_addresses for address in _addresses_of(host)]

    def check(self, address: str, port: int) -> None:
        """Raise AddressRefused unless this address and port may be dialled."""
        reason = self.objection(address, port)
        if reason is not None:
            raise AddressRefused(f"The address may not be called: {reason}.", sent=Sent.NOT_SENT)

    def objection(self, address: str, port: int) -> str | None:
        """Say why this address and port may not be dialled; None if they may."""
        if self._profile == "dev":
            return None
        try:
            reached = reached_by(ip_address(address))
        except ValueError:
            return "it is not an IP address in its usual form"
        if any(port == own_port and _is_same(reached, own) for own, own_port in self._own):
            return "it is this gateway's own"
        network, kind = _kind_of(reached)
        if kind == "public" or any(_permits(allowed, reached, network, kind) for allowed in self._allowed):
            return None
        if self._profile == "plant":
            return f"{address} is outside SWITCHGEAR_ALLOWED_NETWORKS ({kind})"
        # Not which one: what a name leads to inside the operator's network is none of a tenant's business.
        return "it is not public, as it has to be unless SWITCHGEAR_PROFILE is plant or dev"


def reached_by(address: Address) -> Address:
    """Give the address that a packet to `address` ends at: the IPv4 address that an IPv6 form stands for."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _kind_of(address: Address) -> tuple[Network, str]:
    return next((network, kind) for network, kind in _KINDS if address in network)


def _permits(allowed: Network, address: Address, network: Network, kind: str) -> bool:
    if address not in allowed or kind == "unassigned":
        return False
    return kind == "private" or _is_within(allowed, network)


def _is_within(inner: Network, outer: Network) -> bool:
    return inner.network_address in outer and inner.prefixlen >= outer.prefixlen


def _addresses_of(host: str) -> Sequence[Address]:
    """Resolve one of our own hosts, once: this list must not be incomplete, so a failure is an error."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [reached_by(ip_address(sockaddr[0])) for _, _, _, _, sockaddr in found]


def _is_same(address: Address, own: Address) -> bool:
    return _is_local(address) if own.is_unspecified else address == own


def _is_local(address: Address) -> bool:
    """Tell whether the address is one of this machine's: only such an address can be bound."""
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
