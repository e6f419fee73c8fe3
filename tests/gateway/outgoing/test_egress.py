# ruff: noqa: S104 - the address of all interfaces is among what must be refused
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from ipaddress import ip_network

import httpx
import pytest

from connectors.errors import AddressRefused, Sent
from connectors.ports import Transport
from gateway.outgoing.egress import ConnectFailed, ConnectTimedOut, Egress, UrlRefused
from gateway.settings import Profile
from tests.gateway.peers import OK, Server, answering, sending

IMPATIENT = httpx.Timeout(5.0, read=0.05)
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
TRICKS = [
    "127.0.0.1",
    "localhost",
    "0.0.0.0",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "017700000001",
    "0177.0.0.1",
    "127.1",
    "169.254.169.254",
    "10.0.0.1",
    "[::1]",
    "[::]",
    "[64:ff9b::7f00:1]",
    "[fd00:ec2::254]",
    "127.0.0.1.",
]


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    egress = Egress("dev")
    yield egress
    egress.close()


def lookup_of(*answers: Sequence[str]) -> Callable[[str], Awaitable[Sequence[str]]]:
    """A resolver that gives these answers, one after another."""
    remaining = list(answers)

    async def lookup(host: str) -> Sequence[str]:
        return remaining.pop(0)

    return lookup


# What may be called


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "start with https"),
        ("file:///etc/passwd", "start with https"),
        ("//example.com/", "start with https"),
        ("example.com", "start with https"),
        ("https://", "no host"),
        ("https:///path", "no host"),
        ("https://user:secret@example.com/", "user name or password"),
        ("https://user@example.com/", "user name or password"),
        ("https://example.com/#part", "fragment"),
        ("https://exa mple.com/", "not a host name"),
        ("https://example.com\\@127.0.0.1/", "user name"),
        ("https://example.com/\r\nHost: other", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://example.com:99999/", "port"),
        ("http://example.com/", "start with https://"),
        ("https://127.0.0.1/", "not public"),
        ("https://[::1]/", "not public"),
        ("https://2130706433/", "usual form"),
        ("https://0x7f.1/", "usual form"),
    ],
)
def test_urls_are_refused_in_words(url: str, reason: str) -> None:
    with pytest.raises(UrlRefused, match=reason) as caught:
        Egress("cloud").check_url(url)
    assert "secret" not in caught.value.reason


@pytest.mark.parametrize("url", ["https://example.com", "https://example.com:8443/path?q=1", "https://8.8.8.8/"])
def test_urls_of_public_systems_pass(url: str) -> None:
    Egress("cloud").check_url(url)


def test_plain_http_is_for_the_plant_and_for_development() -> None:
    Egress("dev").check_url("http://127.0.0.1:8000")
    Egress("plant").check_url("http://erp.plant.example")


async def test_a_base_url_that_may_not_be_called_makes_no_client(egress: Egress) -> None:
    with pytest.raises(UrlRefused):
        egress.client(base_url="ftp://example.com")


async def test_connectors_get_their_clients_and_their_kind_of_refusal_from_here() -> None:
    transport: Transport = Egress("cloud")
    with pytest.raises(AddressRefused) as caught:
        transport.client("https://10.0.0.1")
    assert caught.value.sent is Sent.NOT_SENT
    async with transport.client("https://example.com") as client:
        assert client.base_url == "https://example.com"


async def test_every_request_is_checked_not_the_base_url_alone() -> None:
    async with Egress("cloud").client(base_url="https://example.com") as client:
        with pytest.raises(UrlRefused):
            await client.get("http://example.com/next")


@pytest.mark.parametrize("host", TRICKS)
@pytest.mark.parametrize("profile", ["cloud", "plant"])
async def test_no_spelling_of_an_inner_address_is_dialled(host: str, profile: Profile) -> None:
    async with Server(answering(b"")) as server, Egress(profile).client() as client:
        scheme = "https" if profile == "cloud" else "http"
        with pytest.raises((AddressRefused, UrlRefused, httpx.InvalidURL)) as caught:
            await client.get(f"{scheme}://{host}:{server.port}/")
        assert not isinstance(caught.value, OSError | httpx.HTTPError)
        assert server.connections == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1"])
async def test_no_name_leads_to_an_inner_address(address: str) -> None:
    egress = Egress("plant", lookup=lookup_of([address]))
    async with Server(answering(b"")) as server, egress.client() as client:
        with pytest.raises(AddressRefused, match=f": {address} is outside"):
            await client.get(f"http://erp.example:{server.port}/")
        assert server.connections == 0


async def test_the_socket_decides_even_when_the_url_was_not_looked_at() -> None:
    egress = Egress("plant")
    async with Server(answering(b"")) as server, egress.client() as client:
        client._transport._check = lambda url: None  # type: ignore[attr-defined]
        with pytest.raises(AddressRefused):
            await client.get(f"http://127.0.0.1:{server.port}/")
        assert server.connections == 0


async def test_a_name_that_changes_its_address_is_checked_again() -> None:
    egress = Egress("plant", [ip_network("127.0.0.2/32")], lookup=lookup_of(["127.0.0.2"], ["127.0.0.1"]))
    async with Server(answering(b"ok"), "0.0.0.0") as server:
        url = f"http://erp.example:{server.port}/"
        async with egress.client() as client:
            assert (await client.get(url)).text == "ok"
        async with egress.client() as client:
            with pytest.raises(AddressRefused):
                await client.get(url)
        assert server.connections == 1


