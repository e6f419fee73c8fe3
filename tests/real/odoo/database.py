"""Runs PostgreSQL as a process of its own, reached by a socket in a folder that nobody else may enter."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROLE = "odoo"  # Odoo refuses to work as `postgres`
SECONDS_TO_START = 30.0
SECONDS_TO_STOP = 20.0
# The data is a copy that nobody needs after a crash.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "min_wal_size": "2MB",
    "max_wal_size": "16MB",
}


@dataclass(frozen=True)
class Database:
    """A running PostgreSQL; `socket` is the folder that clients name as its host."""

    programs: Path
    socket: Path

    def execute(self, statement: str, database: str) -> str:
        """Carry out one SQL statement beneath Odoo; return what it gives, one row to a line."""
        options = ["--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        where = ["--host", str(self.socket), "--username", ROLE, "--dbname", database]
        return _run([str(self.programs / "psql"), *options, *where, "--command", statement])


def create(programs: Path, folder: Path) -> None:
    """Create an empty cluster in `folder`, with the programs in `programs`."""
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--wal-segsize=1", "--no-sync"]
    _run([*_not_as_root(), str(programs / "initdb"), "--pgdata", str(folder), "--username", ROLE, *options])


@contextmanager
def serving(programs: Path, folder: Path) -> Iterator[Database]:
    """Serve the cluster in `folder` while the block lasts."""
    settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    # A folder of its own, because the path of a socket must not be longer than some hundred letters.
    with tempfile.TemporaryDirectory(prefix="switchgear-postgresql-") as socket:
        command = [*_not_as_root(), str(programs / "postgres"), "-D", str(folder), "-k", socket, *settings]
        log = folder.parent / "postgresql.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own installation
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            database = Database(programs, Path(socket))
            _wait_until_it_answers(database, process, log)
            yield database
        finally:
            _stop(process)


def _not_as_root() -> list[str]:
    """Return how to start a program that refuses to run as root, on a machine where that is all there is.

    In a namespace of its own it takes the owner of our files, root, for `nobody`.
    """
    return ["unshare", "--user", "--map-user=65534", "--map-group=65534"] if os.geteuid() == 0 else []


def _wait_until_it_answers(database: Database, process: subprocess.Popen[bytes], log: Path) -> None:
    question = [str(database.programs / "pg_isready"), "--quiet", "--host", str(database.socket)]
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        if subprocess.run(question, check=False).returncode == 0:  # noqa: S603 - our own installation
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # do not wait for clients to leave
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run(command: list[str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own installation
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[-1]).name} failed:\n{done.stderr[-2000:]}")
    return done.stdout
