"""Installs Datasette once, fills a database and serves it."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.docs.pages import ROOT
from tests.kept import kept
from tests.node_packages import run
from tests.real.programs import free_port, serving

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
STORES = ROOT / "docs" / "examples" / "stores" / "stores.sql"


def installation() -> Path:
    """The folder with its packages, which are only ever started and never imported from."""

    def install(folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile"]
        run([*pip, "--require-hashes", "--only-binary=:all:", "--target", folder, "-r", REQUIREMENTS], folder)

    version = f"{sys.version_info[:2]}".encode()
    return kept("datasette", [version, REQUIREMENTS.read_bytes()], install)


@contextmanager
def datasette(folder: Path) -> Iterator[str]:
    """Serve the stores while the block lasts; the address."""
    with closing(sqlite3.connect(folder / "stores.db")) as database:
        database.executescript(STORES.read_text("utf-8"))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-W", "ignore", "-m", "datasette", "serve", "stores.db", "--port", str(port)]
    with serving(command, folder, f"{url}/-/versions.json", {"PYTHONPATH": str(installation())}):
        yield url
