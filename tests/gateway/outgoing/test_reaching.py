"""How far a connection to an address comes, and who stopped it."""

import asyncio
from ipaddress import ip_network

import pytest

from connectors.errors import TimedOut
from gateway.outgoing.egress import Egress
from gateway.outgoing.lines import Line, Tls
from gateway.outgoing.reaching import reach
from schema.checks import ConnectionCheckName
from tests.gateway.certificates import Authority
from tests.gateway.peers import Peer, Server, answering


async def lookup(host: str) -> list[str]:
    if host == "erp.example.com":
        return ["127.0.0.1"]
    if host == "inside.example.com":
        return ["10.0.0.7"]
    raise OSError("unknown")


def egress() -> Egress:
    return Egress("plant", [ip_network("127.0.0.0/8")], lookup=lookup)


@pytest.mark.parametrize(
    ("host", "words"),
    [("nowhere.example.com", "Check the host name"), ("inside.example.com", "")],
)
async def test_a_name_that_leads_nowhere(host: str, words: str) -> None:
    (only,) = await reach(egress(), f"http://{host}:8000/path")
    assert only.name.name == "DNS"
    assert only.trouble is not None
    assert words in str(only.trouble.remedy)


async def test_an_open_port_is_reached() -> None:
    async with Server(answering(b"{}")) as server:
        stages = await reach(egress(), f"http://erp.example.com:{server.port}")
    assert [(stage.name, stage.trouble) for stage in stages] == [
        (ConnectionCheckName.DNS, None),
        (ConnectionCheckName.TCP, None),
    ]
    assert server.requests == [], "nothing is sent"


async def test_a_closed_port_is_named() -> None:
    async with Server(answering(b"{}")) as server:
        port = server.port
    *_, last = await reach(egress(), f"http://erp.example.com:{port}")
    assert last.name is ConnectionCheckName.TCP
    assert last.trouble is not None


@pytest.mark.parametrize(
    ("name", "is_trusted", "words"),
    [
        ("erp.example.com", True, None),
        ("erp.example.com", False, "authority that is not known"),
        ("other.example.com", True, "another name"),
    ],
)
async def test_a_certificate_is_looked_at(name: str, is_trusted: bool, words: str | None) -> None:
    authority = Authority()
    trusted = Line(Tls(certificate_authority=(authority if is_trusted else Authority()).pem))
    async with Server(answering(b"{}"), context=authority.server_context(name)) as server:
        *_, last = await reach(egress(), f"https://erp.example.com:{server.port}", trusted)
    assert last.name is ConnectionCheckName.TLS
    if words is None:
        assert last.trouble is None
        assert "trusted" in str(last.found)
    else:
        assert last.trouble is not None
        assert words in last.trouble.message


def in_the_clear(server: Server) -> Peer:
    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    return run


async def test_a_port_that_speaks_no_tls_is_named() -> None:
    async with Server(in_the_clear) as server:
        *_, last = await reach(egress(), f"https://erp.example.com:{server.port}")
    assert last.name is ConnectionCheckName.TLS
    assert last.trouble is not None


async def test_a_name_server_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(host: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr("gateway.outgoing.reaching._SECONDS", 0.01)
    (only,) = await reach(Egress("plant", lookup=silent), "http://erp.example.com")
    assert isinstance(only.trouble, TimedOut)
