"""The recipe keeps its promises: the plant is as described, and the levers do what they say."""

import json
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.real.odoo import installation as recipe
from tests.real.odoo.administrator import Administrator
from tests.real.odoo.capture import FACTS, capture
from tests.real.odoo.keys import printed_keys
from tests.real.odoo.seed import MAINTENANCE, PLANT, PURCHASES
from tests.real.odoo.server import Odoo
from tests.real.odoo.wire import Client, Refused


@pytest.mark.real
@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("purchase.order", "state"),
        ("purchase.order", "receipt_status"),
        ("purchase.order", "invoice_status"),
        ("purchase.order.line", "display_type"),
        ("maintenance.request", "kanban_state"),
        ("maintenance.request", "priority"),
        ("maintenance.request", "maintenance_type"),
    ],
)
def test_every_state_there_is_was_reached(odoo: Odoo, model: str, field: str) -> None:
    possible = odoo.ask(model, "fields_get", allfields=[field])[field]["selection"]
    reached = {row[field] for row in odoo.rows(model, [], [field])}
    assert reached - {False} == {state for state, _ in possible}


@pytest.mark.real
def test_every_record_of_the_plant_is_there(odoo: Odoo) -> None:
    orders = odoo.rows("purchase.order", [], ["date_order"])
    assert [order["date_order"] for order in orders] == [order["date_order"] for order in PURCHASES]
    for model in ("maintenance.equipment", "maintenance.request"):
        names = [row["name"] for row in odoo.rows(model, [], ["name"])]
        assert names == [record["name"] for record in MAINTENANCE["records"][model]]
    vendors = {row["name"] for row in odoo.rows("res.partner", [], ["name"])}
    assert vendors > {partner["name"] for partner in PLANT["records"]["res.partner"]}


@pytest.mark.real
def test_stock_lies_where_it_was_counted_and_some_is_reserved(odoo: Odoo) -> None:
    places = [["location_id.usage", "=", "internal"], ["product_id.default_code", "=", "OIL-46"]]
    fields = ["location_id", "lot_id", "quantity", "reserved_quantity"]
    lies = [
        (quant["location_id"][1], quant["lot_id"][1], quant["quantity"], quant["reserved_quantity"])
        for quant in odoo.rows("stock.quant", places, fields)
    ]
    assert lies == [
        ("WH/Stock/Shelf A", "LOT-2024-1", Decimal("60.5"), Decimal("10.25")),
        ("WH/Stock/Shelf A", "LOT-2024-2", Decimal("25.0"), Decimal("0.0")),
        ("Workshop", "LOT-2024-2", Decimal("4.75"), Decimal("0.0")),
    ]


@pytest.mark.real
def test_times_of_change_are_the_same_in_every_build(odoo: Odoo) -> None:
    moments = ["create_date", "write_date"]
    first, fifth, last = odoo.rows("purchase.order", [["id", "in", [1, 5, 42]]], moments)
    assert (first["create_date"], first["write_date"]) == ("2024-01-03 07:30:00", "2024-02-02 07:30:00")
    assert fifth["create_date"] == fifth["write_date"] == "2024-01-03 09:30:00"
    assert last["write_date"] == "2024-02-03 04:30:00"


@pytest.mark.real
def test_users_see_what_they_may(odoo: Odoo) -> None:
    def sees(user: str, model: str) -> int:
        return len(odoo.call(user, model, "search", domain=[]))

    assert sees("switchgear", "purchase.order") == len(PURCHASES)
    assert sees("switchgear", "maintenance.request") == len(MAINTENANCE["records"]["maintenance.request"])
    assert sees("limited", "purchase.order") == len(PURCHASES) - 2  # those of the other company
    assert sees("limited", "maintenance.request") == 0  # hidden from it, not refused to it
    with pytest.raises(Refused) as refused:
        sees("limited", "mrp.production")
    assert (refused.value.status, refused.value.name) == (403, "odoo.exceptions.AccessError")
    with pytest.raises(Refused, match="403"):
        odoo.call("switchgear", "purchase.order", "write", ids=[1], vals={"origin": "changed"})


