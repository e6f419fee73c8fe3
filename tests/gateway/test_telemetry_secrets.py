"""Nothing of a question, an answer or a login is in any span, log line or metric, even with everything turned on."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.systems.sap_s4hana.sandbox import demo_data
from gateway.logging import configure
from tests.connectors.traced import Spans, recorded
from tests.gateway.running import ADMIN, CONNECT, RunningGateway, StandIn, credentials, running_gateway, stand_in

CANARY = "Kanarienvogel"
ROW, FILTER, VARIABLE, TAG = (f"{CANARY}-{place}" for place in ("row", "filter", "variable", "tag"))
USER, PASSWORD = f"{CANARY}-user", f"{CANARY}-password"
QUERIES: list[tuple[str, dict[str, Any]]] = [
    (f'{{ vendors(filter: {{name: {{contains: "{FILTER}"}}}}) {{ nodes {{ name }} }} }}', {}),
    ("query ($name: String!) { vendors(filter: {name: {eq: $name}}) { nodes { name } } }", {"name": VARIABLE}),
    ("query ($name: String!) { vendors(filter: {name: {neq: $name}}) { nodes { name } } }", {"name": VARIABLE}),
    ("{ purchaseOrders(first: 3) { nodes { number vendor { name } } } }", {}),
    ("query ($id: ID!) { vendor(id: $id) { name } }", {"id": VARIABLE}),
    ("query ($first: Int) { vendors(first: $first) { nodes { name } } }", {"first": VARIABLE}),
    (f'{{ vendors(after: "{VARIABLE}") {{ nodes {{ name }} }} }}', {}),
    (f"{{ vendors {{ nodes {{ {VARIABLE.replace('-', '_')} }} }} }}", {}),
    (f'{{ vendors "{FILTER}" }}', {}),
]


@pytest.fixture
async def system() -> AsyncIterator[StandIn]:
    data = demo_data(1, orders=20, suppliers=5, region="EU")
    for row in data["A_Supplier"]:
        row["SupplierName"] = f"{ROW} {row['Supplier']}"
    async with stand_in(data=data) as running:
        running.box.application.users[USER] = PASSWORD
        yield running


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


@pytest.fixture
async def gateway(
    tmp_path: Path, system: StandIn, log: pytest.CaptureFixture[str]
) -> AsyncIterator[tuple[RunningGateway, Spans]]:
    with recorded() as spans:
        async with running_gateway(tmp_path, max_retries=0) as running:
            yield running, spans


@pytest.mark.parametrize("trouble", ["none", "unauthorized", "forbidden", "rate_limited", "error", "down", "malformed"])
async def test_no_value_is_told(
    gateway: tuple[RunningGateway, Spans], system: StandIn, log: pytest.CaptureFixture[str], trouble: str
) -> None:
    running, spans = gateway
    given = credentials(url=system.url, username=USER, password=PASSWORD)
    await running.connected(system, credentials=given, tags=[TAG], name=f"{CANARY} works")
    system.trouble(trouble, retry_after_seconds=60)
    answers = [await running.ask(query, **variables) for query, variables in QUERIES]
    refused = {"system": "sap_s4hana", "authMethod": "basic", "name": "x", "deployment": "CLOUD"}
    wrong = credentials(url=system.url, username=USER, password=f"{CANARY}-wrong")
    await running.ask(CONNECT, input={**refused, "credentials": wrong, "customerId": await running.customer()})
    if trouble == "none":
        assert ROW in json.dumps(answers), "the canary has to be in the answers, else this test looks at nothing"
    metrics = await running.client.get("/metrics", headers={"Authorization": f"Bearer {ADMIN}"})
    written = "\n".join(span.to_json() for span in spans.all())
    lines = log.readouterr().err
    assert len(spans.all()) > len(QUERIES)
    for sink, text in {"spans": written, "log": lines, "metrics": metrics.text}.items():
        for word in (CANARY, ADMIN, "$filter", "?sap-client", system.url):
            assert word.lower() not in text.lower(), f"{word} is in the {sink}"
