"""The spans of a read over the whole gateway: their tree, what they carry, and the context that goes in and out."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.control import ControlledSandbox
from connectors.tracing import SPANS, Attribute
from tests.connectors.traced import Spans, recorded
from tests.gateway.running import ADMIN, RunningGateway, StandIn, running_gateway, stand_in

QUERY = """
query Orders($first: Int) {
  purchaseOrders(first: $first) {
    nodes { number vendor { name } }
    sources { status }
  }
}
"""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE, CALLER = PARENT.split("-")[1:3]
NAMES = {form.name: {item.value for item in form.attributes} for form in SPANS}


@pytest.fixture
async def systems() -> AsyncIterator[tuple[StandIn, StandIn]]:
    async with stand_in() as first, stand_in() as second:
        yield first, second


@pytest.fixture
async def gateway(tmp_path: Path, systems: tuple[StandIn, StandIn]) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, max_retries=0) as running:
        for number, system in enumerate(systems):
            await running.connected(system, name=f"sap-{number}")
        yield running


@pytest.fixture
def spans() -> Iterator[Spans]:
    with recorded() as watched:
        yield watched


def shown(span: Any) -> dict[str, Any]:
    return dict(span.attributes)


async def test_a_read_of_two_systems_is_one_tree(gateway: RunningGateway, spans: Spans) -> None:
    await gateway.data(QUERY, first=2)
    source = ["    source", "      source call", "        attempt"]
    link = ["      source", "        source call", "          attempt"]
    assert spans.tree() == ["request", "  fan-out", *source, *source, "    links", *link, *link]
    assert len({span.context.trace_id for span in spans.all()}) == 1


async def test_the_request_says_what_was_asked_and_how_it_ended(gateway: RunningGateway, spans: Spans) -> None:
    await gateway.data(QUERY, first=2)
    request = shown(spans.one("request"))
    assert request.pop("switchgear.request_id").startswith("req_")
    assert request == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Orders",
        "switchgear.operation": "purchaseOrders",
        "switchgear.outcome": "ok",
        "switchgear.errors": (),
        "http.response.status_code": 200,
    }
    assert shown(spans.one("fan-out")) == {
        "switchgear.entity": "PurchaseOrder",
        "switchgear.sources": 2,
        "switchgear.rows": 2,
        "switchgear.complete": True,
    }


async def test_a_source_and_its_call_are_named_by_connection_and_system(gateway: RunningGateway, spans: Spans) -> None:
    await gateway.data("{ vendors(first: 1) { nodes { id } } }")
    source, call, attempt = (shown(spans.named(name)[0]) for name in ("source", "source call", "attempt"))
    connection = source["switchgear.connection"]
    assert connection.startswith("con_")
    asked = {"switchgear.connection": connection, "switchgear.system": "sap_s4hana", "switchgear.entity": "Vendor"}
    rows = {"switchgear.rows": 1, "switchgear.requests": 1}
    assert source == {**asked, **rows, "switchgear.purpose": "ROWS", "switchgear.outcome": "OK"}
    resource = "API_BUSINESS_PARTNER/A_Supplier"
    sent = {**asked, "switchgear.resource": resource, "switchgear.outcome": "ok"}
    assert call == {**sent, **rows, "switchgear.rows": call["switchgear.rows"]}
    assert attempt == {
        "switchgear.connection": connection,
        "switchgear.system": "sap_s4hana",
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "switchgear.login": False,
        "http.request.resend_count": 0,
    }


@pytest.mark.parametrize(
    ("trouble", "outcome", "code"),
    [
        ("error", "unavailable", "UPSTREAM_ERROR"),
        ("rate_limited", "rate_limited", "UPSTREAM_RATE_LIMITED"),
        ("down", "unavailable", "UPSTREAM_UNREACHABLE"),
        ("malformed", "bad_answer", "UPSTREAM_BAD_RESPONSE"),
    ],
)
async def test_a_failed_source_is_marked_all_the_way_down(
    gateway: RunningGateway, systems: tuple[StandIn, StandIn], spans: Spans, trouble: str, outcome: str, code: str
) -> None:
    systems[0].trouble(trouble)
    await gateway.data(QUERY, first=2)
    (source,) = (span for span in spans.named("source") if not span.status.is_unset)
    (call,) = (span for span in spans.named("source call") if not span.status.is_unset)
    assert shown(source)["error.type"] == code
    assert shown(call)["switchgear.outcome"] == outcome
    assert shown(spans.one("fan-out"))["switchgear.complete"] is False
    assert spans.one("request").status.is_unset


async def test_a_silent_source_is_seen_as_timed_out(
    gateway: RunningGateway, systems: tuple[StandIn, StandIn], spans: Spans
) -> None:
    systems[0].trouble("slow", delay_ms=60_000)
    await gateway.data("{ purchaseOrders(timeoutMs: 300) { nodes { id } } }")
    assert {shown(span)["switchgear.outcome"] for span in spans.named("source")} == {"TIMED_OUT", "OK"}
    assert {shown(span)["switchgear.outcome"] for span in spans.named("source call")} == {"timed_out", "ok"}


async def test_a_record_by_id_and_its_failure(
    gateway: RunningGateway, systems: tuple[StandIn, StandIn], spans: Spans
) -> None:
    page = await gateway.data("{ purchaseOrders(first: 1) { nodes { id } } }")
    record = page["purchaseOrders"]["nodes"][0]["id"]
    spans.forget()
    query = "query One($id: ID!) { purchaseOrder(id: $id) { number vendor { name } } }"
    await gateway.data(query, id=record)
    call = ["source call", "  attempt"]
    first = ["  source", *(f"    {line}" for line in call)]
    assert spans.tree() == ["request", *first, "  links", *(f"  {line}" for line in first)]
    spans.forget()
    for system in systems:
        system.trouble("unauthorized")
    assert await gateway.refused(query, id=record) == "REAUTHORIZATION_REQUIRED"
    assert shown(spans.one("source"))["error.type"] == "REAUTHORIZATION_REQUIRED"
    assert shown(spans.one("request"))["switchgear.errors"] == ("REAUTHORIZATION_REQUIRED",)


@pytest.mark.parametrize(
    ("query", "outcome", "code"),
    [
        ("{ purchaseOrders { nodes { unheardOf } } }", "refused", "BAD_REQUEST"),
        ("{ purchaseOrders(first: -1) { nodes { id } } }", "errors", "VALIDATION_FAILED"),
        (" ", "refused", "BAD_REQUEST"),
    ],
)
async def test_what_is_refused_says_so(
    gateway: RunningGateway, spans: Spans, query: str, outcome: str, code: str
) -> None:
    await gateway.ask(query)
    request = shown(spans.one("request"))
    assert (request["switchgear.outcome"], request["switchgear.errors"]) == (outcome, (code,))


async def test_who_has_no_token_makes_no_spans(gateway: RunningGateway, spans: Spans) -> None:
    await gateway.ask("{ viewer { apiKey { id } } }", token="sga_nonsense")
    assert spans.all() == []


async def test_the_trace_of_the_caller_goes_on_and_reaches_the_systems(
    gateway: RunningGateway, systems: tuple[StandIn, StandIn], spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = headers_of(systems[0], monkeypatch)
    await post(gateway, "{ vendors { nodes { id } } }", traceparent=PARENT, tracestate="shop=1", baggage="user=ada")
    request = spans.one("request")
    assert request.parent is not None
    assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, CALLER)
    attempts = [f"00-{TRACE}-{span.context.span_id:016x}-01" for span in spans.named("attempt")]
    (sent,) = heard
    assert sent["traceparent"] in attempts
    assert sent["tracestate"] == "shop=1"
    assert "baggage" not in sent


async def test_a_caller_who_does_not_keep_its_trace_makes_no_spans_but_is_passed_on(
    gateway: RunningGateway, systems: tuple[StandIn, StandIn], spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = headers_of(systems[0], monkeypatch)
    await post(gateway, "{ vendors { nodes { id } } }", traceparent=f"{PARENT[:-2]}00")
    assert spans.all() == []
    assert [sent["traceparent"][3:35] for sent in heard] == [TRACE]
    assert heard[0]["traceparent"].endswith("-00")


async def test_systems_are_told_nothing_where_the_setting_says_so(
    tmp_path: Path, systems: tuple[StandIn, StandIn], spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = headers_of(systems[0], monkeypatch)
    async with running_gateway(tmp_path, trace_context_out=False) as running:
        await running.connected(systems[0])
        await post(running, "{ vendors { nodes { id } } }", traceparent=PARENT, tracestate="shop=1")
    assert spans.named("attempt")
    assert heard
    assert not any({"traceparent", "tracestate", "baggage"} & sent.keys() for sent in heard)


async def test_two_requests_at_once_stay_two_trees(gateway: RunningGateway, spans: Spans) -> None:
    await asyncio.gather(gateway.data(QUERY, first=2), gateway.data(QUERY, first=2))
    per_trace = [span.context.trace_id for span in spans.all()]
    assert sorted(per_trace.count(trace) for trace in set(per_trace)) == [15, 15]


async def test_spans_carry_only_what_is_listed(
    gateway: RunningGateway, systems: tuple[StandIn, StandIn], spans: Spans
) -> None:
    for trouble in ("none", "error", "down", "malformed"):
        systems[0].trouble(trouble)
        await gateway.data(QUERY, first=2)
    await gateway.ask("nonsense")
    for span in spans.all():
        assert set(shown(span)) <= NAMES[span.name], span.name
        assert not span.events
        assert span.status.description is None


def test_every_attribute_is_of_some_span_and_explained() -> None:
    assert {item.value for item in Attribute} == set().union(*NAMES.values())
    assert all(item.about for item in Attribute)


def headers_of(system: StandIn, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The headers of every request that a stand-in gets from now on."""
    heard: list[dict[str, str]] = []
    answer = ControlledSandbox.__call__

    async def listen(self: ControlledSandbox, scope: Any, receive: Any, send: Any) -> None:
        if self is system.box and scope["type"] == "http":
            heard.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await answer(self, scope, receive, send)

    monkeypatch.setattr(ControlledSandbox, "__call__", listen)
    return heard


async def post(gateway: RunningGateway, query: str, **headers: str) -> None:
    answer = await gateway.client.post(
        "/graphql", content=json.dumps({"query": query}), headers={**headers, **AUTHORIZED}
    )
    assert "errors" not in answer.json()


AUTHORIZED = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
