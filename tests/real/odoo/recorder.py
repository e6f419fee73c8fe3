"""A proxy in the test process that passes requests on to Odoo and remembers what was asked."""

import http.client
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOT_PASSED_ON = {"connection", "host", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Asked:
    """One request that went by: the model's method, its named arguments, and what came of it.

    `model` and `method` are empty for what is no call of JSON-2, such as the question for the version.
    """

    path: str
    model: str
    method: str
    arguments: dict[str, Any]
    status: int


@dataclass
class Recorder:
    """`url` stands in for Odoo's own address; `requests` grows with every request, in order of their answers."""

    url: str
    requests: list[Asked] = field(default_factory=list)


@contextmanager
def recorder(target: str) -> Iterator[Recorder]:
    """Record what is sent to `target` by way of the yielded recorder's `url`."""

    class Handler(BaseHTTPRequestHandler):
        """Passes a request on, as it is, and the answer back, byte for byte."""

        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sent = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON}
            connection = http.client.HTTPConnection(urllib.parse.urlsplit(target).netloc, timeout=120)
            try:
                connection.request(self.command, self.path, body, sent)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            recorded.requests.append(_asked(self.path, body, answer.status))
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in NOT_PASSED_ON:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Stay silent: what matters is recorded."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorded = Recorder(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield recorded
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _asked(path: str, body: bytes, status: int) -> Asked:
    match path.strip("/").split("/"):
        case ["json", "2", model, method]:
            return Asked(path, model, method, _arguments(body), status)
        case _:
            return Asked(path, "", "", {}, status)


def _arguments(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
