"""No token is in any answer, log line, span, metric or file of the database, whatever becomes of a login."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import use_manifests
from gateway.logging import configure
from gateway.serving.servers import beside, listen, port_of
from tests.connectors.traced import recorded
from tests.gateway.running import ADMIN, RunningGateway, running_gateway
from tests.servers.token_server import CANARY, MANIFEST, SECRET, Mill

VENDORS = """{
  vendors {
    nodes { name }
    sources { status error { code message retryable retryAfterMs upstream { status code message } } }
  }
}"""
CONNECTIONS = """{
  connections { nodes { status statusReason { code message } credential { status }
    calls { request error { message } } } }
  events(first: 20) { nodes { name reason { message } data } }
}"""

_FAILING = ("connection.token_refresh_failed", "REFRESH_FAILING", "TOKEN_REFRESH_FAILED")
TOLD = {
    "ok": ("connection.activated", "VALID", None),
    "error": _FAILING,
    "nonsense": _FAILING,
    "invalid_grant": ("connection.reauthorization_required", "REVOKED", "CREDENTIALS_REVOKED"),
    "invalid_client": ("connection.reauthorization_required", "REVOKED", "CREDENTIALS_REJECTED"),
}
"""The latest event, the state of the credentials, and why."""


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Everything is logged, as with SWITCHGEAR_LOG_LEVEL=DEBUG."""
    loggers = [logging.getLogger(name) for name in (None, "httpx", "aiosqlite")]
    levels, handlers = [logger.level for logger in loggers], loggers[0].handlers[:]
    configure("DEBUG")
    yield capsys
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    use_manifests(())


async def source(gateway: RunningGateway) -> dict[str, Any]:
    found: dict[str, Any] = (await gateway.data(VENDORS))["vendors"]["sources"][0]
    return found


def read_all(folder: Path) -> bytes:
    """Everything that the database has written."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.db*")))


@pytest.mark.parametrize("mode", ["ok", "error", "nonsense", "invalid_grant", "invalid_client"])
async def test_no_token_is_told(tmp_path: Path, log: pytest.CaptureFixture[str], mode: str) -> None:
    mill, listener = Mill(), listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{port_of(listener)}"
    with recorded() as spans:
        async with beside(mill, listener), running_gateway(tmp_path, manifests=(MANIFEST,)) as gateway:
            given = [{"name": item.name, "value": item.value} for item in mill.credentials(url)]
            payload = await gateway.connect(url, system="mill", authMethod="refresh", credentials=given)
            assert payload["errors"] == []
            mill.end_tokens()
            mill.mode = mode
            told = [await source(gateway), await source(gateway)]
            await gateway.process.watch.settle()
            found = await gateway.data(CONNECTIONS)
            answers = [payload, *told, found]
            metrics = await gateway.client.get("/metrics", headers={"Authorization": f"Bearer {ADMIN}"})
        kept = read_all(tmp_path)
    assert mill.grants == [f"{CANARY}-first", f"{CANARY}-refresh-1"]
    status = {
        "ok": ("OK", None),
        "error": ("ERROR", "REFRESH_BACKOFF"),
        "nonsense": ("ERROR", "REFRESH_BACKOFF"),
        "invalid_grant": ("REAUTHORIZATION_REQUIRED", "REAUTHORIZATION_REQUIRED"),
        "invalid_client": ("REAUTHORIZATION_REQUIRED", "REAUTHORIZATION_REQUIRED"),
    }[mode]
    for each in told:
        assert (each["status"], each["error"] and each["error"]["code"]) == status
    if status[1] == "REFRESH_BACKOFF":
        assert told[0]["error"]["upstream"]["status"] == (503 if mode == "error" else 200)
        assert all(each["error"]["retryable"] and 25_000 < each["error"]["retryAfterMs"] <= 30_000 for each in told)
    (connection,), names = found["connections"]["nodes"], [event["name"] for event in found["events"]["nodes"]]
    credential, reason = connection["credential"]["status"], connection["statusReason"]
    assert (names[0], credential, reason and reason["code"]) == TOLD[mode]
    assert b"sessions" in kept
    sinks = {
        "answers": json.dumps(answers),
        "spans": "\n".join(span.to_json() for span in spans.all()),
        "log": log.readouterr().err,
        "metrics": metrics.text,
        "database": kept.decode("utf-8", "replace"),
    }
    for sink, text in sinks.items():
        for word in (CANARY, SECRET):
            assert word.lower() not in text.lower(), f"{word} is in the {sink}"
