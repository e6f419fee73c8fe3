"""Logins that give a session, over a connection that is not kept: one login at a time, and what its answers mean."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from connectors.auth import SessionLogin
from connectors.client import Source
from connectors.errors import LoginRefused, RefreshFailed, Refusal, Trouble, Unavailable
from connectors.manifests.form import AddressEntry, Login
from connectors.manifests.logins import auth_method
from connectors.ports import BreakerState, Session
from connectors.query import Read
from connectors.systems.sap_s4hana.spec import sap_s4hana
from connectors.tally import Tally

READ = Read("API_BUSINESS_PARTNER/A_Supplier", frozenset(("Supplier",)))
SECRETS = {"client_secret": "client-secret", "refresh_token": "first-refresh-token"}
ANSWERS = {"token_url": "https://login.test/token", "client_id": "me", **SECRETS}
Answering = Callable[[httpx.Request], Any]


def login_of(kind: str) -> SessionLogin:
    login: Login = TypeAdapter(Login).validate_python({"key": "k", "title": "K", "kind": kind, "scope": "read"})
    flow = auth_method(login, AddressEntry()).flow(ANSWERS)
    assert isinstance(flow, SessionLogin)
    return flow


class Peer:
    """A token address and a system; `tokens` are the answers of the one, `valid` the tokens that the other takes."""

    def __init__(self, *tokens: httpx.Response | Exception) -> None:
        self.tokens = list(tokens)
        self.valid: set[str] | None = None
        self.is_down = False
        self.bodies: list[str] = []
        self.headers: list[str] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        if request.method == "POST":
            self.bodies.append(request.content.decode())
            answer = self.tokens.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if self.is_down:
            return httpx.Response(500)
        self.headers.append(request.headers["authorization"])
        if self.valid is not None and self.headers[-1].removeprefix("Bearer ") not in self.valid:
            return httpx.Response(401)
        return httpx.Response(200, json={"d": {"results": [{"Supplier": "1"}]}})


def source(peer: Peer, kind: str = "refresh-token") -> Source:
    http = httpx.AsyncClient(transport=httpx.MockTransport(peer), base_url="https://erp.example.com")
    return Source("con_1", sap_s4hana, http, login_of(kind))


async def ask(asked: Source, seconds: float = 5.0) -> str:
    try:
        await asked.fetch(READ, Tally(), asyncio.get_running_loop().time() + seconds)
    except Trouble as trouble:
        return type(trouble).__name__
    return "ok"


def token(word: str, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"access_token": word, "token_type": "Bearer", **more})


async def test_a_refresh_token_is_exchanged_and_the_next_one_kept() -> None:
    peer = Peer(token("t1", refresh_token="second & last"), token("t2"), token("t3"))
    asked = source(peer)
    for valid in ("t1", "t2", "t3"):
        peer.valid = {valid}
        assert await ask(asked) == "ok"
    sent = [dict(pair.split("=") for pair in body.split("&")) for body in peer.bodies]
    assert [item["refresh_token"] for item in sent] == ["first-refresh-token", "second+%26+last", "second+%26+last"]
    assert {item["grant_type"] for item in sent} == {"refresh_token"}
    assert {(item["client_id"], item["client_secret"], item["scope"]) for item in sent} == {
        ("me", "client-secret", "read")
    }


async def test_many_at_once_log_in_once() -> None:
    peer = Peer(token("t1"), token("t2"))
    asked = source(peer, "client-credentials")
    assert await asyncio.gather(*(ask(asked) for _ in range(8))) == ["ok"] * 8
    peer.valid = {"t2"}
    assert await asyncio.gather(*(ask(asked) for _ in range(8))) == ["ok"] * 8
    assert len(peer.bodies) == 2


@pytest.mark.parametrize(("given", "is_asked_again"), [(0.01, True), ("0.01", True), (3600, False), ("x", False)])
async def test_a_token_that_has_ended_is_not_tried(given: Any, is_asked_again: bool) -> None:
    peer = Peer(token("t1", expires_in=given), token("t2"))
    asked = source(peer)
    assert await ask(asked) == "ok"
    await asyncio.sleep(0.02)
    assert await ask(asked) == "ok"
    assert peer.headers == ["Bearer t1", "Bearer t2" if is_asked_again else "Bearer t1"]


def refusal(status: int, error: str | None, **headers: str) -> httpx.Response:
    content = {"error": error, "error_description": "first-refresh-token"} if error else {"message": "client-secret"}
    return httpx.Response(status, json=content, headers=headers)


@pytest.mark.parametrize(
    ("answer", "meaning", "detail"),
    [
        (refusal(400, "invalid_grant"), LoginRefused, Refusal.REVOKED),
        (refusal(401, "invalid_client"), LoginRefused, Refusal.REJECTED),
        (refusal(400, "unauthorized_client"), LoginRefused, Refusal.REJECTED),
        (refusal(400, "invalid_scope"), LoginRefused, Refusal.REJECTED),
        (refusal(401, None), RefreshFailed, None),
        (refusal(503, "invalid_grant"), RefreshFailed, None),
        (refusal(400, "temporarily_unavailable"), RefreshFailed, None),
        (refusal(429, None, **{"Retry-After": "120"}), RefreshFailed, 120.0),
        (httpx.Response(302, headers={"Location": "https://elsewhere.test"}), RefreshFailed, None),
        (httpx.Response(200, json={"token": "t1"}), RefreshFailed, None),
        (httpx.Response(200, json=["access_token"]), RefreshFailed, None),
        (httpx.Response(200, text="[" * 100_000), RefreshFailed, None),
        (httpx.ConnectError("nobody there"), RefreshFailed, None),
        (httpx.ReadTimeout("silence"), RefreshFailed, None),
    ],
)
async def test_what_an_answer_means(answer: Any, meaning: type[Trouble], detail: Any) -> None:
    peer = Peer(answer)
    asked = source(peer)
    with pytest.raises(meaning) as met:
        await asked.fetch(READ, Tally(), asyncio.get_running_loop().time() + 5)
    trouble: Any = met.value
    assert (trouble.refusal if meaning is LoginRefused else trouble.retry_after) == detail
    assert not any(secret in f"{trouble} {trouble!r} {trouble.upstream}" for secret in SECRETS.values())
    assert (peer.headers, len(peer.bodies)) == ([], 1), "it is not sent a second time"
    assert (asked.guard.breaker.state, asked.guard.breaker.failures) == (BreakerState.CLOSED, 0)


async def test_a_token_address_says_nothing_of_the_system() -> None:
    peer = Peer(token("t1", expires_in=0.01), refusal(503, None), refusal(401, "invalid_client"))
    asked = source(peer)
    peer.is_down = True
    assert await ask(asked) == "Unavailable"
    assert asked.guard.breaker.failures == 1
    await asyncio.sleep(0.02)
    assert [await ask(asked), await ask(asked)] == ["RefreshFailed", "LoginRefused"]
    assert asked.guard.breaker.failures == 1


async def test_a_system_that_gives_sessions_itself_is_down_when_its_login_is() -> None:
    login = SessionLogin(lambda url, _: httpx.Request("POST", url), lambda answer: Session("x"))
    asked = source(Peer(httpx.ConnectError("nobody there"), httpx.ConnectError("nobody there")))
    asked.auth = login
    with pytest.raises(Unavailable):
        await asked.fetch(READ, Tally(), asyncio.get_running_loop().time() + 5)
    assert asked.guard.breaker.failures >= 1


async def test_a_session_does_not_print_its_secrets() -> None:
    assert "secret" not in repr(Session("Bearer secret", "secret", 3.0))
    assert "lifetime=3.0" in repr(Session("Bearer secret", "secret", 3.0))


async def test_a_login_comes_to_its_end_before_its_source_is_closed() -> None:
    """Whoever asked has gone away meanwhile; the token is there for the next one."""
    reached, gate = asyncio.Event(), asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        reached.set()
        await gate.wait()
        return token("t1")

    login = login_of("refresh-token")
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://erp.example.com")
    asked = Source("con_1", sap_s4hana, http, login)
    asking = asyncio.create_task(ask(asked))
    await reached.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    closing = asyncio.create_task(asked.close())
    await asyncio.sleep(0)
    assert not closing.done()
    gate.set()
    await closing
    assert login.sessions.current is not None
    assert login.sessions.current.header == "Bearer t1"