@pytest.mark.parametrize("addresses", [["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1", "::1"]])
async def test_of_several_addresses_only_permitted_ones_are_dialled(addresses: list[str]) -> None:
    egress = Egress("plant", [ip_network("127.0.0.2/32")], lookup=lookup_of(addresses))
    async with Server(answering(b"ok"), "127.0.0.2") as server, egress.client() as client:
        assert (await client.get(f"http://erp.example:{server.port}/")).text == "ok"


async def test_several_refused_addresses_are_a_refusal_too() -> None:
    egress = Egress("plant", lookup=lookup_of(["127.0.0.1", "10.0.0.1", "::1"]))
    async with egress.client() as client:
        with pytest.raises(AddressRefused):
            await client.get("http://erp.example/")


async def test_the_plant_reaches_loopback_where_it_is_named_but_not_ourselves() -> None:
    async with Server(answering(b"ok")) as system, Server(answering(b"ours")) as ours:
        egress = Egress("plant", [ip_network("127.0.0.1/32")], [("127.0.0.1", ours.port)])
        async with egress.client(base_url=f"http://127.0.0.1:{system.port}") as client:
            assert (await client.get("/")).text == "ok"
            with pytest.raises(AddressRefused, match="own"):
                await client.get(f"http://localhost:{ours.port}/")
        assert ours.connections == 0


# What went wrong


async def test_a_closed_port_is_not_sent(egress: Egress) -> None:
    async with Server(answering(b"")) as server:
        pass
    async with egress.client() as client:
        with pytest.raises(ConnectFailed, match="Connection refused") as caught:
            await client.post(f"http://127.0.0.1:{server.port}/", content=b"order")
    assert caught.value.stage == "TCP"
    assert isinstance(caught.value, NOT_SENT)


async def test_an_unknown_name_is_not_sent() -> None:
    async def lookup(host: str) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    for given in (lookup, lookup_of([])):
        async with Egress("dev", lookup=given).client() as client:
            with pytest.raises(ConnectFailed) as caught:
                await client.post("http://erp.example/", content=b"order")
        assert caught.value.stage == "DNS"


async def test_a_host_name_that_cannot_be_one_is_not_sent(egress: Egress) -> None:
    async with egress.client() as client:
        with pytest.raises(ConnectFailed) as caught:
            await client.get(f"http://{'a' * 64}.example/")
    assert caught.value.stage == "DNS"


async def test_a_name_server_that_hangs_is_not_sent() -> None:
    async def lookup(host: str) -> Sequence[str]:
        return await asyncio.Event().wait() and []

    async with Egress("dev", lookup=lookup).client(timeout=0.05) as client:
        with pytest.raises(ConnectTimedOut) as caught:
            await client.post("http://erp.example/", content=b"order")
    assert isinstance(caught.value, NOT_SENT)


async def test_no_free_connection_is_not_sent(egress: Egress) -> None:
    async with Server(sending(then="wait")) as server:
        async with egress.client(base_url=f"http://127.0.0.1:{server.port}", connections=1) as client:
            first = asyncio.create_task(client.get("/"))
            await server.asked.wait()
            with pytest.raises(ConnectTimedOut):
                await client.post("/", content=b"order", timeout=httpx.Timeout(2.0, pool=0.05))
            first.cancel()
        assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
async def test_a_request_that_was_read_and_dropped_is_sent_once_and_says_so(
    egress: Egress, method: str, then: str, kept: bool
) -> None:
    async with Server(sending(then=then, first=OK if kept else b"")) as server:
        async with egress.client(base_url=f"http://127.0.0.1:{server.port}") as client:
            if kept:
                await client.get("/warm")
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as caught:
                await client.request(method, "/orders", content=None if method in {"GET", "DELETE"} else b"order")
        assert not isinstance(caught.value, NOT_SENT)
        assert caught.value.__cause__ is not None
        assert server.requests.count(f"{method} /orders HTTP/1.1".encode()) == 1
        assert server.connections == 1


async def test_a_peer_that_never_answers_is_a_read_timeout(egress: Egress) -> None:
    async with Server(sending(then="wait")) as server, egress.client(timeout=IMPATIENT) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(f"http://127.0.0.1:{server.port}/", content=b"order")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("then", "expected"),
    [("close", httpx.RemoteProtocolError), ("reset", httpx.RemoteProtocolError), ("wait", httpx.ReadTimeout)],
)
async def test_a_body_that_breaks_off_was_sent(egress: Egress, then: str, expected: type[Exception]) -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    timeout = IMPATIENT if then == "wait" else httpx.Timeout(5.0)
    async with Server(sending(half, then=then)) as server, egress.client(timeout=timeout) as client:
        with pytest.raises(expected) as caught:
            await client.post(f"http://127.0.0.1:{server.port}/", content=b"order")
        assert not isinstance(caught.value, NOT_SENT)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"]
)
async def test_an_answer_that_is_not_http_was_sent(egress: Egress, answer: bytes) -> None:
    async with Server(sending(answer)) as server, egress.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(f"http://127.0.0.1:{server.port}/", content=b"order")
