import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from gateway.outgoing.egress import ConnectFailed, Egress
from gateway.outgoing.lines import Line, Tls
from tests.gateway.certificates import Authority
from tests.gateway.peers import OK, Peer, Server, answering, sending


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    egress = Egress("dev")
    yield egress
    egress.close()


# TLS


async def test_an_unknown_authority_is_not_sent_and_a_given_one_is_trusted(egress: Egress) -> None:
    authority = Authority()
    async with Server(answering(b"ok"), context=authority.server_context("localhost")) as server:
        url = f"https://localhost:{server.port}/"
        async with egress.client() as client:
            with pytest.raises(ConnectFailed, match=r"TLS handshake failed: .*certificate") as caught:
                await client.post(url, content=b"order")
        assert caught.value.stage == "TLS"
        async with egress.client(line=Line(Tls(certificate_authority=authority.pem))) as client:
            assert (await client.get(url)).text == "ok"


async def test_the_name_in_the_certificate_counts_and_may_be_given(egress: Egress) -> None:
    authority = Authority()
    async with Server(answering(b"ok"), context=authority.server_context("erp.plant")) as server:
        url = f"https://localhost:{server.port}/"
        async with egress.client(line=Line(Tls(certificate_authority=authority.pem))) as client:
            with pytest.raises(ConnectFailed, match="localhost"):
                await client.get(url)
        tls = Tls(certificate_authority=authority.pem, server_name="erp.plant")
        async with egress.client(line=Line(tls)) as client:
            assert (await client.get(url)).text == "ok"


async def test_headers_and_name_are_for_the_system_alone_and_not_for_where_its_login_goes(egress: Egress) -> None:
    authority = Authority()
    heads: list[bytes] = []

    def hearing(server: Server) -> Peer:
        async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await server.read(reader))
            writer.write(OK)

        return peer

    line = Line(Tls(authority.pem, server_name="erp.plant"), headers={"X-Gate": SecretStr("open sesame")})
    async with (
        Server(hearing, context=authority.server_context("erp.plant")) as system,
        Server(hearing, context=authority.server_context("localhost")) as elsewhere,
        egress.client(base_url=f"https://localhost:{system.port}/api/", line=line) as client,
    ):
        await client.get("orders")
        await client.post(f"https://localhost:{elsewhere.port}/token", content=b"login")
    assert [b"open sesame" in head for head in heads] == [True, False]


async def test_a_client_certificate_is_shown_and_its_key_hidden(egress: Egress, tmp_path: Path) -> None:
    authority = Authority()
    context = authority.server_context("localhost", asks_for_certificate=True)
    tls = Tls(
        certificate_authority=authority.pem,
        client_certificate=SecretStr(authority.certificate_and_key("gateway")),
    )
    assert "PRIVATE" not in repr(tls)
    async with Server(answering(b"ok"), context=context) as server, egress.client(line=Line(tls)) as client:
        assert (await client.get(f"https://localhost:{server.port}/")).text == "ok"


async def test_a_port_without_tls_is_not_sent(egress: Egress) -> None:
    def peer(server: Server) -> Peer:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        return run

    async with Server(peer) as server, egress.client() as client:
        with pytest.raises(ConnectFailed) as caught:
            await client.get(f"https://127.0.0.1:{server.port}/")
    assert caught.value.stage == "TLS"


async def test_a_peer_that_closes_in_the_handshake_is_not_sent(egress: Egress) -> None:
    def peer(server: Server) -> Peer:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.transport.abort()

        return run

    async with Server(peer) as server, egress.client() as client:
        with pytest.raises(ConnectFailed) as caught:
            await client.get(f"https://127.0.0.1:{server.port}/")
    assert caught.value.stage == "TLS"


# What clients do by themselves: as little as possible


async def test_redirects_are_not_followed(egress: Egress) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    async with Server(sending(moved)) as server, egress.client() as client:
        assert (await client.get(f"http://127.0.0.1:{server.port}/")).status_code == 302
        assert len(server.requests) == 1


