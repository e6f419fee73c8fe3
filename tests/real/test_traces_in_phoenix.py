"""A fan-out arrives at somebody else's receiver as a tree that can be read."""

from pathlib import Path

import pytest

from tests.e2e.test_telemetry import TRACE, asked, demo
from tests.real.phoenix.receiver import Phoenix


@pytest.mark.real
def test_a_fan_out_is_a_tree_in_phoenix(tmp_path: Path, phoenix: Phoenix) -> None:
    with demo(tmp_path, otlp_endpoint=phoenix.url) as program:
        program.ready()
        assert "errors" not in asked(program).json()
        assert program.end() == 0
    spans = phoenix.spans(TRACE, count=12)
    parents = {span["context"]["span_id"]: span for span in spans}

    def place(span: dict[str, object]) -> str:
        above = parents.get(str(span["parent_id"]))
        return f"{place(above)}/{span['name']}" if above is not None else str(span["name"])

    places = [place(span) for span in spans]
    rows = "request/fan-out/source/source call/attempt"
    links = "request/fan-out/links/source/source call/attempt"
    assert places.count(rows) == 3
    assert places.count(links) >= 1
    systems = {
        span["attributes"]["switchgear.system"]
        for span, where in zip(spans, places, strict=True)
        if where in (rows, links)
    }
    assert systems == {"sap_s4hana", "odoo"}
