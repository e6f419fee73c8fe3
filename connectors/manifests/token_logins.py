"""OAuth 2 logins that fetch a token: what they send (RFC 6749, sections 4.4 and 6), and what the answers mean."""

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

import httpx

from connectors.auth import SessionLogin
from connectors.errors import (
    BadAnswer,
    LoginRefused,
    RateLimited,
    RefreshFailed,
    Refusal,
    TimedOut,
    Trouble,
    Unavailable,
    Upstream,
)
from connectors.manifests.form import RefreshTokenLogin, TokenLogin
from connectors.ports import Session
from connectors.retry_after import wait_of

_HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_REFUSED = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
"""The words of RFC 6749 for what will not work better the next time."""
_WORD = re.compile(r"[a-z_]{1,40}")


def token_login(login: TokenLogin, answers: Mapping[str, str]) -> SessionLogin:
    """The flow of a login with these answers to its form."""
    return SessionLogin(
        partial(_fetch_token, login, answers), partial(_read_token, isinstance(login, RefreshTokenLogin)), _meaning
    )


def _fetch_token(login: TokenLogin, answers: Mapping[str, str], url: httpx.URL, renewal: str | None) -> httpx.Request:
    given = {"grant_type": "client_credentials"}
    if isinstance(login, RefreshTokenLogin):
        given = {"grant_type": "refresh_token", "refresh_token": renewal or answers[login.refresh_token]}
    given |= {"client_id": answers[login.client_id], "client_secret": answers[login.client_secret]}
    body = urlencode(given | ({"scope": login.scope} if login.scope else {})).encode()
    return httpx.Request("POST", answers[login.token_url], headers=_HEADERS, content=body)


def _read_token(is_renewed: bool, response: httpx.Response) -> Session:
    """The token in an answer; raises why there is none."""
    content = _content(response)
    if response.status_code != httpx.codes.OK:
        raise _refusal(is_renewed, response, content)
    token, renewal = content.get("access_token"), content.get("refresh_token")
    if not isinstance(token, str) or not token:
        raise RefreshFailed("The token address has answered without a token.", upstream=Upstream(status=200))
    return Session(
        header=f"Bearer {token}",
        renewal=renewal if is_renewed and isinstance(renewal, str) and renewal else None,
        lifetime=_lifetime(content.get("expires_in")),
    )


def _content(response: httpx.Response) -> dict[str, Any]:
    try:
        content = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _refusal(is_renewed: bool, response: httpx.Response, content: Mapping[str, Any]) -> Trouble:
    """What a refusal means; only its one word is told, because texts may repeat what was sent."""
    word = content.get("error")
    word = word if isinstance(word, str) and _WORD.fullmatch(word) else None
    said = Upstream(status=response.status_code, code=word)
    if word not in _REFUSED or response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        message = f"The token address has answered with status {response.status_code}."
        wait = wait_of({name.lower(): value for name, value in response.headers.items()})
        return RefreshFailed(message, upstream=said, retry_after=wait)
    if is_renewed and word == "invalid_grant":
        message = "The refresh token is no longer valid: it was revoked, has expired or was used elsewhere."
        return LoginRefused(message, refusal=Refusal.REVOKED, upstream=said)
    message = f"The token address refuses the client: {word}."
    return LoginRefused(message, refusal=Refusal.REJECTED, upstream=said)


def _lifetime(given: Any) -> float | None:
    """How many seconds a token holds, where the answer says so in a way that can be understood."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        seconds = float(given)
    except ValueError:
        return None
    return seconds if 0 < seconds < float("inf") else None


def _meaning(trouble: Trouble) -> Trouble:
    """A token address that does not answer says nothing of the system."""
    if isinstance(trouble, Unavailable | TimedOut | BadAnswer | RateLimited):
        return RefreshFailed("The token address does not answer.", upstream=trouble.upstream, sent=trouble.sent)
    return trouble
