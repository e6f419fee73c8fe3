"""A real Tryton whose fields go and come back, and what is told of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.running import RunningGateway, running_gateway
from tests.real.gateway import connect
from tests.real.surveys import drifts, survey
from tests.real.tryton.server import PASSWORDS, Tryton

pytestmark = pytest.mark.real


@pytest.fixture
async def gateway(tmp_path: Path, tryton: Tryton) -> AsyncIterator[RunningGateway]:
    answers = {"url": tryton.url, "database": tryton.database, "username": "switchgear"}
    async with running_gateway(tmp_path) as gateway:
        payload = await connect(gateway, "tryton", "session", answers | {"password": PASSWORDS["switchgear"]})
        assert payload["errors"] == []
        yield gateway


async def test_the_real_one_has_everything_that_is_mapped(gateway: RunningGateway) -> None:
    for _ in range(2):
        found = await survey(gateway)
        assert {path for paths in found.values() for path, kind in paths.items() if kind is None} == set()
    assert found["PURCHASE_ORDER purchase.purchase"]["lines.product.code"] == "TEXT"
    assert await drifts(gateway) == []


async def test_a_field_goes_and_comes_back(gateway: RunningGateway, tryton: Tryton) -> None:
    """Tryton does not tell of links to what a user may not read."""
    await survey(gateway)
    with tryton.without_right_to_read("account.invoice.payment_term"):
        await survey(gateway)
    await survey(gateway)
    gone, back = await drifts(gateway)
    nothing: dict[str, Any] = {"added": [], "removed": [], "changed": [], "affected": []}
    where = {"entity": "PURCHASE_ORDER", "source": "purchase.purchase"}
    assert gone == {**nothing, **where, "removed": ["payment_term.name"], "affected": ["paymentTerms"]}
    assert back == {**nothing, **where, "added": ["payment_term.name"]}
