"""The command `switchgear check`: what it prints, how it ends, and that it calls through the guard."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner, Result

from gateway.commands.checking import check
from tests.connectors.json_server import JsonServer
from tests.connectors.workshop_bench import EXAMPLE, KEY, example_data


def _run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(
        check, arguments, env={f"SWITCHGEAR_{name}": value for name, value in environment.items()}
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The stand-in for json-server at an address of this machine."""
    server = uvicorn.Server(
        uvicorn.Config(JsonServer(example_data(), KEY).application, port=0, log_level="critical", lifespan="off")
    )
    ready = threading.Event()
    startup = server.startup

    async def start(sockets: object = None) -> None:
        await startup()
        ready.set()

    server.startup = start  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    assert ready.wait(20)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_a_good_folder_shows_its_rows() -> None:
    found = _run(str(EXAMPLE))
    assert found.exit_code == 0
    assert '"displayName": "Bolt & Sons"' in found.output
    assert "Note: samples/Vendor.json: Vendor 11: status is UNKNOWN." in found.output
    assert found.output.endswith("Workshop is described well.\n")


def test_mistakes_end_it_with_their_places(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "workshop"))
    text = (folder / "system.toml").read_text("utf-8")
    (folder / "system.toml").write_text(text.replace("format = 1", "format = 2\ntyp = 3"), "utf-8")
    found = _run(str(folder))
    assert found.exit_code == 1
    assert f"{folder / 'system.toml'}:2: format: Input should be 1\n" in found.output
    assert f"{folder / 'system.toml'}:3: there is no 'typ' here" in found.output
    assert found.output.endswith("2 mistakes.\n")


def test_what_is_the_same_for_every_record_is_told_once(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "workshop"))
    found = _run(str(folder))
    assert "NOT_MAPPED" not in found.output
    assert [line for line in found.output.splitlines() if line.startswith("Vendor: not mapped yet: ")] != []
    assert "EMPTY_AT_SOURCE" in found.output


def test_mistakes_are_told_although_the_system_may_not_be_called(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "workshop"))
    text = (folder / "system.toml").read_text("utf-8")
    (folder / "system.toml").write_text(text.replace('email = "contact.email"', 'email = "contact.e-mail"'), "utf-8")
    found = _run(str(folder), "--url", "http://127.0.0.1:1", "--login", "open", PROFILE="cloud")
    assert "the source has no field 'contact.e-mail'" in found.output
    assert "Error: The URL may not be called" in found.output


def test_the_running_system_is_asked(url: str) -> None:
    arguments = (str(EXAMPLE), "--url", url, "--login", "api-key", "--field", f"api_key={KEY}")
    found = _run(*arguments, PROFILE="dev")
    assert found.exit_code == 0, found.output
    assert "Vendor 100" not in found.output
    assert KEY not in found.output


def test_a_wrong_key_is_a_mistake_and_never_printed(url: str) -> None:
    found = _run(str(EXAMPLE), "--url", url, "--login", "api-key", "--field", "api_key=wrong-secret", PROFILE="dev")
    assert found.exit_code == 1
    assert "Vendor: Reauthorize: The system refuses the credentials." in found.output
    assert "wrong-secret" not in found.output


def test_the_guard_decides_what_may_be_called(url: str) -> None:
    found = _run(str(EXAMPLE), "--url", url, "--login", "open", PROFILE="cloud")
    assert found.exit_code == 1
    assert "Error: The URL may not be called: it must start with https://, unless SWITCHGEAR_PROFILE" in found.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--login", "none"), "Workshop has no login 'none'; it has: open, api-key."),
        (("--login", "api-key", "--field", "api_key"), "--field takes NAME=VALUE, not 'api_key'."),
    ],
)
def test_wrong_options_are_explained(arguments: tuple[str, ...], expected: str) -> None:
    found = _run(str(EXAMPLE), "--url", "http://127.0.0.1:1", *arguments, PROFILE="dev")
    assert found.exit_code == 1
    assert expected in found.output
