"""explain and costs at the gateway: what a token may see, its limits, and what stands in the answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.running import ADMIN, PASSWORD, USER, RunningGateway, running_gateway, stand_in

ORDERS = "{ purchaseOrders(first: 5) { nodes { number vendor { name } } sources { upstreamCalls } } }"
EXPLAIN = """
query Explain($asked: String!) {
  explain(query: $asked) {
    cost maxCost upstreamCalls
    reads { path connection { id } upstreamCalls request { method url body } problem { code } }
    problems { code message }
  }
}
"""


async def explained(gateway: RunningGateway, query: str, token: str = ADMIN) -> Any:
    return (await gateway.data(EXPLAIN, token, asked=query))["explain"]


async def test_a_token_is_told_of_its_own_connections_and_nobody_is_asked(tmp_path: Path) -> None:
    async with stand_in() as one, stand_in() as other, running_gateway(tmp_path) as gateway:
        first, token = await gateway.connected(one, "First")
        second, _ = await gateway.connected(other, "Second")
        one.box.requests.clear()
        other.box.requests.clear()
        own = await explained(gateway, ORDERS, token=token)
        assert {read["connection"]["id"] for read in own["reads"]} == {first}
        everything = await explained(gateway, ORDERS)
        assert {read["connection"]["id"] for read in everything["reads"]} == {first, second}
        assert everything["cost"] == 2 * own["cost"]
        assert (one.box.requests, other.box.requests) == ([], [])
        request = own["reads"][0]["request"]
        assert request["url"].startswith(f"{one.url}/sap/opu/odata/sap/API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder?")
        assert USER not in str(own)
        assert PASSWORD not in str(own)


async def test_every_answer_to_a_query_tells_its_cost(tmp_path: Path) -> None:
    async with stand_in() as one, running_gateway(tmp_path) as gateway:
        await gateway.connected(one)
        one.box.requests.clear()
        body = await gateway.ask(ORDERS)
        cost = body["extensions"]["cost"]
        assert cost["estimated"] == (await explained(gateway, ORDERS))["cost"]
        assert cost["upstreamCalls"] == len(one.box.requests) == 2
        assert 20 < cost["actual"] <= cost["estimated"] < cost["limit"] == 10_000_000
        assert (await gateway.ask("{ viewer { __typename } }"))["extensions"]["cost"]["estimated"] == 0
        assert "extensions" not in await gateway.ask("{ nothing }")
        assert "extensions" not in await gateway.ask("mutation { __typename }")


async def test_a_query_over_the_limit_is_refused_with_its_cost(tmp_path: Path) -> None:
    async with stand_in() as one, running_gateway(tmp_path, max_cost=20) as gateway:
        await gateway.connected(one)
        one.box.requests.clear()
        body = await gateway.ask(ORDERS)
        (error,) = body["errors"]
        assert "data" not in body
        assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
        assert error["extensions"]["cost"] == body["extensions"]["cost"]["estimated"] > 20
        assert one.box.requests == []
        told = await explained(gateway, ORDERS)
        assert [problem["message"] for problem in told["problems"]] == [error["message"]]


@pytest.mark.parametrize(
    ("query", "code", "settings"),
    [
        ("{ viewer { apiKey { customer { id } } } }", "QUERY_TOO_DEEP", {"max_query_depth": 3}),
        ("{ a: viewer { __typename } }", "QUERY_TOO_COMPLEX", {"max_query_aliases": 0}),
        ("{ viewer { __typename } systems { key } }", "QUERY_TOO_COMPLEX", {"max_root_fields": 1}),
        (
            "{ systems { key title } systems { key title } systems { key title } systems { key title } }",
            "QUERY_TOO_COMPLEX",
            {"max_query_tokens": 20},
        ),
        ("{ __schema { types { name } } }", "FORBIDDEN", {"introspection": False}),
    ],
)
async def test_the_limits_of_documents_hold_for_what_is_explained(
    tmp_path: Path, query: str, code: str, settings: dict[str, Any]
) -> None:
    async with running_gateway(tmp_path) as gateway:
        assert (await explained(gateway, query))["problems"] == []
    async with running_gateway(tmp_path / "narrow", **settings) as gateway:
        told = await gateway.ask(f"{{ explain(query: {json.dumps(query)}) {{ problems {{ code }} }} }}")
        assert {item["code"] for item in told["data"]["explain"]["problems"]} == {code}


async def test_mistakes_do_not_bring_out_the_names_of_a_hidden_schema(tmp_path: Path) -> None:
    for introspection, is_told in ((True, True), (False, False)):
        async with running_gateway(tmp_path / str(introspection), introspection=introspection) as gateway:
            (problem,) = (await explained(gateway, "{ purchaseOrder { id } }"))["problems"][:1]
            assert ("purchaseOrder" in problem["message"]) is True
            (problem,) = (await explained(gateway, "{ purchaseOrderz { id } }"))["problems"]
            assert ("Did you mean" in problem["message"]) is is_told


async def test_explaining_needs_the_scope_of_reading(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        token = await gateway.key(scopes=["MANAGE"])
        assert await gateway.refused(EXPLAIN, token, asked=ORDERS) == "SCOPE_MISSING"
