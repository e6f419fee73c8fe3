"""The logins of manifests put exactly their credentials into requests."""

import httpx
import pytest
from pydantic import TypeAdapter

from connectors.manifests.form import AddressEntry, Login
from connectors.manifests.logins import auth_method
from connectors.spec import AuthMethod
from schema.systems import FormFieldKind

_SECRET = "s3cret & more"


def _method(**given: str) -> AuthMethod:
    login: Login = TypeAdapter(Login).validate_python({"key": "k", "title": "K", **given})
    return auth_method(login, AddressEntry(placeholder="https://mill.test"))


async def _sent(method: AuthMethod, **answers: str) -> list[httpx.Request]:
    """The requests that one call makes; a token is given to whoever asks for one."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"access_token": "t0ken"} if request.method == "POST" else {})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), auth=method.flow(answers)) as client:
        await client.get("https://mill.test/vendors?$filter=a%20eq%20'b'&x=1+2")
    return sent


async def test_a_key_in_a_header() -> None:
    (request,) = await _sent(_method(kind="header", header="X-Key", prefix="Token "), api_key="abc")
    assert request.headers["x-key"] == "Token abc"


async def test_a_bearer_token_is_a_key_in_the_usual_header() -> None:
    (request,) = await _sent(_method(kind="header", prefix="Bearer ", secret="token"), token="abc")
    assert request.headers["authorization"] == "Bearer abc"


async def test_a_key_in_the_query_leaves_the_rest_as_it_is() -> None:
    (request,) = await _sent(_method(kind="query", parameter="api key"), api_key=_SECRET)
    assert request.url.query == b"$filter=a%20eq%20'b'&x=1+2&api%20key=s3cret%20%26%20more"


async def test_user_and_password() -> None:
    (request,) = await _sent(_method(kind="basic"), username="u", password="p")
    assert request.headers["authorization"] == "Basic dTpw"


async def test_client_credentials_fetch_a_token() -> None:
    answers = {"token_url": "https://login.test/token", "client_id": "me", "client_secret": _SECRET}
    asked, request = await _sent(_method(kind="client-credentials", scope="read"), **answers)
    assert str(asked.url) == "https://login.test/token"
    assert asked.content == (b"grant_type=client_credentials&client_id=me&client_secret=s3cret+%26+more&scope=read")
    assert request.headers["authorization"] == "Bearer t0ken"


async def test_no_login_sends_nothing() -> None:
    (request,) = await _sent(_method(kind="none"))
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("kind", "secrets"),
    [
        ("header", ["api_key"]),
        ("basic", ["password"]),
        ("client-credentials", ["client_secret"]),
        ("refresh-token", ["client_secret", "refresh_token"]),
        ("none", []),
    ],
)
def test_a_form_hides_what_is_secret(kind: str, secrets: list[str]) -> None:
    fields = _method(kind=kind).fields
    assert [item.name for item in fields if item.is_secret] == secrets
    assert (fields[0].name, fields[0].kind, fields[0].placeholder) == ("url", FormFieldKind.URL, "https://mill.test")


@pytest.mark.parametrize(("kind", "given"), [("header", {}), ("query", {"parameter": "key"}), ("basic", {})])
def test_a_login_does_not_print_its_secret(kind: str, given: dict[str, str]) -> None:
    answers = dict.fromkeys(("api_key", "username", "password"), _SECRET)
    flow = _method(kind=kind, **given).flow(answers)
    assert _SECRET not in f"{flow!r} {flow}"
