"""Connects a system from the command line: asks for what the form needs and sends it to a running gateway."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import httpx
from pydantic.alias_generators import to_camel

from connectors.registry import find_system, system_keys
from connectors.spec import AuthMethod, System
from gateway.commands.operators import admin_token_file
from gateway.outgoing.egress import Egress
from gateway.settings import Settings

_MUTATION = """
mutation Connect($input: ConnectSystemInput!) {
  connectSystem(input: $input) {
    connection { id name system { title } }
    apiToken
    errors { code message field remediation }
  }
}
"""


class ConnectingFailed(Exception):
    """The system was not connected; the message says why and what to do."""


async def connect_system(
    settings: Settings,
    key: str,
    *,
    name: str,
    customer_id: str | None,
    auth_method: str | None,
    fields: Sequence[str],
    on_premises: bool,
    dry_run: bool,
    url: str,
    token_file: Path | None,
    headers: Sequence[str],
    **line: Any,
) -> str:
    """Send the connection to the gateway at `url`; the answer is a text for the terminal.

    `line` are the settings of how calls travel: `proxy_url`, and what belongs into `tls`, files by their paths.
    """
    system = find_system(key)
    if system is None:
        raise ConnectingFailed(f"There is no system {key!r}; there are: {', '.join(system_keys())}.")
    method = _method(system, auth_method)
    token = _token(settings, token_file)
    travelling = _line_settings(headers, **line)
    given = {
        "system": key,
        "authMethod": method.key,
        "credentials": [{"name": item, "value": value} for item, value in _answers(method, fields).items()],
        "name": name,
        "customerId": customer_id,
        "deployment": "ON_PREMISES" if on_premises else "CLOUD",
        "dryRun": dry_run,
        "settings": travelling,
    }
    payload = await _send(url, token, given)
    if payload["errors"]:
        error = payload["errors"][0]
        where = f" ({error['field']})" if error["field"] else ""
        raise ConnectingFailed(f"{error['code']}{where}: {error['message']}\n{error['remediation']}")
    if dry_run:
        return "The credentials work; nothing was kept."
    connection = payload["connection"]
    return (
        f"Connected {connection['name']} ({connection['system']['title']}) as {connection['id']}.\n"
        f"Its API token, shown this once only: {payload['apiToken']}"
    )


def _line_settings(headers: Sequence[str], proxy_url: str | None, **tls: str | Path | None) -> dict[str, Any]:
    given = {
        to_camel(name): value.read_text("utf-8", "replace") if isinstance(value, Path) else value
        for name, value in tls.items()
        if value is not None
    }
    named = [{"name": name, "value": value} for name, value in _pairs("--header", headers).items()]
    settings = {"proxyUrl": proxy_url, "tls": given or None, "headers": named or None}
    return {name: value for name, value in settings.items() if value is not None}


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """The values of an option that takes NAME=VALUE."""
    pairs = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator:
            raise ConnectingFailed(f"{option} takes NAME=VALUE, not {item!r}.")
        pairs[name] = value
    return pairs


def _method(system: System, key: str | None) -> AuthMethod:
    method = system.auth_methods[0] if key is None else system.auth_method(key)
    if method is None:
        known = ", ".join(item.key for item in system.auth_methods)
        raise ConnectingFailed(f"{system.title} has no login {key!r}; it has: {known}.")
    return method


def _token(settings: Settings, token_file: Path | None) -> str:
    if token_file is None and settings.admin_token is not None:
        return settings.admin_token.get_secret_value()
    path = token_file or admin_token_file(settings)
    if not path.exists():
        raise ConnectingFailed("There is no token: name a file with --token-file, or set SWITCHGEAR_ADMIN_TOKEN.")
    return path.read_text().strip()


def _answers(method: AuthMethod, fields: Sequence[str]) -> dict[str, str]:
    answers = _pairs("--field", fields)
    known = [item.name for item in method.fields]
    for name in answers:
        if name not in known:
            raise ConnectingFailed(f"The form has no field {name!r}; it has: {', '.join(known)}.")
    for item in method.fields:
        if item.name not in answers and item.is_required:
            answers[item.name] = click.prompt(item.label, hide_input=item.is_secret)
    return answers


async def _send(url: str, token: str, given: dict[str, Any]) -> dict[str, Any]:
    egress = Egress("dev")
    try:
        async with egress.client(base_url=url, timeout=60.0) as client:
            answer = await client.post(
                "/graphql",
                json={"query": _MUTATION, "variables": {"input": given}},
                headers={"Authorization": f"Bearer {token}"},
            )
            body = answer.json()
    except (httpx.HTTPError, ValueError):
        raise ConnectingFailed(
            f"No gateway answers at {url}; start it with `switchgear serve`, or name another one with --url."
        ) from None
    finally:
        egress.close()
    if body.get("errors"):
        error = body["errors"][0]
        raise ConnectingFailed(f"{error['message']}\n{error['extensions']['remediation']}")
    payload: dict[str, Any] = body["data"]["connectSystem"]
    return payload
