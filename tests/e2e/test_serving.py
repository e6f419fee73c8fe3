"""The real server in its two profiles: which addresses it dials, what it keeps secret, and several of it at once."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.demo import ADMIN, Demo
from tests.e2e.processes import Client, Program, SandboxControl, finished, running

CONNECT = """
mutation ($input: ConnectSystemInput!) {
  connectSystem(input: $input) { connection { id } apiToken errors { __typename code message field remediation } }
}
"""
CUSTOMER = 'mutation { createCustomer(input: {name: "A plant"}) { customer { id } } }'
DISCONNECT = "mutation ($id: ID!) { disconnectSystem(input: {id: $id}) { errors { code } } }"
ORDERS = "{ purchaseOrders(first: 5) { nodes { number vendor { name } } isComplete sources { status } } }"
HOSTS = [
    "127.0.0.1",
    "127.0.0.9",
    "localhost",
    "0.0.0.0",  # noqa: S104 - among what must be refused
    "[::ffff:127.0.0.1]",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1.",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "10.0.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "224.0.0.1",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a00:1]",
    "[2002:7f00:1::]",
]
PASSWORD, WRONG = "canary-of-the-right-password", "canary-of-a-wrong-password"
USER = "CANARY"


def connect(client: Client, customer: str, url: str, password: str = PASSWORD, user: str = USER) -> dict[str, Any]:
    given = {"url": url, "username": user, "password": password}
    payload: dict[str, Any] = client.data(
        CONNECT,
        input={
            "system": "sap_s4hana",
            "authMethod": "basic",
            "credentials": [{"name": name, "value": value} for name, value in given.items()],
            "name": "An ERP",
            "customerId": customer,
            "deployment": "CLOUD",
        },
    )["connectSystem"]
    return payload


def new_customer(client: Client) -> str:
    return str(client.data(CUSTOMER)["createCustomer"]["customer"]["id"])


@pytest.fixture(scope="module", params=["cloud", "plant"])
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Client]]:
    """A server that may reach nothing on this machine, and its profile."""
    place = tmp_path_factory.mktemp(request.param)
    settings = {"profile": request.param, "port": "0", "admin_token": ADMIN}
    settings |= {"allowed_networks": "10.20.0.0/16"} if request.param == "plant" else {"introspection": "false"}
    assert finished(place, "init", **settings).returncode == 0
    with running(place, "serve", **settings) as program, Client(program.ready(), ADMIN) as client:
        yield request.param, client


def test_no_address_of_this_machine_or_beyond_the_allowed_networks_is_dialled(
    guarded: tuple[str, Client], demo: Demo
) -> None:
    _, client = guarded
    customer = new_customer(client)
    port = demo.sandboxes["sap-eu"].connection["sandboxUrl"].rpartition(":")[2]
    for host in HOSTS:
        for scheme in ("https", "http"):
            payload = connect(client, customer, f"{scheme}://{host}:{port}")
            (error,) = payload["errors"]
            assert (error["code"], error["field"]) == ("VALIDATION_FAILED", "credentials.url"), host
            assert payload["apiToken"] is None
            assert PASSWORD not in json.dumps(payload)
    assert demo.sandboxes["sap-eu"].requests() == []
    assert client.data("{ connections { nodes { id } } }")["connections"]["nodes"] == []


def test_it_says_that_it_lives_and_is_ready(guarded: tuple[str, Client]) -> None:
    _, client = guarded
    for path, status in (("healthz", "alive"), ("readyz", "ready")):
        answer = httpx.get(f"{client.url}/{path}")
        assert (answer.status_code, answer.json()) == (200, {"status": status})


def test_the_schema_is_shown_unless_the_settings_hide_it(guarded: tuple[str, Client]) -> None:
    profile, client = guarded
    asked, mistaken = client.ask("{ __schema { queryType { name } } }"), client.ask("{ systemz { key } }")
    assert ("data" in asked) is (profile == "plant")
    assert ("systems" in mistaken["errors"][0]["message"]) is (profile == "plant")


def test_the_cloud_speaks_https_only(guarded: tuple[str, Client]) -> None:
    profile, client = guarded
    if profile == "cloud":
        payload = connect(client, new_customer(client), "http://erp.example.com")
        assert "https://" in payload["errors"][0]["message"]


class Installation:
    """An installation that may reach the sandboxes, and as many servers over it as a test wants."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.settings = {
            "profile": "plant",
            "allowed_networks": "127.0.0.0/8",
            "port": "0",
            "admin_token": ADMIN,
            "log_level": "DEBUG",
            "data_directory": str(place / "data"),
        }
        assert finished(place, "init", **self.settings).returncode == 0

    def serve(self, name: str) -> Any:
        return running(self.place / name, "serve", **self.settings)

    def kept(self) -> bytes:
        """Everything that is on disk, but the file that is meant to hold keys."""
        return b"".join(path.read_bytes() for path in (self.place / "data").iterdir() if path.name != "keys.json")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def welcome(sandbox: SandboxControl) -> None:
    """Let the canary log on at a sandbox."""
    sandbox.admit(USER, PASSWORD)


