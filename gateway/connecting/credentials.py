"""Checks credentials before they are kept, and makes the keys that go with connections."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from connectors.auth import LocalSessions, SessionLogin
from connectors.client import Source
from connectors.errors import CertificateRefused
from connectors.ports import Observer, Session
from connectors.spec import AuthMethod, System
from gateway.connecting.examining import Examination, examine
from gateway.connecting.forms import Refused, invalid
from gateway.connecting.line_form import no_proxy
from gateway.connecting.refusals import refusal_of
from gateway.directory import CHECKED, Directory, OpenSessions
from gateway.keys import tokens
from gateway.keys.keyring import Keyring
from gateway.keys.sealed import Sealed
from gateway.outgoing.lines import line_of
from gateway.outgoing.urls import ProxyRefused, UrlRefused
from gateway.stores import rows


@asynccontextmanager
async def trial(
    directory: Directory,
    tenant: str,
    system: System,
    method: AuthMethod,
    secrets: Sealed,
    settings: Mapping[str, Any],
    observer: Observer | None = None,
    sessions: OpenSessions | None = None,
) -> AsyncIterator[Source]:
    """A source that lives only so long, to try credentials out; what cannot be one is Refused."""
    try:
        source = directory.open_source(system.key, method.key, CHECKED, secrets, settings, tenant, observer, sessions)
    except ProxyRefused as error:
        raise no_proxy(error) from None
    except CertificateRefused as error:
        raise Refused(refusal_of(error)) from None
    except UrlRefused as error:
        raise invalid("credentials.url", f"This address cannot be used: {error.reason}.") from None
    if source is None:
        raise invalid("authMethod", "This way of logging in is not known.")
    try:
        yield source
    finally:
        await source.close()


async def examine_credentials(
    directory: Directory,
    tenant: str,
    system: System,
    method: AuthMethod,
    secrets: Sealed,
    settings: Mapping[str, Any],
    observer: Observer | None = None,
    sessions: OpenSessions | None = None,
) -> tuple[Examination, Session | None]:
    """Ask the system itself, through a source that lives only so long; also the session that it has logged in with."""
    async with trial(directory, tenant, system, method, secrets, settings, observer, sessions) as source:
        line = line_of(settings, secrets)
        return await examine(source, directory.egress, system.address(secrets.answers), line), session_of(source)


def session_of(source: Source) -> Session | None:
    """The session that a source on trial has, and that must not be lost if its credentials are kept."""
    sessions = source.auth.sessions if isinstance(source.auth, SessionLogin) else None
    return sessions.found if isinstance(sessions, LocalSessions) else None


def connection_key(token: tokens.Token, connection: rows.Connection, keyring: Keyring) -> rows.ApiKey:
    """The key behind a connection's own API token."""
    return key_row(
        token,
        keyring,
        name=connection.name,
        scopes=("READ", "WRITE"),
        customer_id=connection.customer_id,
        connection_id=connection.id,
    )


def key_row(token: tokens.Token, keyring: Keyring, **values: Any) -> rows.ApiKey:
    """A key as it is kept, by the digest of its token."""
    return rows.ApiKey(
        id=rows.new_id("key"),
        kind=token.kind,
        digest=tokens.digest(token.secret.get_secret_value(), keyring.pepper),
        preview=token.preview,
        created_at=datetime.now(UTC),
        **values,
    )
