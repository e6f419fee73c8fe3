"""Other people's programs as processes of their own on loopback, for as long as a test needs them."""

import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

_PATIENCE_SECONDS = 60.0
_STEP_SECONDS = 0.05


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str | Path], folder: Path, url: str, variables: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a program in a folder while the block lasts, from when `url` answers; what it says is in `program.log`."""
    log = folder / "program.log"
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - programs of our own recipes
            command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(int(_PATIENCE_SECONDS / _STEP_SECONDS)):
            if _answers(url):
                break
            try:
                process.wait(_STEP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{log.read_text()[-2_000:]}")
        else:
            raise RuntimeError(f"{command[0]} does not answer:\n{log.read_text()[-2_000:]}")
        yield
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0).status_code == 200
    except httpx.TransportError:
        return False