def test_no_secret_is_told_logged_or_kept(installation: Installation, demo: Demo) -> None:
    sandbox = demo.sandboxes["sap-mills"]
    welcome(sandbox)
    url = sandbox.connection["sandboxUrl"]
    told: list[Any] = []
    with installation.serve("one") as program, Client(program.ready(), ADMIN) as client:
        customer = new_customer(client)
        key = client.data(
            "mutation ($id: ID!) { createApiKey(input: {name: \"k\", kind: CUSTOMER, customerId: $id, scopes: [READ]}) "
            "{ apiToken } }", id=customer
        )["createApiKey"]["apiToken"]  # fmt: skip
        for address, password in ((url, WRONG), ("http://127.0.0.1:1", PASSWORD), (f"{url}/nowhere", PASSWORD)):
            payload = connect(client, customer, address, password)
            assert payload["errors"]
            told.append(payload)
        made = connect(client, customer, url)
        assert made["errors"] == []
        with Client(program.url, key) as owner, Client(program.url, made["apiToken"]) as holder:
            told += [owner.data(ORDERS), holder.data(ORDERS)]
            sandbox.trouble("unauthorized")
            told.append(owner.data(ORDERS))
        with Client(program.url, ADMIN + "x") as stranger:
            told.append(stranger.ask(ORDERS))
        told.append(client.data("{ connections { nodes { tokenPreview metadata } } }"))
        assert program.end() == 0
    basic = [base64.b64encode(f"{USER}:{word}".encode()).decode() for word in (PASSWORD, WRONG)]
    secrets = [PASSWORD, WRONG, ADMIN, key, made["apiToken"], *basic]
    assert '"level": "DEBUG"' in program.errors
    for secret in secrets:
        assert secret not in json.dumps(told)
        assert secret not in program.errors + program.output
        assert secret.encode() not in installation.kept()
    assert USER not in program.errors


def test_a_token_dies_in_every_process_that_serves_the_same_data(installation: Installation, demo: Demo) -> None:
    sandbox = demo.sandboxes["sap-mills"]
    welcome(sandbox)
    with (
        installation.serve("one") as one,
        installation.serve("two") as two,
        Client(one.ready(), ADMIN) as client,
    ):
        made = connect(client, new_customer(client), sandbox.connection["sandboxUrl"])
        with Client(one.url, made["apiToken"]) as here, Client(two.ready(), made["apiToken"]) as there:
            assert here.data(ORDERS)["purchaseOrders"]["isComplete"] is True
            until(
                two, "the new token", lambda: there.ask(ORDERS).get("data", {}).get("purchaseOrders", {}).get("sources")
            )
            client.data(DISCONNECT, id=made["connection"]["id"])
            assert here.code(ORDERS) == "TOKEN_REVOKED"
            until(two, "the end of the token", lambda: there.ask(ORDERS).get("errors"))
            assert there.code(ORDERS) == "TOKEN_REVOKED"


def until(program: Program, what: str, check: Any) -> None:
    """Wait for what another process has to notice by itself, which takes it a second or two."""
    program.until(what, check, seconds=5.0)


def test_a_gateway_does_not_connect_to_itself(installation: Installation) -> None:
    with installation.serve("one") as program, Client(program.ready(), ADMIN) as client:
        payload = connect(client, new_customer(client), program.url)
        assert [(error["code"], error["field"]) for error in payload["errors"]] == [
            ("VALIDATION_FAILED", "credentials.url")
        ]
        assert "gateway" in payload["errors"][0]["message"]