@pytest.mark.real
def test_a_key_expires_and_is_valid_again(odoo: Odoo) -> None:
    def count(user: str) -> Any:
        return odoo.call(user, "res.partner", "search_count", domain=[])

    with pytest.raises(Refused, match="401"):
        count("expired")
    with odoo.key_expired("switchgear"):
        with pytest.raises(Refused, match="401"):
            count("switchgear")
        assert count("limited")
    assert count("switchgear")


@pytest.mark.real
@pytest.mark.parametrize("model", ["purchase.order", "maintenance.equipment"])
def test_a_right_is_taken_and_given_back(odoo: Odoo, model: str) -> None:
    with odoo.without_right_to_read(model), pytest.raises(Refused, match="AccessError"):
        odoo.call("switchgear", model, "search_count", domain=[])
    assert odoo.call("switchgear", model, "search_count", domain=[])


@pytest.mark.real
def test_a_custom_field_comes_and_goes(odoo: Odoo) -> None:
    def read() -> Any:
        return odoo.call("switchgear", "purchase.order", "read", ids=[1], fields=["x_gate"])

    with odoo.with_custom_field("purchase.order", "x_gate", "char"):
        assert read() == [{"id": 1, "x_gate": False}]
    with pytest.raises(Refused, match="x_gate"):
        read()


@pytest.mark.real
def test_the_recorder_keeps_what_was_asked(odoo: Odoo) -> None:
    with odoo.recording() as recorded:
        client = Client(recorded.url, odoo.database)
        assert client.call(odoo.keys["switchgear"], "purchase.order", "search_count", domain=[["id", "<", 4]]) == 3
        with pytest.raises(Refused, match="404"):
            client.call(odoo.keys["switchgear"], "no.such", "search", domain=[])
    assert [(asked.model, asked.method, asked.status) for asked in recorded.requests] == [
        ("purchase.order", "search_count", 200),
        ("no.such", "search", 404),
    ]
    assert recorded.requests[0].arguments == {"domain": [["id", "<", 4]]}


@pytest.mark.real
def test_the_facts_are_what_the_program_says(odoo: Odoo) -> None:
    assert json.loads(FACTS.read_text(encoding="utf-8")) == capture(odoo)


def test_names_of_records_become_ids() -> None:
    administrator = Administrator(Client("http://127.0.0.1:1", "plant"), "key")
    administrator.remember("A", 7)
    administrator.remember("B", 8)
    record = {"@": "C", "one": "@A", "many": ["@A", "@B"], "nothing": None, "lines": [{"of": "@B", "name": "text"}]}
    assert administrator.values(record) == {
        "one": 7,
        "many": [[6, 0, [7, 8]]],
        "nothing": False,
        "lines": [[0, 0, {"of": 8, "name": "text"}]],
    }


def test_keys_are_found_among_what_the_shell_prints() -> None:
    assert printed_keys('>>> \nKEYS {"admin": "0123"}\n') == {"admin": "0123"}


def test_a_failed_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(unfinished: recipe.Installation) -> None:
        unfinished.folder.mkdir()
        raise RuntimeError("no network")

    monkeypatch.setenv("SWITCHGEAR_TEST_CACHE", str(tmp_path))
    monkeypatch.setattr(recipe, "_build", fail)
    with pytest.raises(RuntimeError, match="no network"):
        recipe.installation()
    assert [left.suffix for left in tmp_path.iterdir()] == [".lock"]


def test_two_at_once_build_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []
    both_are_here = threading.Barrier(2)
    both_build = threading.Event()

    def build(unfinished: recipe.Installation) -> None:
        built.append(unfinished.folder)
        if len(built) == 2:
            both_build.set()
        both_build.wait(0.2)  # as long as the other would need to begin as well, if it could
        unfinished.folder.mkdir()

    def take() -> None:
        both_are_here.wait()
        assert recipe.installation().folder.is_dir()

    monkeypatch.setenv("SWITCHGEAR_TEST_CACHE", str(tmp_path))
    monkeypatch.setattr(recipe, "_build", build)
    takers = [threading.Thread(target=take) for _ in range(2)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert len(built) == 1