@pytest.mark.parametrize("keep", [False, True])
async def test_cookies_are_kept_only_when_asked(egress: Egress, keep: bool) -> None:
    heads: list[bytes] = []

    def peer(server: Server) -> Peer:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                heads.append((await server.read(reader)).lower())
                writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: session=abc; Path=/\r\nContent-Length: 0\r\n\r\n")

        return run

    async with Server(peer) as server, egress.client(keep_cookies=keep) as client:
        for _ in range(2):
            await client.get(f"http://127.0.0.1:{server.port}/")
    assert (b"cookie: session=abc" in heads[1]) is keep


async def test_headers_are_ours_and_the_callers(egress: Egress) -> None:
    heads: list[bytes] = []

    def peer(server: Server) -> Peer:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append((await server.read(reader)).lower())
            writer.write(OK)

        return run

    async with Server(peer) as server, egress.client(headers={"X-Plant": "7"}) as client:
        await client.post(f"http://127.0.0.1:{server.port}/", content=b"x")
    names = [line.split(b":")[0] for line in heads[0].split(b"\r\n")[1:] if line]
    assert b"user-agent: switchgear/" in heads[0]
    assert b"accept-encoding: gzip, deflate\r\n" in heads[0]
    assert b"x-plant: 7\r\n" in heads[0]
    assert sorted(names) == sorted(
        [b"host", b"accept", b"accept-encoding", b"connection", b"content-length", b"user-agent", b"x-plant"]
    )


async def test_headers_of_a_line_are_on_every_request_and_replace_none(egress: Egress) -> None:
    """Those of logins are made apart from the client."""
    heads: list[bytes] = []

    def peer(server: Server) -> Peer:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append((await server.read(reader)).lower())
            writer.write(OK)

        return run

    line = Line(headers={"X-Gate": SecretStr("7"), "X-Own": SecretStr("theirs")})
    assert "7" not in repr(line)
    async with Server(peer) as server, egress.client(line=line) as client:
        await client.send(httpx.Request("POST", f"http://127.0.0.1:{server.port}/", headers={"X-Own": "ours"}))
    assert b"\r\nx-gate: 7\r\n" in heads[0]
    assert b"\r\nx-own: ours\r\n" in heads[0]
    assert b"theirs" not in heads[0]


async def test_proxies_of_the_environment_are_ignored(egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Server(answering(b"ok")) as server, Server(answering(b"proxied")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with egress.client() as client:
            assert (await client.get(f"http://127.0.0.1:{server.port}/")).text == "ok"


# What answers may do to us


async def test_a_compressed_body_comes_in_bounded_pieces(egress: Egress) -> None:
    body = gzip.compress(bytes(50_000_000))
    async with Server(answering(body, "Content-Encoding: gzip")) as server, egress.client() as client:
        sizes = []
        async with client.stream("GET", f"http://127.0.0.1:{server.port}/") as response:
            async for chunk in response.aiter_bytes():
                sizes.append(len(chunk))
                if sum(sizes) > 10_000_000:
                    break
    assert max(sizes) < 2_200_000
    assert sum(sizes) < 13_000_000


async def test_compressed_bodies_are_read(egress: Egress) -> None:
    text = bytes(range(256)) * 1000
    peer = answering(gzip.compress(text), "Content-Encoding: GZIP")
    async with Server(peer) as server, egress.client() as client:
        assert (await client.get(f"http://127.0.0.1:{server.port}/")).content == text


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd", "x-unknown"])
async def test_other_and_stacked_codings_are_refused(egress: Egress, coding: str) -> None:
    body = gzip.compress(gzip.compress(b"bomb"))
    async with Server(answering(body, f"Content-Encoding: {coding}")) as server, egress.client() as client:
        with pytest.raises(httpx.DecodingError):
            await client.get(f"http://127.0.0.1:{server.port}/")
        assert len(server.requests) == 1
