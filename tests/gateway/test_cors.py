"""Pages of other origins: kept out, unless their origin is named, and never let in with cookies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway import settings
from gateway.app import build
from gateway.keys.keyring import Keyring

PLANT, TEST = "https://plant.example.com", "http://127.0.0.1:5173"
QUERY = {"query": "{ viewer { __typename } }"}


@asynccontextmanager
async def served(folder: Path, monkeypatch: pytest.MonkeyPatch, origins: str) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SWITCHGEAR_CORS_ORIGINS", origins)
    application = build(settings.load(), Keyring.generate())
    async with application.router.lifespan_context(application):
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield client


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / ".switchgear").mkdir()
    async with served(tmp_path, monkeypatch, f"{PLANT}, {TEST}") as found:
        yield found


def preflight(origin: str, method: str = "POST", headers: str = "authorization,content-type") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


@pytest.mark.parametrize("origin", [PLANT, TEST])
async def test_a_named_origin_may_ask_with_a_key(client: httpx.AsyncClient, origin: str) -> None:
    answer = await client.options("/graphql", headers=preflight(origin))
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "http://plant.example.com", f"{PLANT}:8443", f"{PLANT}.evil.example", "null"]
)
async def test_any_other_origin_may_not(client: httpx.AsyncClient, origin: str) -> None:
    asked = await client.options("/graphql", headers=preflight(origin))
    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    sent = await client.post("/graphql", json=QUERY, headers={"Origin": origin})
    assert "access-control-allow-origin" not in sent.headers


@pytest.mark.parametrize(("method", "headers"), [("DELETE", "authorization"), ("POST", "x-other")])
async def test_only_what_graphql_needs_is_allowed(client: httpx.AsyncClient, method: str, headers: str) -> None:
    assert (await client.options("/graphql", headers=preflight(PLANT, method, headers))).status_code == 400


async def test_a_refusal_can_be_read_by_the_page_too(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json=QUERY, headers={"Origin": PLANT})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == PLANT
    assert "X-Request-Id" in answer.headers["access-control-expose-headers"]
    assert answer.headers["x-request-id"]


async def test_only_the_graph_is_opened(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"Origin": PLANT})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


async def test_without_any_origin_pages_are_kept_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".switchgear").mkdir()
    async with served(tmp_path, monkeypatch, "") as client:
        asked = await client.options("/graphql", headers=preflight(PLANT))
        sent = await client.post("/graphql", json=QUERY, headers={"Origin": PLANT})
    assert asked.status_code == 405
    assert "access-control-allow-origin" not in {*asked.headers, *sent.headers}
