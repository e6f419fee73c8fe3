"""The metrics as a scraper reads them: what they count, who may read them, and how few series there can be."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from connectors.ports import BreakerState, CacheOutcome, Call
from gateway.telemetry.metrics import Metrics
from tests.gateway.running import ADMIN, RunningGateway, StandIn, running_gateway, stand_in

SCRAPER = "a-token-for-the-scraper"
CLASS = {"system": "sap_s4hana", "deployment": "cloud", "environment": "production"}


@pytest.fixture
async def system() -> AsyncIterator[StandIn]:
    async with stand_in() as running:
        yield running


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, metrics_token=SecretStr(SCRAPER), max_retries=0) as running:
        yield running


async def scraped(gateway: RunningGateway, token: str | None = SCRAPER, **headers: str) -> tuple[int, str]:
    """Status and text of a scrape."""
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    answer = await gateway.client.get("/metrics", headers=headers)
    return answer.status_code, answer.text


async def values(gateway: RunningGateway) -> "Values":
    """Everything that is counted."""
    status, text = await scraped(gateway)
    assert status == 200
    return Values(text)


def families_of(text: str) -> list[Any]:
    """The metrics in the text that Prometheus reads."""
    return list(text_string_to_metric_families(text))


class Values:
    """Samples by name and labels."""

    def __init__(self, text: str) -> None:
        self.samples = [sample for family in families_of(text) for sample in family.samples]

    def series(self) -> set[str]:
        """The name and the labels of each."""
        return {json.dumps([sample.name, sample.labels], sort_keys=True) for sample in self.samples}

    def of(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels."""
        found = [each for each in self.samples if each.name == name and labels.items() <= each.labels.items()]
        return float(sum(each.value for each in found))


async def test_requests_are_counted_by_root_field_and_outcome(gateway: RunningGateway, system: StandIn) -> None:
    await gateway.connected(system)
    before = await values(gateway)
    await gateway.data("query AnyName { purchaseOrders { nodes { id } } }")
    await gateway.data("{ a: vendors { nodes { id } } __typename }")
    await gateway.data("{ systems { key } viewer { apiKey { id } } }")
    await gateway.data("{ __schema { queryType { name } } }")
    await gateway.ask("{ purchaseOrders(first: -1) { nodes { id } } }")
    await gateway.ask("{ invented { id } }")
    await gateway.ask("{ viewer { apiKey { id } } }", token="sga_nonsense")
    now = await values(gateway)

    def more(**labels: str) -> float:
        name = "switchgear_request_seconds_count"
        return now.of(name, **labels) - before.of(name, **labels)

    assert more(operation="purchaseOrders", outcome="ok") == 1
    assert more(operation="purchaseOrders", outcome="errors") == 1
    assert more(operation="vendors", outcome="ok") == 1
    assert more(operation="several", outcome="ok") == 1
    assert more(operation="introspection", outcome="ok") == 1
    assert more(operation="none", outcome="refused") == 2
    assert now.of("switchgear_errors_total", code="VALIDATION_FAILED") == 1
    assert now.of("switchgear_errors_total", code="UNAUTHENTICATED") == 1
    assert now.of("switchgear_requests_in_flight") == 0


async def test_calls_are_counted_by_class_of_connection(gateway: RunningGateway, system: StandIn) -> None:
    await gateway.connected(system)
    await gateway.data("{ purchaseOrders(first: 3) { nodes { id vendor { name } } } }")
    found = await values(gateway)
    for entity in ("PurchaseOrder", "Vendor"):
        assert found.of("switchgear_source_call_seconds_count", **CLASS, entity=entity, outcome="ok") == 1
        assert found.of("switchgear_source_rows_total", **CLASS, entity=entity) >= 1
    assert found.of("switchgear_source_requests_total", **CLASS, status="2xx") == 2


@pytest.mark.parametrize(
    ("trouble", "outcome", "status"),
    [("error", "unavailable", "5xx"), ("rate_limited", "rate_limited", "4xx"), ("down", "unavailable", "none")],
)
async def test_failures_are_counted_by_their_meaning(
    gateway: RunningGateway, system: StandIn, trouble: str, outcome: str, status: str
) -> None:
    await gateway.connected(system)
    system.trouble(trouble)
    await gateway.data("{ purchaseOrders { nodes { id } } }")
    found = await values(gateway)
    assert found.of("switchgear_source_call_seconds_count", outcome=outcome) == 1
    assert found.of("switchgear_source_requests_total", status=status) == 1
    assert found.of("switchgear_request_seconds_count", operation="purchaseOrders", outcome="partial") == 1


async def test_repetitions_and_breakers_are_counted(tmp_path: Path, system: StandIn) -> None:
    token = SecretStr(SCRAPER)
    async with running_gateway(tmp_path, metrics_token=token, breaker_failures=2, max_retries=1) as gateway:
        await gateway.connected(system)
        system.trouble("down")
        for _ in range(2):
            await gateway.data("{ purchaseOrders { nodes { id } } }")
        found = await values(gateway)
        assert found.of("switchgear_source_retries_total", **CLASS, outcome="unavailable") == 1
        assert found.of("switchgear_breakers", **CLASS, state="open") == 1
        assert found.of("switchgear_breaker_changes_total", **CLASS, state="open") == 1
        for outcome in ("unavailable", "circuit_open"):
            assert found.of("switchgear_source_call_seconds_count", **CLASS, outcome=outcome) == 1
        assert found.of("switchgear_source_requests_total", **CLASS, status="none") == 2


