"""Calls through a proxy: who is dialled, who is asked for what, and what is said where it does not work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from ipaddress import ip_network

import httpx
import pytest
from pydantic import SecretStr

from connectors.client import trouble_of
from connectors.errors import AddressRefused, Sent, TimedOut, Unavailable
from gateway.outgoing.egress import Egress
from gateway.outgoing.lines import Line, Proxy, Tls
from gateway.outgoing.reaching import reach
from gateway.outgoing.urls import ProxyRefused, UrlRefused
from gateway.settings import Profile
from tests.gateway.certificates import Authority
from tests.gateway.fronts import ForwardProxy, started
from tests.gateway.peers import Peer, Server, answering, sending

LOOPBACK = [ip_network("127.0.0.0/8")]
HOST = "erp.plant.example"
AUTHORITY = Authority()
LOGIN = "gateway:p@ss:word"


async def nobody(host: str) -> Sequence[str]:
    """A name server that knows no names; addresses it gives back, as those of systems do."""
    if host == "127.0.0.1":
        return [host]
    raise OSError("unknown")


def names(**addresses: Sequence[str]) -> Callable[[str], Awaitable[Sequence[str]]]:
    """A name server that knows these names only, written with underscores for dots."""

    async def lookup(host: str) -> Sequence[str]:
        found = addresses.get(host.replace(".", "_"))
        return found if found is not None else await nobody(host)

    return lookup


def plant(lookup: Callable[[str], Awaitable[Sequence[str]]] = nobody) -> Egress:
    return Egress("plant", LOOPBACK, lookup=lookup)


def behind(proxy: ForwardProxy, login: str | None = None) -> Line:
    return Line(Tls(AUTHORITY.pem), Proxy(proxy.url, None if login is None else SecretStr(login)))


@pytest.fixture
async def proxy() -> AsyncIterator[ForwardProxy]:
    proxy = ForwardProxy()
    async with started(proxy):
        yield proxy


async def failure(egress: Egress, line: Line, url: str) -> Unavailable | TimedOut:
    """What a failing call means."""
    async with egress.client(line=line) as client:
        with pytest.raises(httpx.TransportError) as caught:
            await client.post(url, content=b"order")
    trouble = trouble_of(caught.value)
    assert isinstance(trouble, Unavailable | TimedOut)
    return trouble


# What is sent


@pytest.mark.parametrize("login", [None, LOGIN])
async def test_a_tunnel_is_asked_for_where_the_system_has_https(proxy: ForwardProxy, login: str | None) -> None:
    proxy.login = login
    async with Server(answering(b"ok"), context=AUTHORITY.server_context(HOST)) as server:
        proxy.hosts = {HOST: server.port}
        async with plant().client(line=behind(proxy, login)) as client:
            for _ in range(2):
                assert (await client.post(f"https://{HOST}/orders", content=b"order")).text == "ok"
    assert proxy.asked == [f"CONNECT {HOST}:443"], "one tunnel carries both"
    assert server.requests == [b"POST /orders HTTP/1.1"] * 2


@pytest.mark.parametrize("login", [None, LOGIN])
async def test_the_whole_address_is_asked_for_where_the_system_has_none(proxy: ForwardProxy, login: str | None) -> None:
    proxy.login = login
    async with Server(answering(b"ok")) as server:
        proxy.hosts = {HOST: server.port}
        async with plant().client(line=behind(proxy, login)) as client:
            assert (await client.get(f"http://{HOST}:8000/orders?first=1")).text == "ok"
    assert proxy.asked == [f"GET http://{HOST}:8000/orders?first=1"]
    assert server.requests == [b"GET /orders?first=1 HTTP/1.1"]


async def test_certificates_are_shown_and_checked_inside_of_the_tunnel(proxy: ForwardProxy) -> None:
    context = AUTHORITY.server_context("inner.plant.example", asks_for_certificate=True)
    certificate = SecretStr(AUTHORITY.certificate_and_key("gateway"))
    line = Line(Tls(AUTHORITY.pem, certificate, "inner.plant.example"), Proxy(proxy.url))
    async with Server(answering(b"ok"), context=context) as server:
        proxy.hosts = {HOST: server.port}
        async with plant().client(line=line) as client:
            assert (await client.get(f"https://{HOST}/")).text == "ok"
        stages = await reach(plant(), f"https://{HOST}/", line)
    assert [stage.trouble for stage in stages] == [None, None, None]
    assert str(stages[0].found).startswith("The proxy 127.0.0.1 is at")
    assert f"passes on to {HOST}, port 443" in str(stages[1].found)


# What is said


@pytest.mark.parametrize(
    ("answer", "words", "remedy"),
    [
        (b"407 Proxy Authentication Required", "asks for a login", "user:password"),
        (b"403 Forbidden", "refuses to pass", "allowed in the proxy"),
        (b"503 Service Unavailable", "does not reach the system", "from the proxy"),
    ],
)
async def test_a_proxy_that_refuses_is_named(proxy: ForwardProxy, answer: bytes, words: str, remedy: str) -> None:
    proxy.refuses = answer
    trouble = await failure(plant(), behind(proxy), f"https://{HOST}/")
    (*_, last) = await reach(plant(), f"https://{HOST}/", behind(proxy))
    for found in (trouble, last.trouble):
        assert isinstance(found, Unavailable)
        assert words in found.message
        assert remedy in str(found.remedy)
        assert (found.sent, found.stage) == (Sent.NOT_SENT, "TCP")
    assert last.name.name == "TCP"


async def test_a_proxy_that_wants_a_login_is_named_without_a_tunnel_too(proxy: ForwardProxy) -> None:
    proxy.login = LOGIN
    trouble = await failure(plant(), behind(proxy, "gateway:wrong"), f"http://{HOST}/")
    assert "asks for a login" in trouble.message
    assert trouble.sent is Sent.NOT_SENT


async def test_a_proxy_that_is_down_is_named(proxy: ForwardProxy) -> None:
    await proxy.stop()
    for url in (f"https://{HOST}/", f"http://{HOST}/"):
        trouble = await failure(plant(), behind(proxy), url)
        (*_, last) = await reach(plant(), url, behind(proxy))
        for found in (trouble, last.trouble):
            assert found is not None
            assert (found.message, found.sent) == ("The proxy does not answer.", Sent.NOT_SENT)


async def test_a_proxy_whose_name_is_not_known_is_named() -> None:
    line = Line(proxy=Proxy("http://proxy.plant.example:3128"))
    trouble = await failure(plant(), line, f"https://{HOST}/")
    (only,) = await reach(plant(), f"https://{HOST}/", line)
    for found in (trouble, only.trouble):
        assert found is not None
        assert (found.message, found.sent) == ("The proxy's host name is not known.", Sent.NOT_SENT)


async def test_what_is_no_proxy_is_named() -> None:
    async with Server(sending(b"hello\r\n\r\n")) as server:
        line = Line(proxy=Proxy(f"http://127.0.0.1:{server.port}"))
        (*_, last) = await reach(plant(), f"https://{HOST}/", line)
    assert last.trouble is not None
    assert last.trouble.message == "What answers is no proxy."


async def test_a_proxy_that_is_silent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(server: Server) -> Peer:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        return run

    monkeypatch.setattr("gateway.outgoing.reaching._SECONDS", 0.05)
    async with Server(silent) as server:
        line = Line(proxy=Proxy(f"http://127.0.0.1:{server.port}"))
        (*_, last) = await reach(plant(), f"https://{HOST}/", line)
    assert isinstance(last.trouble, TimedOut)
    assert "No proxy answers" in last.trouble.message


# Who may be reached


@pytest.mark.parametrize("profile", ["cloud", "plant"])
@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]"])
async def test_a_proxy_at_an_inner_address_is_refused(profile: Profile, address: str) -> None:
    with pytest.raises(ProxyRefused):
        Egress(profile).client(line=Line(proxy=Proxy(f"http://{address}:3128")))


@pytest.mark.parametrize("profile", ["cloud", "plant"])
async def test_a_name_of_a_proxy_that_leads_to_an_inner_address_is_not_dialled(
    proxy: ForwardProxy, profile: Profile
) -> None:
    egress = Egress(profile, lookup=names(proxy_example=["127.0.0.1"]))
    line = Line(proxy=Proxy(f"http://proxy.example:{proxy.port}"))
    async with egress.client(line=line) as client:
        with pytest.raises(AddressRefused):
            await client.get(f"https://{HOST}/")
    (only,) = await reach(egress, f"https://{HOST}/", line)
    assert isinstance(only.trouble, AddressRefused)
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["10.0.0.7", "169.254.169.254", "[::ffff:10.0.0.7]", "2130706433"])
async def test_a_proxy_is_not_asked_for_an_inner_address(proxy: ForwardProxy, scheme: str, host: str) -> None:
    async with plant().client(line=behind(proxy)) as client:
        with pytest.raises(UrlRefused):
            await client.get(f"{scheme}://{host}/")
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("addresses", [["10.0.0.7"], ["127.0.0.1", "10.0.0.7"], ["169.254.169.254"]])
async def test_a_proxy_is_not_asked_for_a_name_that_leads_to_an_inner_address(
    proxy: ForwardProxy, scheme: str, addresses: list[str]
) -> None:
    """Which of several addresses a proxy dials is not for us to choose."""
    egress = plant(names(erp_plant_example=addresses))
    async with egress.client(line=behind(proxy)) as client:
        with pytest.raises(AddressRefused):
            await client.get(f"{scheme}://{HOST}/")
    (only,) = await reach(egress, f"{scheme}://{HOST}/", behind(proxy))
    assert isinstance(only.trouble, AddressRefused)
    assert proxy.asked == []


async def test_a_proxy_is_not_asked_for_ourselves(proxy: ForwardProxy) -> None:
    egress = Egress("plant", LOOPBACK, [("127.0.0.1", 8000)], lookup=names(erp_plant_example=["127.0.0.1"]))
    async with egress.client(line=behind(proxy)) as client:
        for host in (HOST, "127.0.0.1"):
            with pytest.raises(AddressRefused, match="own"):
                await client.get(f"http://{host}:8000/")
    assert proxy.asked == []


async def test_a_name_server_that_hangs_leaves_the_name_to_the_proxy(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hanging(host: str) -> Sequence[str]:
        return await asyncio.Event().wait() and []

    monkeypatch.setattr("gateway.outgoing.egress._TARGET_SECONDS", 0.01)
    async with Server(answering(b"ok")) as server:
        proxy.hosts = {HOST: server.port}
        async with plant(hanging).client(line=behind(proxy)) as client:
            assert (await client.get(f"http://{HOST}/")).text == "ok"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://proxy.example.com:3128", "http://host:port"),
        ("socks5://proxy.example.com:1080", "http://host:port"),
        ("http://proxy.example.com/path", "nothing may follow"),
        ("http://proxy.example.com?x=1", "nothing may follow"),
        ("http://user:secret@proxy.example.com", "user name"),
        ("http://", "no host"),
        ("http://0x7f.1:3128", "usual form"),
    ],
)
def test_a_proxy_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(ProxyRefused, match=words) as caught:
        Egress("cloud").check_proxy(url)
    assert "secret" not in str(caught.value)
