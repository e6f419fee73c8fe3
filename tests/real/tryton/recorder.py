"""A proxy in the test process that passes requests on to Tryton and remembers what was asked."""

import http.client
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.real.tryton.wire import decode

NOT_PASSED_ON = {"connection", "host", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Asked:
    """One request that went by: what was called, with which parameters (context last), and what came of it."""

    path: str
    method: str
    parameters: list[Any]
    status: int


@dataclass
class Recorder:
    """`url` stands in for Tryton's own address; `requests` grows with every request, in order of their answers."""

    url: str
    requests: list[Asked] = field(default_factory=list)


@contextmanager
def recorder(target: str) -> Iterator[Recorder]:
    """Record what is sent to `target` by way of the yielded recorder's `url`."""

    class Handler(BaseHTTPRequestHandler):
        """Passes a request on, as it is, and the answer back, byte for byte."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sent = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON}
            connection = http.client.HTTPConnection(urllib.parse.urlsplit(target).netloc, timeout=60)
            try:
                connection.request("POST", self.path, body, sent)
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
    try:
        request = decode(body)
        return Asked(path, request["method"], request["params"], status)
    except (ValueError, KeyError, TypeError):
        return Asked(path, "", [], status)
