"""Certificates, proxies and headers of connections, as callers set and see them, over real servers."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.keys.keyring import Keyring
from tests.connectors.traced import Spans, recorded
from tests.gateway.certificates import Authority
from tests.gateway.customer_plant import update
from tests.gateway.fronts import ForwardProxy, TlsFront, started
from tests.gateway.running import (
    ADMIN,
    PASSWORD,
    USER,
    RunningGateway,
    StandIn,
    credentials,
    running_gateway,
    stand_in,
)
from tests.servers.nginx import tls_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANARY = "Kanarienvogel"
HEADER = {"name": "X-Plant-Gate", "value": f"{CANARY}-header"}
AUTHORITY, OTHER = Authority(), Authority("another authority")
MINE, HIS = AUTHORITY.pair("gateway"), AUTHORITY.pair("gateway")
WEAK = AUTHORITY.pair("gateway", is_weak=True)
OVER = -timedelta(hours=1)
NAME = "erp.plant.example"
SHOWN = """
query ($id: ID!) {
  connection(id: $id) {
    status
    credential { status expiresAt }
    settings {
      proxyUrl
      tls { hasCertificateAuthority hasClientCertificate clientCertificateExpiresAt serverName }
      headerNames
    }
  }
}
"""
CONNECT = """
mutation ($input: ConnectSystemInput!) {
  connectSystem(input: $input) {
    connection { id }
    checks { name status message }
    errors { code message field remediation }
  }
}
"""
TEST = """
mutation ($id: ID!) {
  testConnection(input: {id: $id}) { checks { name status message } errors { code message } }
}
"""
NOTHING: dict[str, Any] = {
    "proxyUrl": None,
    "tls": {
        "hasCertificateAuthority": False,
        "hasClientCertificate": False,
        "clientCertificateExpiresAt": None,
        "serverName": None,
    },
    "headerNames": [],
}


@dataclass
class Office:
    """A gateway, a system, and what stands between them."""

    gateway: RunningGateway
    erp: StandIn
    front: TlsFront
    proxy: ForwardProxy
    spans: Spans

    @property
    def secure(self) -> str:
        """Where the system answers over TLS."""
        return f"https://localhost:{self.front.port}"

    async def try_to(self, url: str, **settings: Any) -> Any:
        """The payload of connectSystem with these settings."""
        given = {
            "system": "sap_s4hana",
            "authMethod": "basic",
            "credentials": credentials(url=url, username=USER, password=PASSWORD),
            "name": "An ERP",
            "deployment": "CLOUD",
            "customerId": await self.gateway.customer(),
            "settings": settings,
        }
        return (await self.gateway.data(CONNECT, input=given))["connectSystem"]

    async def connected(self, url: str, **settings: Any) -> str:
        payload = await self.try_to(url, **settings)
        assert payload["errors"] == []
        return str(payload["connection"]["id"])

    async def shown(self, connection_id: str) -> Any:
        return (await self.gateway.data(SHOWN, id=connection_id))["connection"]["settings"]

    async def tested(self, connection_id: str) -> dict[str, tuple[str, str | None]]:
        """The stages of testConnection."""
        checks = (await self.gateway.data(TEST, id=connection_id))["testConnection"]["checks"]
        return {check["name"]: (check["status"], check["message"]) for check in checks}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    proxy, folder = ForwardProxy(), tmp_path_factory.mktemp("office")
    with recorded() as spans:
        async with stand_in() as erp, started(proxy), running_gateway(folder, probe_seconds=3600) as gateway:
            front = TlsFront(behind=int(erp.url.rpartition(":")[2]))
            async with started(front, AUTHORITY.server_context("localhost")):
                yield Office(gateway, erp, front, proxy, spans)


# Certificates


async def test_a_private_authority_is_needed_and_enough(office: Office) -> None:
    refused = await office.try_to(office.secure)
    (error,) = refused["errors"]
    assert refused["connection"] is None
    assert (error["code"], error["message"]) == (
        "UPSTREAM_UNREACHABLE",
        "The system's certificate is signed by an authority that is not known here.",
    )
    assert "settings.tls.certificateAuthority" in error["remediation"]
    (failed,) = [check for check in refused["checks"] if check["status"] == "FAILED"]
    assert failed["name"] == "TLS"
    assert "settings.tls.certificateAuthority" in failed["message"]
    connection = await office.connected(office.secure, tls={"certificateAuthority": AUTHORITY.pem})
    assert (await office.shown(connection))["tls"]["hasCertificateAuthority"] is True
    assert (await office.tested(connection))["TLS"][0] == "PASSED"


async def test_another_name_is_asked_for_and_looked_for(office: Office) -> None:
    async with started(front := TlsFront(behind=office.front.behind), AUTHORITY.server_context(NAME)):
        url = f"https://localhost:{front.port}"
        refused = await office.try_to(url, tls={"certificateAuthority": AUTHORITY.pem})
        assert "settings.tls.serverName" in refused["errors"][0]["remediation"]
        connection = await office.connected(url, tls={"certificateAuthority": AUTHORITY.pem, "serverName": NAME})
        assert (await office.shown(connection))["tls"]["serverName"] == NAME


async def test_nginx_before_a_system_wants_a_client_certificate(office: Office, tmp_path: Path) -> None:
    own = {"certificateAuthority": AUTHORITY.pem}
    mine = {**own, "clientCertificate": MINE.certificate, "clientKey": MINE.key}
    with tls_server(tmp_path / "nginx", AUTHORITY.pair("localhost"), AUTHORITY.pem, office.erp.url) as url:
        refused = await office.try_to(url, tls=own)
        assert [check["name"] for check in refused["checks"] if check["status"] == "FAILED"] == ["TLS"]
        assert refused["errors"][0]["code"] == "CREDENTIALS_REJECTED"
        assert "settings.tls.clientCertificate" in refused["errors"][0]["remediation"]
        connection = await office.connected(url, tls=mine)
        assert (await office.shown(connection))["tls"]["hasClientCertificate"] is True
        stranger = OTHER.pair("gateway")
        changed = {"clientCertificate": stranger.certificate, "clientKey": stranger.key}
        assert (await update(office.gateway, connection, settings={"tls": changed}))["errors"] == []
        status, message = (await office.tested(connection))["TLS"]
        assert status == "FAILED"
        assert "refuses the client certificate" in str(message)
        assert (await update(office.gateway, connection, settings={"tls": mine}))["errors"] == []
        assert (await office.tested(connection))["PERMISSIONS"][0] == "PASSED"


async def test_what_is_absent_stays_and_null_takes_back(office: Office) -> None:
    tls = {"certificateAuthority": AUTHORITY.pem, "clientCertificate": MINE.certificate, "clientKey": MINE.key}
    connection = await office.connected(office.secure, tls=tls, headers=[HEADER])
    before = await office.shown(connection)
    assert before["headerNames"] == ["X-Plant-Gate"]
    assert before["tls"]["clientCertificateExpiresAt"] is not None
    for settings, expected in (
        ({"timeoutMs": 5000}, before),
        ({"tls": {}}, before),
        ({"tls": {"serverName": "localhost"}}, {**before, "tls": {**before["tls"], "serverName": "localhost"}}),
        ({"tls": {"serverName": None}}, before),
        ({"headers": []}, {**before, "headerNames": []}),
        (
            {"tls": {"clientCertificate": None}},
            {**NOTHING, "tls": {**NOTHING["tls"], "hasCertificateAuthority": True}},
        ),
        ({"tls": None}, NOTHING),
        ({"proxyUrl": "http://localhost:3128"}, {**NOTHING, "proxyUrl": "http://localhost:3128"}),
        ({"proxyUrl": None}, NOTHING),
    ):
        assert (await update(office.gateway, connection, settings=settings))["errors"] == [], settings
        assert await office.shown(connection) == expected, settings


async def test_a_renewed_certificate_of_the_same_key_needs_no_key(office: Office) -> None:
    tls = {"certificateAuthority": AUTHORITY.pem, "clientCertificate": MINE.certificate, "clientKey": MINE.key}
    connection = await office.connected(office.secure, tls=tls)
    again = await update(office.gateway, connection, settings={"tls": {"clientCertificate": MINE.certificate}})
    assert again["errors"] == []
    refused = await update(office.gateway, connection, settings={"tls": {"clientCertificate": HIS.certificate}})
    assert refused["errors"][0]["field"] == "settings.tls.clientKey"
    assert "does not belong" in refused["errors"][0]["message"]


MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"tls": {"certificateAuthority": "no PEM"}}, "tls.certificateAuthority", "no certificate as PEM"),
    ({"tls": {"certificateAuthority": ""}}, "tls.certificateAuthority", "no certificate as PEM"),
    ({"tls": {"certificateAuthority": Authority(lasts=OVER).pem}}, "tls.certificateAuthority", "has expired"),
    ({"tls": {"clientCertificate": "".join(MINE), "clientKey": MINE.key}}, "tls.clientCertificate", "private key is"),
    (
        {"tls": {"clientCertificate": AUTHORITY.pair("gateway", OVER).certificate, "clientKey": MINE.key}},
        "tls.clientCertificate",
        "has expired",
    ),
    ({"tls": {"clientCertificate": MINE.certificate}}, "tls.clientKey", "is missing"),
    ({"tls": {"clientKey": MINE.key}}, "tls.clientCertificate", "is missing"),
    ({"tls": {"clientCertificate": MINE.certificate, "clientKey": HIS.key}}, "tls.clientKey", "does not belong"),
    ({"tls": {"clientCertificate": MINE.certificate, "clientKey": CANARY}}, "tls.clientKey", "no private key"),
    (
        {"tls": {"clientCertificate": MINE.certificate, "clientKey": AUTHORITY.pair("x", passphrase=b"x").key}},
        "tls.clientKey",
        "encrypted",
    ),
    ({"tls": {"clientCertificate": WEAK.certificate, "clientKey": WEAK.key}}, "tls", "KEY_TOO_SMALL"),
    ({"tls": {"serverName": "two words"}}, "tls.serverName", "not a host name"),
    ({"tls": {"serverName": "erp\r\nHost: x"}}, "tls.serverName", "not a host name"),
    *(
        ({"headers": [HEADER, {"name": name, "value": CANARY}]}, "headers.1.name", "product itself")
        for name in ("Host", "authorization", "Content-Length", "Cookie", "Proxy-Authorization", "Transfer-Encoding")
    ),
    ({"headers": [{"name": "X Gate", "value": CANARY}]}, "headers.0.name", "letters"),
    ({"headers": [{"name": "X-Gate:", "value": CANARY}]}, "headers.0.name", "letters"),
    ({"headers": [{"name": "X-Gate", "value": f"{CANARY}\r\nHost: x"}]}, "headers.0.value", "one line"),
    ({"headers": [{"name": "X-Gate", "value": f"{CANARY}\x00"}]}, "headers.0.value", "one line"),
    ({"headers": [{"name": "X-Gate", "value": ""}]}, "headers.0.value", "1 to"),
    ({"headers": [{"name": "X-Gate", "value": f"{CANARY} ü"}]}, "headers.0.value", "ASCII"),
    ({"headers": [HEADER, {**HEADER, "name": "x-plant-gate"}]}, "headers.1.name", "already"),
    ({"headers": [{"name": f"X-{number}", "value": "x"} for number in range(21)]}, "headers", "At most 20"),
    ({"proxyUrl": "https://proxy.example.com:3128"}, "proxyUrl", "http://host:port"),
    ({"proxyUrl": "http://10.0.0.1:3128"}, "proxyUrl", "outside SWITCHGEAR_ALLOWED_NETWORKS"),
    ({"proxyUrl": f"http://{CANARY}@localhost:3128"}, "proxyUrl", "joined by a colon"),
    ({"proxyUrl": f"http://{CANARY}:%0d%0a@localhost:3128"}, "proxyUrl", "cannot be sent"),
    ({"proxyUrl": "http://localhost:3128/path"}, "proxyUrl", "nothing may follow"),
]


@pytest.mark.parametrize(
    ("settings", "field", "words"), MISTAKES, ids=[f"{place}: {item[1]}" for place, item in enumerate(MISTAKES)]
)
async def test_a_mistake_is_named_and_nothing_is_kept(
    office: Office, settings: dict[str, Any], field: str, words: str
) -> None:
    count = "query { connections(first: 100) { nodes { id settings { headerNames } } } }"
    connection, _ = await office.gateway.connected(office.erp)
    before = await office.gateway.data(count)
    for payload in (
        await office.try_to(office.erp.url, **settings),
        await update(office.gateway, connection, settings=settings),
    ):
        (error,) = payload["errors"]
        assert (error["code"], error["field"]) == ("VALIDATION_FAILED", f"settings.{field}")
        assert words in error["message"]
        assert CANARY not in json.dumps(payload)
    assert await office.gateway.data(count) == before
    assert await office.shown(connection) == NOTHING


# Headers


async def test_headers_arrive_and_are_never_shown_again(
    office: Office, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = f"{CANARY}:{CANARY}-password"
    monkeypatch.setattr(office.proxy, "login", login)
    caplog.set_level("DEBUG")
    office.front.carried.clear()
    connection = await office.connected(
        office.secure,
        headers=[HEADER],
        proxyUrl=f"http://{login}@127.0.0.1:{office.proxy.port}",
        tls={"certificateAuthority": AUTHORITY.pem, "clientCertificate": MINE.certificate, "clientKey": MINE.key},
    )
    orders = "query ($ids: [ID!]) { purchaseOrders(connectionIds: $ids) { nodes { number vendor { name } } } }"
    await office.gateway.data(orders, ids=[connection])
    await office.tested(connection)
    carried = bytes(office.front.carried)
    assert carried.count(b" HTTP/1.1\r\n") == carried.count(f"x-plant-gate: {HEADER['value']}\r\n".encode()) > 0
    shown = await office.shown(connection)
    assert shown["proxyUrl"] == f"http://127.0.0.1:{office.proxy.port}"
    monkeypatch.setattr(office.proxy, "login", "somebody:else")
    office.erp.trouble("error")
    try:
        answers = [
            await office.gateway.ask("{ purchaseOrders(first: 2) { sources { error { message } } } }"),
            await office.gateway.data(TEST, id=connection),
            await office.gateway.ask("{ events(first: 50) { nodes { name data reason { message } } } }"),
            await office.gateway.ask("{ connections { nodes { calls { request error { message } } } } }"),
        ]
    finally:
        office.erp.trouble("none")
    metrics = await office.gateway.client.get("/metrics", headers={"Authorization": f"Bearer {ADMIN}"})
    store = office.gateway.process.directory.store
    audited = [repr(entry) for entry in await store.audit.page(first=1000)]
    kept = b"".join(path.read_bytes() for path in office.gateway.folder.glob("switchgear.db*"))
    process = office.gateway.process
    live = process.directory.live(connection)
    row = await store.connection(connection, customer_id=None)
    assert live is not None
    assert row is not None
    sinks = {
        "answers": json.dumps([shown, answers]),
        "log": caplog.text,
        "metrics": metrics.text,
        "spans": "\n".join(span.to_json() for span in office.spans.all()),
        "audit": "\n".join(audited),
        "database": kept.decode("latin-1"),
        "settings": json.dumps(row.settings),
        "reprs": repr((live.source, live.source.http, process.directory.secrets_of(row))),
    }
    secret_line = MINE.key.splitlines()[1]
    for sink, text in sinks.items():
        assert text, sink
        for word in (CANARY, secret_line, "PRIVATE KEY"):
            assert word not in text, f"{word} is in the {sink}"


# Proxies


async def test_everything_goes_through_the_proxy(office: Office) -> None:
    office.proxy.asked.clear()
    asked = len(office.erp.box.requests)
    connection = await office.connected(
        office.secure, tls={"certificateAuthority": AUTHORITY.pem}, proxyUrl=office.proxy.url
    )
    assert set(office.proxy.asked) == {f"CONNECT localhost:{office.front.port}"}
    assert len(office.erp.box.requests) > asked
    plain = await office.connected(office.erp.url, proxyUrl=office.proxy.url)
    assert any(line.startswith(f"GET {office.erp.url}/") for line in office.proxy.asked)
    await office.proxy.stop()
    try:
        for each in (connection, plain):
            stages = await office.tested(each)
            assert stages["TCP"][0] == "FAILED"
            assert str(stages["TCP"][1]).startswith("The proxy does not answer. Check `settings.proxyUrl`")
        answer = await office.gateway.data(
            "query ($ids: [ID!]) { vendors(connectionIds: $ids) { sources { error { message remediation } } } }",
            ids=[plain],
        )
        (source,) = answer["vendors"]["sources"]
        assert source["error"]["message"] == "The proxy does not answer."
        assert "settings.proxyUrl" in source["error"]["remediation"]
    finally:
        await office.proxy.start()


async def test_a_proxy_that_wants_a_login_gets_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office.proxy, "login", "gateway:p@ss:word")
    refused = await office.try_to(office.erp.url, proxyUrl=office.proxy.url)
    assert "asks for a login" in refused["errors"][0]["message"]
    assert "Kerberos and NTLM" in refused["errors"][0]["remediation"]
    with_login = office.proxy.url.replace("//", "//gateway:p%40ss%3Aword@")
    connection = await office.connected(office.erp.url, proxyUrl=with_login)
    assert (await office.shown(connection))["proxyUrl"] == office.proxy.url


async def test_a_rotated_key_opens_all_of_it(office: Office) -> None:
    connection = await office.connected(office.erp.url, headers=[HEADER])
    directory = office.gateway.process.directory
    row = await directory.store.connection(connection, customer_id=None)
    assert row is not None
    renewed: Keyring = office.gateway.process.keyring.rotated()
    found = {item[1]: item for item in await directory.store.sealed()}
    tenant, identifier, text = found[connection]
    opened = renewed.unseal(renewed.rewrap(text, tenant=tenant, row=identifier), tenant=tenant, row=identifier)
    assert json.loads(opened)["headers"] == {HEADER["name"]: HEADER["value"]}
