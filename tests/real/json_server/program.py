"""Runs json-server over a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.node_packages import NODE, environment, installed
from tests.real.programs import free_port, serving


@contextmanager
def json_server(folder: Path, data: str) -> Iterator[str]:
    """Serve this JSON text from a folder while the block lasts; the address."""
    (folder / "db.json").write_text(data, "utf-8")
    program = installed(Path(__file__).parent / "npm") / "json-server" / "lib" / "cli" / "bin.js"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [NODE, program, "--host", "127.0.0.1", "--port", str(port), "db.json"]
    with serving(command, folder, f"{url}/db", environment()):
        yield url
