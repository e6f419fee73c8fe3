"""The logins that a manifest can choose from: the form that each asks with, and the flow that it becomes."""

from collections.abc import Callable, Generator, Iterator, Mapping
from urllib.parse import quote

import httpx

from connectors.auth import BasicLogin
from connectors.manifests.form import (
    AddressEntry,
    BasicLoginEntry,
    ClientCredentialsLogin,
    FormFieldEntry,
    HeaderLogin,
    Login,
    NoLogin,
    QueryLogin,
    RefreshTokenLogin,
    TokenLogin,
)
from connectors.manifests.token_logins import token_login
from connectors.spec import AuthMethod
from schema.systems import FormField, FormFieldKind

Answers = Mapping[str, str]
_SECRETS = ("API key", "Password", "Client secret", "Refresh token")


class HeaderKey(httpx.Auth):
    """A key in a header of every request."""

    def __init__(self, header: str, value: str) -> None:
        self._header = header
        self._value = value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        request.headers[self._header] = self._value
        yield request


class QueryKey(httpx.Auth):
    """A key in the query of every request; the rest of the query stays as it is written."""

    def __init__(self, parameter: str, value: str) -> None:
        self._query = f"{quote(parameter, safe='')}={quote(value, safe='')}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the parameter."""
        query = request.url.query.decode()
        request.url = request.url.copy_with(query=f"{query}&{self._query}".lstrip("&").encode())
        yield request


def fields_of_login(login: Login) -> dict[str, str]:
    """The answers that a login needs, by the name of the form's field, with a label for each."""
    match login:
        case NoLogin():
            return {}
        case HeaderLogin() | QueryLogin():
            return {login.secret: "API key"}
        case BasicLoginEntry():
            return {login.username: "User name", login.password: "Password"}
        case ClientCredentialsLogin():
            return _fields_of_client(login)
        case RefreshTokenLogin():
            return {**_fields_of_client(login), login.refresh_token: "Refresh token"}


def _fields_of_client(login: TokenLogin) -> dict[str, str]:
    return {
        login.token_url: "Token address",
        login.client_id: "Client id",
        login.client_secret: "Client secret",
    }


def auth_method(login: Login, address: AddressEntry) -> AuthMethod:
    """A login as the product knows it."""
    fields = _standard_fields(login, address) if login.fields is None else map(_form_field, login.fields)
    return AuthMethod(login.key, login.title, tuple(fields), _flow(login), login.description)


def _standard_fields(login: Login, address: AddressEntry) -> Iterator[FormField]:
    yield FormField(name=address.field, label="Address", kind=FormFieldKind.URL, placeholder=address.placeholder)
    for name, label in fields_of_login(login).items():
        is_url = isinstance(login, TokenLogin) and name == login.token_url
        yield FormField(
            name=name,
            label=label,
            kind=FormFieldKind.URL if is_url else FormFieldKind.TEXT,
            is_secret=label in _SECRETS,
        )


def _form_field(entry: FormFieldEntry) -> FormField:
    return FormField(
        name=entry.name,
        label=entry.label,
        kind=FormFieldKind[entry.kind.upper()],
        help=entry.help,
        placeholder=entry.placeholder,
        is_required=entry.required,
        is_secret=entry.secret,
        pattern=entry.pattern,
    )


def _flow(login: Login) -> Callable[[Answers], httpx.Auth]:
    match login:
        case NoLogin():
            return lambda answers: httpx.Auth()
        case HeaderLogin(header=header, prefix=prefix, secret=secret):
            return lambda answers: HeaderKey(header, prefix + answers[secret])
        case QueryLogin(parameter=parameter, secret=secret):
            return lambda answers: QueryKey(parameter, answers[secret])
        case BasicLoginEntry(username=username, password=password):
            return lambda answers: BasicLogin(answers[username], answers[password])
        case ClientCredentialsLogin() | RefreshTokenLogin():
            return lambda answers: token_login(login, answers)
