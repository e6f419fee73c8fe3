# ruff: noqa: S104 - the address of all interfaces is among what must be refused
import socket
from ipaddress import ip_address, ip_network

import pytest

from connectors.errors import AddressRefused, Sent
from gateway.outgoing.addresses import AddressPolicy, reached_by
from gateway.settings import Profile

SPECIAL = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.0.0.1": "private",
    "100.64.0.1": "carrier-grade NAT",
    "100.100.100.200": "cloud metadata",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "cloud metadata",
    "169.254.1.1": "link-local",
    "169.254.169.254": "cloud metadata",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "cloud metadata",
    "192.0.2.1": "reserved",
    "192.168.1.1": "private",
    "198.19.0.1": "reserved",
    "224.0.0.1": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::7f00:1": "unassigned",
    "::ffff:10.0.0.1": "private",
    "::ffff:127.0.0.1": "loopback",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::a9fe:a9fe": "cloud metadata",
    "64:ff9b:1::7f00:1": "local NAT64",
    "64:ff9b:1::808:808": "local NAT64",
    "2001:0:0:0:0:0:80ff:fffe": "loopback",
    "2001:db8::1": "reserved",
    "2002:7f00:1::": "loopback",
    "2002:a9fe:a9fe::1": "cloud metadata",
    "fc00::1": "private",
    "fd00:ec2::254": "cloud metadata",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "private",
    "ff02::1": "multicast",
}
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]
UNUSUAL = [
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "017700000001",
    "0177.0.0.1",
    "127.1",
    "localhost",
    "",
    "127.0.0.1.",
]


def allows(profile: Profile, address: str, *networks: str, own: tuple[tuple[str, int], ...] = ()) -> bool:
    try:
        AddressPolicy(profile, [ip_network(network) for network in networks], own).check(address, 8000)
    except AddressRefused:
        return False
    return True


@pytest.mark.parametrize("address", SPECIAL)
@pytest.mark.parametrize("profile", ["cloud", "plant"])
def test_special_addresses_are_refused_and_only_a_plant_hears_which(address: str, profile: Profile) -> None:
    with pytest.raises(AddressRefused) as caught:
        AddressPolicy(profile).check(address, 443)
    assert caught.value.sent is Sent.NOT_SENT
    where = f"{address} is outside SWITCHGEAR_ALLOWED_NETWORKS ({SPECIAL[address]})"
    reason = (
        where if profile == "plant" else "it is not public, as it has to be unless SWITCHGEAR_PROFILE is plant or dev"
    )
    assert caught.value.message == f"The address may not be called: {reason}."


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("profile", ["cloud", "plant"])
def test_public_addresses_are_permitted(address: str, profile: Profile) -> None:
    assert allows(profile, address)


@pytest.mark.parametrize("address", UNUSUAL)
def test_other_spellings_are_refused(address: str) -> None:
    assert not allows("cloud", address)
    assert not allows("plant", address, "127.0.0.0/8")


def test_a_refusal_is_not_a_failure_of_the_source() -> None:
    assert not issubclass(AddressRefused, OSError | RuntimeError)


def test_dev_permits_everything() -> None:
    assert all(allows("dev", address) for address in [*SPECIAL, *PUBLIC, *UNUSUAL])


def test_the_cloud_ignores_allowed_networks() -> None:
    assert not allows("cloud", "10.1.2.3", "10.0.0.0/8")


def test_the_plant_permits_private_addresses_inside_its_networks_only() -> None:
    assert allows("plant", "10.1.2.3", "10.1.0.0/16")
    assert allows("plant", "::ffff:10.1.2.3", "10.1.0.0/16")
    assert allows("plant", "fd12::1", "fd12::/64")
    assert not allows("plant", "10.2.2.3", "10.1.0.0/16")
    assert not allows("plant", "192.168.0.1", "10.0.0.0/8")


@pytest.mark.parametrize("address", [address for address, kind in SPECIAL.items() if kind != "private"])
def test_a_wide_network_opens_nothing_special(address: str) -> None:
    assert not allows("plant", address, "0.0.0.0/0", "::/1", "8000::/1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("127.0.0.1", "127.0.0.1/32"),
        ("127.0.0.9", "127.0.0.0/8"),
        ("::1", "::1/128"),
        ("100.64.1.1", "100.64.0.0/10"),
        ("169.254.7.7", "169.254.7.0/24"),
        ("64:ff9b::7f00:1", "127.0.0.1/32"),
    ],
)
def test_a_special_network_can_be_named(address: str, network: str) -> None:
    assert allows("plant", address, network)


def test_metadata_needs_its_very_address() -> None:
    assert not allows("plant", "169.254.169.254", "169.254.0.0/16")
    assert not allows("plant", "fd00:ec2::254", "fd00::/8")
    assert allows("plant", "169.254.169.254", "169.254.169.254/32")


def test_our_own_listeners_are_refused_even_where_their_address_is_allowed() -> None:
    own = (("127.0.0.1", 8000), ("localhost", 5432))
    assert not allows("plant", "127.0.0.1", "127.0.0.0/8", own=own)
    assert not allows("plant", "::ffff:127.0.0.1", "127.0.0.0/8", own=own)
    assert allows("plant", "127.0.0.2", "127.0.0.0/8", own=own)
    with pytest.raises(AddressRefused, match="own"):
        AddressPolicy("plant", [ip_network("127.0.0.0/8")], own).check("127.0.0.1", 5432)
    AddressPolicy("plant", [ip_network("127.0.0.0/8")], own).check("127.0.0.1", 8001)


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
def test_a_listener_on_every_interface_is_every_address_of_this_machine(wildcard: str) -> None:
    own = ((wildcard, 8000),)
    assert not allows("plant", "127.0.0.1", "127.0.0.0/8", own=own)
    assert not allows("plant", "127.0.0.2", "127.0.0.0/8", own=own)
    assert allows("plant", "192.168.77.66", "192.168.0.0/16", own=own)


def test_an_own_host_without_an_address_is_an_error() -> None:
    with pytest.raises(socket.gaierror):
        AddressPolicy("plant", own_addresses=[("fe80::1%no-such-interface", 1)])


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("::ffff:192.168.0.1", "192.168.0.1"),
        ("2002:c0a8:1::5", "192.168.0.1"),
        ("2001:0:4136:e378:8000:63bf:3f57:fffe", "192.168.0.1"),
        ("64:ff9b::c0a8:1", "192.168.0.1"),
        ("fd00::1", "fd00::1"),
        ("192.168.0.1", "192.168.0.1"),
    ],
)
def test_an_address_is_taken_for_the_one_it_leads_to(address: str, reached: str) -> None:
    assert reached_by(ip_address(address)) == ip_address(reached)
