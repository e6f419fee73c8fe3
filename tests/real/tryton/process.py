"""Runs trytond as a process of its own on a free loopback port, for as long as a `with` block lasts."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DATABASE = "plant"
SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 10.0
CONFIGURATION = """\
[database]
uri = sqlite://
path = {folder}
[web]
listen = 127.0.0.1:{port}
root =
[queue]
worker = {worker}
"""


@contextmanager
def trytond(python: Path, folder: Path, *, deferred: bool = False) -> Iterator[str]:
    """Serve `folder`/plant.sqlite with the trytond of `python`; yield the server's address.

    Tryton normally carries follow-up work out at once: a confirmed purchase is processing a moment later.
    With `deferred` it waits for a worker, and there is none: every step has to be asked for.
    """
    port = _free_port()
    configuration = folder / "trytond.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, worker=deferred), encoding="utf-8")
    log = folder / "trytond.log"
    command = [str(python), "-m", "trytond.cli", "--config", str(configuration), "--database", DATABASE]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own installation
            command, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(url, process, log)
        yield url
    finally:
        _stop(process)


def environment() -> dict[str, str]:
    """Return what Tryton's processes shall see of ours: no setting of this machine leaks in."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": os.devnull,
        "PYTHONHASHSEED": "0",  # one order of modules in every build
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    question = urllib.request.Request(  # noqa: S310 - loopback only
        f"{url}/rpc/",
        b'{"id": 1, "method": "common.server.version", "params": []}',
        {"Content-Type": "application/json"},
    )
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(question, timeout=5):  # noqa: S310 - loopback only
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise RuntimeError(f"trytond did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
