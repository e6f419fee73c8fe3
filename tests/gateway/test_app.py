"""The process as a whole: with others on the same data, without its database, and on its way out."""

from pathlib import Path
from typing import Any

import pytest

from gateway.keys import tokens
from gateway.keys.keyring import Keyring
from gateway.stores.errors import Unavailable
from tests.gateway.running import ADMIN, running_gateway, stand_in


async def test_a_new_token_works_at_once_in_another_process(tmp_path: Path) -> None:
    query, keyring = "{ purchaseOrders(first: 1) { sources { status } } }", Keyring.generate()
    async with (
        stand_in() as erp,
        running_gateway(tmp_path, keyring) as one,
        running_gateway(tmp_path, keyring) as two,
    ):
        _, token = await one.connected(erp)
        assert (await two.data(query, token))["purchaseOrders"]["sources"] == [{"status": "OK"}]


async def test_without_its_database_it_says_so_and_that_it_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> Any:
        raise Unavailable("the database is away")

    async with running_gateway(tmp_path) as gateway:
        store = gateway.process.directory.store
        for name in ("key_by_digest", "create_customer", "epoch", "touch_key"):
            monkeypatch.setattr(store, name, fail)
        answer = await gateway.ask('mutation { createCustomer(input: {name: "A"}) { customer { id } } }', ADMIN)
        (error,) = answer["errors"]
        assert (error["extensions"]["code"], error["extensions"]["retryable"]) == ("INTERNAL", True)
        assert "database does not answer" in error["message"]
        unknown = tokens.mint(tokens.TokenKind.CUSTOMER).secret.get_secret_value()
        headers = {"Authorization": f"Bearer {unknown}"}
        refused = await gateway.client.post("/graphql", headers=headers, json={"query": "{ __typename }"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert (await gateway.client.get("/readyz")).status_code == 503


async def test_who_is_about_to_end_is_not_ready(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        assert (await gateway.client.get("/readyz")).status_code == 200
        gateway.process.drain()
        assert (await gateway.client.get("/readyz")).status_code == 503
        assert (await gateway.data("{ __typename }"))["__typename"] == "Query"