async def test_no_series_is_named_by_a_customer_or_a_client(gateway: RunningGateway, system: StandIn) -> None:
    for number in range(4):
        await gateway.connected(system, name=f"Customer {number}")
    await gateway.data("{ purchaseOrders(first: 8) { nodes { id vendor { name } } } }")
    known = (await values(gateway)).series()
    for number in range(4, 8):
        await gateway.connected(system, name=f"Customer {number}")
    for number in range(3):
        await gateway.data(f"query Name{number} {{ purchaseOrders(first: 8) {{ nodes {{ id vendor {{ name }} }} }} }}")
        await gateway.ask(f"query Name{number} {{ field{number} }}")
    _, text = await scraped(gateway)
    new = Values(text).series() - known
    assert {labels.get("outcome") or labels["code"] for _, labels in map(json.loads, new)} == {"refused", "BAD_REQUEST"}
    assert not any(word in text for word in ("Customer 1", "con_", "cus_", "Name1", "field1", "127.0.0.1"))


@pytest.mark.parametrize(
    ("access", "token", "status"),
    [
        ("token", SCRAPER, 200),
        ("token", ADMIN, 200),
        ("token", "sga_nonsense", 401),
        ("token", None, 401),
        ("open", None, 200),
        ("off", SCRAPER, 404),
    ],
)
async def test_who_may_read_them(tmp_path: Path, access: str, token: str | None, status: int) -> None:
    async with running_gateway(tmp_path, metrics=access, metrics_token=SecretStr(SCRAPER)) as running:
        assert (await scraped(running, token))[0] == status


async def test_a_customer_may_not_read_them(gateway: RunningGateway) -> None:
    assert (await scraped(gateway, await gateway.key()))[0] == 401


async def test_the_scrapers_token_opens_nothing_else(gateway: RunningGateway) -> None:
    assert await gateway.refused("{ viewer { apiKey { id } } }", token=SCRAPER) == "UNAUTHENTICATED"


async def test_they_come_in_the_format_that_is_asked_for(gateway: RunningGateway) -> None:
    _, text = await scraped(gateway, Accept="application/openmetrics-text; version=1.0.0")
    names = {family.name for family in read_openmetrics(text)}  # type: ignore[no-untyped-call]
    assert {"switchgear_requests_in_flight", "process_resident_memory_bytes", "process_cpu_seconds"} <= names


async def test_the_process_tells_of_itself(gateway: RunningGateway) -> None:
    found = await values(gateway)
    assert found.of("process_resident_memory_bytes") > 1_000_000
    assert found.of("switchgear_build_info") == 1


def counted(metrics: Metrics) -> Values:
    return Values(metrics.page("")[0].decode())


def test_what_an_observer_is_told_is_counted() -> None:
    metrics = Metrics()
    observer = metrics.observer("odoo", "ON_PREMISES", "SANDBOX")
    observer.called(Call("Asset", "timed_out", None, 2, 0, 10.0))
    observer.retried("unavailable")
    observer.waited(0.2)
    observer.cached("Asset", CacheOutcome.STALE)
    found = counted(metrics)
    of = {"system": "odoo", "deployment": "on_premises", "environment": "sandbox"}
    assert found.of("switchgear_source_call_seconds_sum", **of, entity="Asset", outcome="timed_out") == 10.0
    assert found.of("switchgear_source_retries_total", **of, outcome="unavailable") == 1
    assert found.of("switchgear_source_wait_seconds_count", **of) == 1
    assert found.of("switchgear_cache_total", **of, entity="Asset", outcome="stale") == 1


def test_breakers_are_counted_where_they_stand() -> None:
    metrics = Metrics()
    first, second = (metrics.observer("odoo", "CLOUD", "PRODUCTION") for _ in range(2))

    def open_ones() -> tuple[float, float]:
        found = counted(metrics)
        return found.of("switchgear_breakers", state="open"), found.of("switchgear_breakers", state="half_open")

    first.broke(BreakerState.OPEN)
    first.broke(BreakerState.OPEN)
    second.broke(BreakerState.OPEN)
    assert open_ones() == (2, 0)
    first.broke(BreakerState.HALF_OPEN)
    assert open_ones() == (1, 1)
    first.broke(BreakerState.CLOSED)
    second.closed()
    second.broke(BreakerState.OPEN)  # by a call that was still under way
    assert open_ones() == (0, 0)
    assert counted(metrics).of("switchgear_breaker_changes_total", state="open") == 2
    assert counted(metrics).of("switchgear_breaker_changes_total", state="closed") == 1


def test_two_applications_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.errors.labels("INTERNAL").inc()
    assert counted(second).of("switchgear_errors_total") == 0


def test_every_metric_that_is_scraped_is_declared() -> None:
    metrics = Metrics()
    families = {family.name for family in families_of(metrics.page("")[0].decode())}
    declared = {item.name.removesuffix("_total") for item in metrics.declared}
    assert {name for name in families if name.startswith("switchgear_")} == declared


def test_a_metric_has_no_label_for_one_connection() -> None:
    labels = {label for item in Metrics().declared for label in item.labels}
    fixed = {"operation", "outcome", "code", "entity", "status", "state", "lane", "version", "python"}
    assert labels == {*fixed, *CLASS}
