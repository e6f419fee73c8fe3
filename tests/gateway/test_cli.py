"""The command line as people meet it: its words, its exit codes and what it leaves behind."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from connectors.registry import use_manifests
from gateway.cli import main
from gateway.commands.operators import initialize
from gateway.serving.servers import listen, port_of
from gateway.settings import Settings
from tests.e2e.processes import Client, SandboxControl, children_of, finished, running

TOKEN = "an-admin-token-of-sixteen-or-more"
ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schema" / "schema.graphql"
SEEN = "{ customers { nodes { id name } } connections { nodes { id name lifecycle } } }"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In an empty folder, without settings from around the tests."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("SWITCHGEAR_")]:
        monkeypatch.delenv(name)


def run(*arguments: str, **settings: str) -> Result:
    """Run a command in this process; for those that start nothing."""
    given = {f"SWITCHGEAR_{name.upper()}": value for name, value in settings.items()}
    return CliRunner().invoke(main, list(arguments), env=given, prog_name="switchgear")


def begin(folder: Path) -> str:
    """Make the keys and the admin token in a folder, and give the token."""
    token = asyncio.run(initialize(Settings(data_directory=folder / ".switchgear")))
    assert token is not None
    return token


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def notes_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "demo.json").read_text())
    return found


def occupied(port: int = 0) -> socket.socket:
    listener = listen("127.0.0.1", port)
    listener.listen()
    return listener


def is_clear(ended: Any) -> bool:
    """Whether a failure is one sentence and no traceback."""
    return ended.returncode == 1 and ended.stderr.startswith("Error: ") and "Traceback" not in ended.stderr


def test_serving_needs_a_beginning_and_says_so(tmp_path: Path) -> None:
    ended = finished(tmp_path, "serve")
    assert is_clear(ended)
    assert "switchgear init" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_beginning_twice_is_refused(tmp_path: Path) -> None:
    first = run("init")
    folder = tmp_path / ".switchgear"
    assert first.exit_code == 0
    assert (folder / "admin-token").read_text().strip() in first.stdout
    assert modes(folder) == {"keys.json": 0o600, "admin-token": 0o600, "switchgear.db": 0o600}
    before = (folder / "keys.json").read_bytes()
    again = run("init")
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    assert (folder / "keys.json").read_bytes() == before


@pytest.mark.parametrize("command", ["init", "serve", "demo"])
def test_an_unknown_setting_is_an_error_with_a_hint(tmp_path: Path, command: str) -> None:
    ended = run(command, log_levle="INFO")
    assert ended.exit_code == 1
    assert "SWITCHGEAR_LOG_LEVLE: no such setting; did you mean SWITCHGEAR_LOG_LEVEL?" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"admin_token": "s3cret"}, "SWITCHGEAR_ADMIN_TOKEN: must have at least 16 characters"),
        ({"port": "many"}, "SWITCHGEAR_PORT"),
        ({"profile": "cloudy"}, "SWITCHGEAR_PROFILE"),
        ({"database_url": "oracle://s3cret@nowhere/x"}, "no store for oracle://"),
        ({"database_url": "s3cret"}, "not a URL"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(settings: dict[str, str], words: str) -> None:
    ended = run("init", **settings)
    assert ended.exit_code == 1
    assert words in ended.stderr
    assert "s3cret" not in ended.output
    assert isinstance(ended.exception, SystemExit)


def test_serving_from_a_database_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    begin(tmp_path)
    ended = finished(tmp_path, "serve", database_url="oracle://s3cret@nowhere/x")
    assert is_clear(ended)
    assert "no store for oracle://" in ended.stderr
    assert "s3cret" not in ended.stderr


def test_a_port_that_is_taken_is_a_clear_error(tmp_path: Path) -> None:
    begin(tmp_path)
    with occupied() as listener:
        port = str(port_of(listener))
        for ended in (finished(tmp_path, "serve", port=port), finished(tmp_path, "demo", "--port", port)):
            assert is_clear(ended)
            assert f"127.0.0.1:{port} cannot be listened on: Address already in use; " in ended.stderr
        assert "SWITCHGEAR_PORT" in finished(tmp_path, "serve", port=port).stderr


def test_an_address_that_is_not_ours_is_a_clear_error(tmp_path: Path) -> None:
    ended = finished(tmp_path, "demo", "--host", "203.0.113.1", "--port", "0")
    assert is_clear(ended)
    assert "203.0.113.1:0 cannot be listened on" in ended.stderr


def test_a_folder_that_cannot_be_used_is_named_and_no_port_is_blamed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ended = finished(tmp_path, "demo", "--port", "0", "--data", "file")
    assert is_clear(ended)
    assert "file: " in ended.stderr
    assert "listened on" not in ended.stderr


def wait_for_orders(url: str, token: str) -> None:
    with contextlib.suppress(httpx.HTTPError, ValueError), Client(url, token) as client:
        client.ask("{ purchaseOrders(timeoutMs: 120000) { isComplete } }")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_the_demo_whatever_it_is_doing_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with running(tmp_path / "started", "demo", "--port", "0") as demo:
        demo.ready()
        (folder,) = temporary.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        notes = notes_of(folder)
        with SandboxControl(notes["customers"][0]["connections"][0]) as sandbox:
            asked = len(sandbox.requests())
            sandbox.trouble("slow", delayMs=600_000)
            waiting = threading.Thread(target=wait_for_orders, args=(notes["url"], notes["customers"][0]["key"]))
            waiting.start()
            demo.until("a request under way", lambda: len(sandbox.requests()) > asked)
        children = children_of(demo.process.pid)
        assert demo.end(number) == 0
        waiting.join()
        assert "Traceback" not in demo.errors
    assert list(temporary.iterdir()) == []
    assert not [child for child in children if Path("/proc", child).exists()]


@dataclass
class KeptDemo:
    """A demo that ran once with `--data`, with settings that are meant for a real installation."""

    place: Path
    notes: dict[str, Any]
    seen: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.place / "kept"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> KeptDemo:
    place = tmp_path_factory.mktemp("demo")
    settings = {
        "admin_token": TOKEN,
        "database_url": f"sqlite:///{place / 'real.db'}",
        "keys_file": str(place / "real-keys.json"),
        "data_directory": str(place / "real"),
    }
    with running(place / "started", "demo", "--port", "0", "--data", str(place / "kept"), **settings) as demo:
        with Client(demo.ready(), TOKEN) as client:
            seen = client.data(SEEN)
        assert demo.end() == 0
    return KeptDemo(place, notes_of(place / "kept"), seen)


def test_the_demo_takes_the_operator_s_token_and_leaves_the_product_s_own_stores_alone(kept: KeptDemo) -> None:
    assert kept.notes["adminToken"] == TOKEN
    assert sorted(path.name for path in kept.place.iterdir()) == ["kept", "started"]
    assert modes(kept.folder) == {"demo.json": 0o600, "keys.json": 0o600, "switchgear.db": 0o600}


def test_a_kept_demo_keeps_its_customers_keys_and_connections(kept: KeptDemo, tmp_path: Path) -> None:
    with running(tmp_path, "demo", "--port", "0", "--data", str(kept.folder)) as demo:
        url = demo.ready()
        assert notes_of(kept.folder) == {**kept.notes, "url": url}
        with Client(url, TOKEN) as client:
            assert client.data(SEEN) == kept.seen
        with Client(url, kept.notes["customers"][0]["key"]) as owner:
            page = owner.data("{ purchaseOrders(first: 4) { nodes { id } isComplete } }")["purchaseOrders"]
        assert (len(page["nodes"]), page["isComplete"]) == (4, True)
        connecting_over_the_command_line(url, kept.notes)


def connecting_over_the_command_line(url: str, notes: dict[str, Any]) -> None:
    customer, connection = notes["customers"][1], notes["customers"][0]["connections"][0]
    Path("token").write_text(customer["key"] + "\n")
    given = connection["credentials"]
    common = ("connect", "sap_s4hana", "--name", "Second", "--url", url, "--token-file", "token")
    fields = [f"--field={name}={given[name]}" for name in ("url", "username")]
    right, wrong = f"--field=password={given['password']}", "--field=password=wr0ng"
    dry = run(*common, *fields, right, "--dry-run")
    assert dry.exit_code == 0
    assert "nothing was kept" in dry.stdout
    refused = run(*common, *fields, wrong)
    assert refused.exit_code == 1
    assert "CREDENTIALS_REJECTED" in refused.stderr
    assert "wr0ng" not in refused.output
    no_certificate = run(*common, *fields, right, "--certificate-authority", "token")
    assert "VALIDATION_FAILED (settings.tls.certificateAuthority)" in no_certificate.stderr
    unproxied = run(*common, *fields, right, "--proxy", "http://127.0.0.1:1", "--header", "X-Gate=7")
    assert "The proxy does not answer." in unproxied.stderr
    done = run(*common, *fields, right)
    assert done.exit_code == 0
    assert given["password"] not in done.stdout
    with Client(url, done.stdout.rsplit(maxsplit=1)[-1]) as client:
        assert client.data(SEEN)["connections"]["nodes"][0]["name"] == "Second"


def test_the_port_of_a_stand_in_that_is_taken_is_named(kept: KeptDemo, tmp_path: Path) -> None:
    port = int(kept.notes["customers"][0]["connections"][0]["sandboxUrl"].rpartition(":")[2])
    with occupied(port):
        ended = finished(tmp_path, "demo", "--port", "0", "--data", str(kept.folder))
    assert is_clear(ended)
    assert f"127.0.0.1:{port} cannot be listened on" in ended.stderr


def test_serving_ends_on_a_signal(tmp_path: Path) -> None:
    token = begin(tmp_path)
    with running(tmp_path, "serve", port="0") as server:
        with Client(server.ready(), token) as client:
            assert client.data(SEEN)["customers"]["nodes"] == []
        assert server.end() == 0
        assert "Traceback" not in server.errors


def test_a_worker_promises_no_graph(tmp_path: Path) -> None:
    begin(tmp_path)
    with running(tmp_path, "serve", "--role", "worker", port="0") as worker:
        worker.ready()
        assert "/graphql" not in worker.errors
        assert "it answers no queries" in worker.errors


def test_a_second_server_on_the_same_data_says_so(tmp_path: Path) -> None:
    begin(tmp_path)
    data = str(tmp_path / ".switchgear")
    with running(tmp_path / "one", "serve", port="0", data_directory=data) as one:
        one.ready()
        assert "already" not in one.errors
        with running(tmp_path / "two", "serve", port="0", data_directory=data) as two:
            two.ready()
            assert f"Process {one.process.pid} serves the data in {data} already" in two.errors
        assert one.end() == 0
    with running(tmp_path / "three", "serve", port="0", data_directory=data) as three:
        three.ready()
        assert "already" not in three.errors


def test_what_can_be_connected_is_listed() -> None:
    listed = run("systems")
    assert listed.exit_code == 0
    assert {"sap_s4hana", "tryton"} <= {line.split()[0] for line in listed.stdout.splitlines()}


def test_systems_of_manifests_are_known_to_the_commands(tmp_path: Path) -> None:
    folder = ROOT / "docs" / "examples" / "workshop"
    try:
        listed = run("systems", manifests=str(folder))
        connecting = run("connect", "workshop", "--name", "x", manifests=str(folder), data_directory=str(tmp_path))
    finally:
        use_manifests([])
    assert "workshop" in {line.split()[0] for line in listed.stdout.splitlines()}
    assert "There is no token" in connecting.output


def test_the_schema_is_printed() -> None:
    assert run("schema").stdout == SCHEMA.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sap", "--name", "x"), "There is no system 'sap'; there are: "),
        (("sap_s4hana",), "--name"),
        (("sap_s4hana", "--name", "x", "--auth-method", "oauth"), "has no login 'oauth'; it has: basic."),
        (("sap_s4hana", "--name", "x"), "There is no token"),
        (("sap_s4hana", "--name", "x", "--token-file", "nothing"), "nothing"),
        (("sap_s4hana", "--name", "x", "--field", "url", "--token-file", "token"), "NAME=VALUE"),
        (("sap_s4hana", "--name", "x", "--field", "urll=1", "--token-file", "token"), "no field 'urll'; it has: url, "),
        (("sap_s4hana", "--name", "x", "--header", "gate", "--token-file", "token"), "--header takes NAME=VALUE"),
        (("sap_s4hana", "--name", "x", "--client-key", "nothing"), "nothing"),
    ],
)
def test_connecting_says_what_is_wrong_before_it_asks_anybody(arguments: tuple[str, ...], words: str) -> None:
    Path("token").write_text(TOKEN)
    ended = run("connect", *arguments)
    assert ended.exit_code != 0
    assert words in ended.stderr
    assert isinstance(ended.exception, SystemExit)


def test_connecting_where_no_gateway_answers_says_so() -> None:
    with occupied() as listener:
        url = f"http://127.0.0.1:{port_of(listener)}"
    fields = [f"--field={name}=x" for name in ("url", "username", "password")]
    ended = run("connect", "sap_s4hana", "--name", "x", "--url", url, *fields, admin_token=TOKEN)
    assert ended.exit_code == 1
    assert f"No gateway answers at {url}" in ended.stderr


def test_every_command_explains_itself() -> None:
    for arguments in ((), *((name,) for name in main.commands)):
        helped = run(*arguments, "--help")
        assert helped.exit_code == 0
        assert len(helped.stdout.splitlines()) > 3
    assert run("--version").stdout.startswith("switchgear, version ")
