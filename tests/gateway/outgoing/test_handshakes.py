"""What a failed handshake means, by real servers over both versions of TLS, and by a real nginx."""

import ssl
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from connectors.client import trouble_of
from connectors.errors import CertificateRefused, Sent, Trouble, Unavailable
from connectors.fronts import front_trouble
from connectors.query import Answer
from gateway.outgoing.egress import Egress
from gateway.outgoing.lines import Line, Tls
from gateway.outgoing.overhearing import overhear
from gateway.outgoing.reaching import reach
from tests.gateway.certificates import Authority
from tests.gateway.peers import Server, answering, blunt_server, sending
from tests.servers.nginx import tls_server

AUTHORITY = Authority()
OTHER = Authority("another authority")
OVER = -timedelta(hours=1)
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def trusting(certificate: str | None = None, authority: Authority = AUTHORITY) -> Line:
    return Line(Tls(authority.pem, None if certificate is None else SecretStr(certificate)))


async def trouble_with(url: str, line: Line) -> Trouble | None:
    """What a call comes to."""
    egress = Egress("dev")
    try:
        async with egress.client(line=line) as client:
            answer = await client.get(url)
        return front_trouble(Answer(answer.status_code, {}, answer.content))
    except httpx.TransportError as error:
        return trouble_of(error)
    finally:
        egress.close()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "lasts", "authority", "words", "remedy"),
    [
        ("localhost", timedelta(hours=1), OTHER, "authority that is not known", "settings.tls.certificateAuthority"),
        ("localhost", OVER, AUTHORITY, "has expired", "renewed at the system"),
        ("other.example", timedelta(hours=1), AUTHORITY, "another name", "settings.tls.serverName"),
    ],
)
async def test_a_certificate_that_is_not_trusted_says_why_and_what_to_do(
    version: ssl.TLSVersion, name: str, lasts: timedelta, authority: Authority, words: str, remedy: str
) -> None:
    context = AUTHORITY.server_context(name, lasts=lasts)
    context.maximum_version = version
    line = trusting(authority=authority)
    async with Server(answering(b"ok"), context=context) as server:
        url = f"https://localhost:{server.port}/"
        called = await trouble_with(url, line)
        (*_, looked_at) = await reach(Egress("dev"), url, line)
    for trouble in (called, looked_at.trouble):
        assert isinstance(trouble, Unavailable)
        assert words in trouble.message
        assert remedy in str(trouble.remedy)
        assert (trouble.stage, trouble.sent) == ("TLS", Sent.NOT_SENT)
    assert looked_at.name.name == "TLS"
    assert server.requests == []


@pytest.mark.parametrize(
    ("certificate", "words", "remedy"),
    [
        (None, "asks for a client certificate", "settings.tls.clientCertificate"),
        (OTHER.certificate_and_key("gateway"), "authority of the client certificate", "that the system takes"),
        (AUTHORITY.certificate_and_key("gateway", OVER), "has expired", "that the system takes"),
    ],
    ids=["none", "unknown", "expired"],
)
async def test_a_system_that_wants_another_client_certificate_is_understood(
    certificate: str | None, words: str, remedy: str
) -> None:
    context = AUTHORITY.server_context("localhost", asks_for_certificate=True)
    line = trusting(certificate)
    with blunt_server(context) as port:
        url = f"https://localhost:{port}/"
        heard = await overhear(Egress("dev"), httpx.URL(url), line, "localhost")
        called = await trouble_with(url, line) if certificate else heard
    for trouble in (heard, called):
        assert isinstance(trouble, CertificateRefused)
        assert words in trouble.message
        assert remedy in str(trouble.remedy)


async def test_where_a_login_goes_is_asked_by_its_own_name_what_it_has_against_a_certificate() -> None:
    context = AUTHORITY.server_context("localhost", asks_for_certificate=True)
    certificate = SecretStr(OTHER.certificate_and_key("gateway"))
    line = Line(Tls(AUTHORITY.pem, certificate, server_name="erp.plant"))
    with blunt_server(context) as port:
        url = httpx.URL(f"https://localhost:{port}/token")
        assert isinstance(await overhear(Egress("dev"), url, line, "localhost"), CertificateRefused)
        assert await overhear(Egress("dev"), url, line, "erp.plant") is None


async def test_a_line_that_is_taken_has_nothing_to_be_overheard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.outgoing.overhearing._SECONDS", 0.05)
    context = AUTHORITY.server_context("localhost", asks_for_certificate=True)
    async with Server(sending(then="close"), context=context) as server:
        trouble = await trouble_with(
            f"https://localhost:{server.port}/", trusting(AUTHORITY.certificate_and_key("gateway"))
        )
    assert isinstance(trouble, Unavailable)
    assert trouble.message == "The system closed the connection before it had answered."
    assert server.connections == 2


async def test_over_tls_1_2_a_missing_certificate_can_only_be_guessed() -> None:
    context = AUTHORITY.server_context("localhost", asks_for_certificate=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with blunt_server(context) as port:
        trouble = await trouble_with(f"https://localhost:{port}/", trusting())
    assert isinstance(trouble, Unavailable)
    assert trouble.message == "No secure line to the system could be made."
    assert "want a client certificate" in str(trouble.remedy)


async def test_what_nginx_says_of_client_certificates_is_understood(tmp_path: Path) -> None:
    good, over = AUTHORITY.certificate_and_key("gateway"), AUTHORITY.certificate_and_key("gateway", OVER)
    with tls_server(tmp_path / "nginx", AUTHORITY.pair("localhost"), AUTHORITY.pem) as url:
        missing = await trouble_with(url, trusting())
        expired = await trouble_with(url, trusting(over))
        taken = await trouble_with(url, trusting(good))
    assert isinstance(missing, CertificateRefused)
    assert "asks for a client certificate" in missing.message
    assert isinstance(expired, CertificateRefused)
    assert "refuses the client certificate" in expired.message
    assert taken is None


def test_other_bad_requests_are_the_systems_own() -> None:
    for answer in (Answer(400, {}, b"No such order"), Answer(200, {}, b"The SSL certificate error")):
        assert front_trouble(answer) is None
