"""Installs Phoenix once, runs it on loopback, and reads back what it has received."""

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_PATIENCE_SECONDS = 120.0
_STEP_SECONDS = 0.2


@dataclass(frozen=True)
class Phoenix:
    """A running Phoenix."""

    url: str

    def spans(self, trace_id: str, count: int) -> list[dict[str, Any]]:
        """The spans of a trace by their beginning, once there are as many."""
        found: list[dict[str, Any]] = []
        for _ in range(int(_PATIENCE_SECONDS / _STEP_SECONDS)):
            # It makes its project with the first span.
            answer = httpx.get(f"{self.url}/v1/projects/default/spans", params={"limit": 500}, timeout=10.0)
            if answer.status_code == httpx.codes.OK:
                found = [span for span in answer.json()["data"] if span["context"]["trace_id"] == trace_id]
            if len(found) >= count:
                break
            time.sleep(_STEP_SECONDS)
        return sorted(found, key=lambda span: str(span["start_time"]))


@contextmanager
def running() -> Iterator[Phoenix]:
    """Run Phoenix with an empty database while the block lasts."""
    program = _installed() / "bin" / "phoenix"
    with tempfile.TemporaryDirectory(prefix="phoenix-") as folder:
        port = _free_port()
        own = {
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(_free_port()),
            "PHOENIX_WORKING_DIR": folder,
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        variables = {"PATH": os.environ["PATH"], "HOME": folder, **own}
        with (Path(folder) / "log.txt").open("w") as log:
            process = subprocess.Popen([program, "serve"], env=variables, stdout=log, stderr=log)  # noqa: S603 - ours
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process)
            yield Phoenix(url)
        finally:
            process.terminate()
            process.wait()


def _installed() -> Path:
    """The environment that has Phoenix, in `~/.cache/switchgear` or the folder named by SWITCHGEAR_TEST_CACHE."""
    cache = Path(os.environ.get("SWITCHGEAR_TEST_CACHE") or Path.home() / ".cache" / "switchgear")
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"phoenix-{hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:16]}"
    finished = folder / "finished"
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(folder))
            pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            _run(*pip, "--only-binary=:all:", "--no-compile", "--require-hashes", "-r", str(_REQUIREMENTS))
            finished.touch()
    return folder


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed:\n{done.stderr.decode(errors='replace')[-2_000:]}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(int(_PATIENCE_SECONDS / _STEP_SECONDS)):
        try:
            if httpx.get(f"{url}/healthz", timeout=5.0).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(_STEP_SECONDS)
        if process.poll() is not None:
            break
    raise AssertionError(f"Phoenix does not answer; it ended with {process.poll()}")
