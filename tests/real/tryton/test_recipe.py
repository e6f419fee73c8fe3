"""The recipe keeps its promises: the plant is as described, and the levers do what they say."""

import datetime
import json
import sqlite3
import threading
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.real.tryton import installation as recipe
from tests.real.tryton.capture import FACTS, capture
from tests.real.tryton.seed import PLANT
from tests.real.tryton.server import PASSWORDS, Tryton
from tests.real.tryton.wire import Client, Refused, decode, encode

PURCHASES = "model.purchase.purchase.search_count"
PARTIES = "model.party.party.search_count"
SWITCHGEAR = ("switchgear", PASSWORDS["switchgear"])
LIMITED = ("limited", PASSWORDS["limited"])


@pytest.mark.real
@pytest.mark.parametrize(
    ("model", "field", "never"),
    [
        ("purchase.purchase", "state", set()),
        ("purchase.purchase", "shipment_state", set()),
        ("purchase.purchase", "invoice_state", set()),
        ("production", "state", {"request"}),  # made by a module that supplies stock by production
        ("production", "type", set()),
        ("production.work", "state", set()),
        ("production.work.cycle", "state", {"cancelled"}),
        ("account.asset", "state", set()),
        ("product.product", "type", set()),
        ("stock.order_point", "type", set()),
    ],
)
def test_records_stand_in_every_state_there_is(tryton: Tryton, model: str, field: str, never: set[str]) -> None:
    possible = tryton.ask(f"model.{model}.fields_get", [field])[field]["selection"]
    reached = {row[field] for row in tryton.rows(model, [], [field])}
    assert reached == {state for state, _ in possible} - never


@pytest.mark.real
def test_every_party_and_purchase_of_the_plant_is_there(tryton: Tryton) -> None:
    names = [party["name"] for party in tryton.rows("party.party", [], ["name"])]
    assert names == [party["name"] for party in PLANT["parties"]]
    vendors = [order["party."]["code"] for order in tryton.rows("purchase.purchase", [], ["party.code"])]
    assert vendors == [order["vendor"] for order in PLANT["purchases"]]


@pytest.mark.real
def test_times_of_change_are_the_same_in_every_build(tryton: Tryton) -> None:
    moments = ["create_date", "write_date"]
    first, *_, last = tryton.rows("purchase.purchase", [["id", "in", [1, 30]]], moments)
    assert first["create_date"] == datetime.datetime(2024, 1, 3, 7, 30, 0, 250_000)
    assert first["write_date"] is None
    assert last["write_date"] == datetime.datetime(2024, 2, 2, 22, 45, 0, 250_015)


@pytest.mark.real
def test_the_limited_user_reads_what_everybody_may(tryton: Tryton) -> None:
    assert tryton.call(*SWITCHGEAR, PURCHASES, []) == len(PLANT["purchases"])
    assert tryton.call(*LIMITED, PARTIES, [])
    with pytest.raises(Refused) as refused:
        tryton.call(*LIMITED, PURCHASES, [])
    assert refused.value.error[0] == "UserError"


@pytest.mark.real
def test_another_password_counts_at_once(tryton: Tryton) -> None:
    assert tryton.call(*LIMITED, PARTIES, [])
    tryton.set_password("limited", "Surge-Arrester-88")
    try:
        with pytest.raises(Refused, match="401"):
            tryton.call(*LIMITED, PARTIES, [])
        tryton.forget_failed_logins()
        assert tryton.call("limited", "Surge-Arrester-88", PARTIES, [])
    finally:
        tryton.set_password(*LIMITED)
    assert tryton.call(*LIMITED, PARTIES, [])


@pytest.mark.real
@pytest.mark.parametrize("model", ["purchase.purchase", "party.party"])
def test_a_right_is_taken_and_given_back(tryton: Tryton, model: str) -> None:
    with tryton.without_right_to_read(model), pytest.raises(Refused, match="UserError"):
        tryton.call(*SWITCHGEAR, f"model.{model}.search_count", [])
    assert tryton.call(*SWITCHGEAR, f"model.{model}.search_count", [])


@pytest.mark.real
def test_the_right_to_a_field_is_taken_and_given_back(tryton: Tryton) -> None:
    def read(field: str) -> Any:
        (row,) = tryton.call(*SWITCHGEAR, "model.purchase.purchase.read", [13], [field])
        return row[field]

    with tryton.without_right_to_read_field("purchase.purchase", "comment"):
        with pytest.raises(Refused, match=r"Purchase\.Comment"):
            read("comment")
        assert read("number") == "PO-8"
    assert read("comment")


@pytest.mark.real
def test_the_recorder_keeps_what_was_asked_and_sessions_can_be_ended(tryton: Tryton) -> None:
    with tryton.recording() as recorder:
        client = Client(f"{recorder.url}/{tryton.database}")
        assert client.call(*SWITCHGEAR, PURCHASES, [], context={"language": "en"}) == len(PLANT["purchases"])
        assert len(client.call(*SWITCHGEAR, "model.party.party.read", [1], ["addresses.full_address"])) == 1
        tryton.end_sessions("switchgear")
        client.call(*SWITCHGEAR, PARTIES, [])
    login, count, *_ = recorder.requests
    assert login.path == f"/{tryton.database}/rpc/"
    assert count.parameters == [[], {"language": "en"}]
    assert [(asked.method.rpartition(".")[2], asked.status) for asked in recorder.requests] == [
        ("login", 200),
        ("search_count", 200),
        ("read", 200),
        ("search_count", 401),
        ("login", 200),
        ("search_count", 200),
    ]


@pytest.mark.real
def test_failed_logins_are_forgotten(tryton: Tryton) -> None:
    with pytest.raises(Refused, match="401"):
        tryton.call("switchgear", "wrong", PARTIES, [])
    assert _attempts(tryton) == 1
    tryton.forget_failed_logins()
    assert _attempts(tryton) == 0


def _attempts(tryton: Tryton) -> int:
    with closing(sqlite3.connect(tryton.folder / f"{tryton.database}.sqlite")) as connection:
        (attempts,) = connection.execute("SELECT count(*) FROM res_user_login_attempt").fetchone()
    return int(attempts)


@pytest.mark.real
def test_the_facts_are_what_the_program_says(tryton: Tryton) -> None:
    assert json.loads(FACTS.read_text(encoding="utf-8")) == capture(tryton)


@pytest.mark.parametrize(
    "value",
    [
        Decimal("12.3456"),
        datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 23, 59, 59, 999_999),
        datetime.timedelta(days=14, seconds=1),
        {"nested": [Decimal("0"), None, "text"]},
    ],
)
def test_values_survive_the_wire(value: Any) -> None:
    assert decode(encode(value)) == value


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

    def build(unfinished: recipe.Installation) -> None:
        built.append(unfinished.folder)
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
