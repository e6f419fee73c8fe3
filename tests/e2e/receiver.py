"""A receiver of OTLP over HTTP on loopback, which reads what arrives with OpenTelemetry's own protocol buffers."""

import contextlib
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span


class Receiver:
    """What has arrived."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.arrived: list[ResourceSpans] = []
        self.bytes = b""

    @property
    def spans(self) -> list[Span]:
        """All spans."""
        return [span for part in self.arrived for scope in part.scope_spans for span in scope.spans]

    def resource(self) -> dict[str, str]:
        """What they say of the process that has sent them."""
        return {item.key: item.value.string_value for item in self.arrived[0].resource.attributes}

    def tree(self, trace_id: str) -> list[str]:
        """The names of a trace's spans by their beginning, each indented below its parent."""
        own = sorted(
            (span for span in self.spans if span.trace_id.hex() == trace_id), key=lambda span: span.start_time_unix_nano
        )
        known = {span.span_id for span in own}

        def lines(parent: bytes | None, depth: int) -> Iterator[str]:
            for span in own:
                if (span.parent_span_id if span.parent_span_id in known else None) == parent:
                    yield "  " * depth + span.name
                    yield from lines(span.span_id, depth + 1)

        return list(lines(None, 0))


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            receiver.bytes += body
            receiver.arrived += ExportTraceServiceRequest.FromString(body).resource_spans
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_port)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
