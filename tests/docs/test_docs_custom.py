"""What the page on custom fields asks is asked of a gateway, in its order, and answered as it says."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.docs.pages import ROOT, blocks_of
from tests.gateway.customer_plant import ZONE, add_permits, add_zone, update
from tests.gateway.running import running_gateway, stand_in

PAGE = ROOT / "docs" / "custom-fields.md"


async def test_the_page_tells_what_happens(tmp_path: Path) -> None:
    shown = list(blocks_of(PAGE))
    refusal = next(json.loads(block.text) for block in shown if '"code"' in block.text and block.language == "json")
    pairs = [pair for pair in pairwise(shown) if pair[0].language == "graphql"]
    assert len(pairs) == 4
    async with stand_in() as erp, running_gateway(tmp_path) as gateway:
        add_zone(erp.box)
        add_permits(erp.box)
        connection, _ = await gateway.connected(erp)
        for query, answer in pairs:
            found: dict[str, Any] = await gateway.data(query.text, id=connection)
            assert {"data": found} == json.loads(answer.text), str(query)
        payload = await update(gateway, connection, settings={"customFields": [{**ZONE, "path": "YY1_Zon"}]})
    (error,) = payload["errors"]
    assert {name: error[name] for name in refusal} == refusal
