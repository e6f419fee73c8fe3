"""Links of child rows, such as the item of a line: read as keys, and a null says why it leads nowhere."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from connectors.reading import RecordReader
from connectors.systems.sap_s4hana.spec import purchase_orders, sap_s4hana
from schema.records import FieldGapReason

_ROW = {
    "PurchaseOrder": "4500000001",
    "to_PurchaseOrderItem": {
        "results": [
            {"PurchaseOrderItem": "20", "Material": ""},
            {"PurchaseOrderItem": "10", "Material": "PMP-40-200"},
        ]
    },
}
EMPTY, DENIED = FieldGapReason.EMPTY_AT_SOURCE, FieldGapReason.NOT_PERMITTED


@pytest.mark.parametrize(
    ("failed", "told"), [((), EMPTY), ((EMPTY,), EMPTY), ((DENIED,), DENIED), ((DENIED, EMPTY), DENIED)]
)
def test_a_link_that_could_not_be_followed_says_why(failed: Sequence[FieldGapReason], told: FieldGapReason) -> None:
    reader = RecordReader(purchase_orders, sap_s4hana.protocol, "con_1", {"lines": {"nodes": {"item": {"id": None}}}})
    (record,) = reader.read([_ROW])
    lines = record.origin.children["lines"]
    assert [line.origin.links.get("item") for line in lines] == ["PMP-40-200", None]
    for line, reason in zip(lines, failed, strict=False):
        line.origin.failed_links["item"] = reason
    (gap,) = reader.meta_of(record, datetime.now(UTC)).find_gaps()
    assert (gap.path, gap.reason) == ("lines.item", told)
