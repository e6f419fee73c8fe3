"""The program as operators observe it: its spans arrive at a receiver of OTLP, its metrics at whoever scrapes them."""

import json
import socket
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.demo import ADMIN
from tests.e2e.processes import Program, environment, running
from tests.e2e.receiver import receiving

QUERY = "query Two { purchaseOrders(first: 4) { nodes { number vendor { name } } sources { status } } }"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SCRAPER = "a-token-for-the-scraper"


def demo(folder: Path, **settings: str) -> AbstractContextManager[Program]:
    """A demo of our own."""
    return running(folder, "demo", "--port", "0", "--data", "data", admin_token=ADMIN, **settings)


def asked(program: Program) -> httpx.Response:
    """The answer to a query of the demo's first customer, as a part of our trace."""
    notes = json.loads((program.folder / "data" / "demo.json").read_text())
    headers = {
        "Authorization": f"Bearer {notes['customers'][0]['key']}",
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
    }
    return httpx.post(f"{program.url}/graphql", json={"query": QUERY}, headers=headers, timeout=30.0)


@pytest.mark.parametrize(
    "variable", ["SWITCHGEAR_OTLP_ENDPOINT", pytest.param("OTEL_EXPORTER_OTLP_ENDPOINT", marks=pytest.mark.slow)]
)
def test_a_fan_out_arrives_as_a_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with receiving() as receiver:
        ours = {"otlp_endpoint": receiver.url} if variable.startswith("SWITCHGEAR_") else {}
        if not ours:
            monkeypatch.setenv(variable, receiver.url)
        with demo(tmp_path, **ours) as program:
            program.ready()
            assert "errors" not in asked(program).json()
            assert program.end() == 0
        tree = receiver.tree(TRACE)
        assert tree[:2] == ["request", "  fan-out"]
        assert tree.count("    source") == 3
        assert tree.count("        attempt") >= 3
        assert "    links" in tree
        assert tree.count("          attempt") >= 3
        assert receiver.resource()["service.name"] == "switchgear"
        (request,) = (span for span in receiver.spans if span.name == "request" and span.trace_id.hex() == TRACE)
        assert request.parent_span_id.hex() == "00f067aa0ba902b7"
        notes = (tmp_path / "data" / "demo.json").read_text()
        secrets = [value for each in json.loads(notes)["customers"] for value in (each["key"], each["name"])]
        assert not [secret for secret in [ADMIN, *secrets] if secret.encode() in receiver.bytes]


@pytest.mark.parametrize(
    "is_listening", [pytest.param(True, id="silent"), pytest.param(False, id="away", marks=pytest.mark.slow)]
)
def test_a_receiver_that_does_not_answer_harms_nobody(tmp_path: Path, is_listening: bool) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if is_listening:
            silent.listen()
        with demo(tmp_path, otlp_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}") as program:
            program.ready()
            assert "errors" not in asked(program).json()
            assert program.end() == 0
            assert "Traceback" not in program.errors


def test_a_scraper_gets_the_metrics(tmp_path: Path) -> None:
    with demo(tmp_path, metrics_token=SCRAPER) as program:
        program.ready()
        asked(program)
        assert httpx.get(f"{program.url}/metrics").status_code == 401
        answer = httpx.get(f"{program.url}/metrics", headers={"Authorization": f"Bearer {SCRAPER}"})
        families = {family.name: family for family in text_string_to_metric_families(answer.text)}
        systems = {sample.labels["system"] for sample in families["switchgear_source_call_seconds"].samples}
        assert systems == {"odoo", "sap_s4hana"}


def test_what_exports_traces_is_not_even_imported_until_it_is_wanted() -> None:
    program = "import sys, gateway.app; print(*(name for name in sys.modules if 'opentelemetry.sdk' in name))"
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.split() == []
