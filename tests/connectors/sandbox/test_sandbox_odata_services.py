"""What a service may add to the protocol: a version, a namespace, words, counted units and narrowed links."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.sandbox.odata_v2 import ODataV2Sandbox

Connect = Callable[..., httpx.AsyncClient]
BASE = "http://plant.example/sap/opu/odata/sap"
SECOND = f"{BASE}/API_WORK;v=2"
NOW = datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=UTC)
TEXT: dict[str, Any] = {"type": "Edm.String", "maxLength": 4}

FACTS: dict[str, Any] = {
    "services": {
        "API_WORK": {
            "version": "0002",
            "namespace": "cds_api_work_2",
            "functions": [],
            "wholeUnits": ["PC"],
            "words": {"DE": {"REL": "FREI", "CNF": "RÜCK", "LONG": "LÄNGER"}},
            "entitySets": {
                "Work": {
                    "type": "WorkType",
                    "key": ["Number", "ValidTo"],
                    "etag": "ChangedAt",
                    "changedStamps": {"ChangedAt": "instant"},
                    "navigation": {
                        "to_Landline": {"to": "Phone", "many": True, "on": {"Number": "Work"}, "where": {"Kind": [""]}},
                        "to_Mobile": {"to": "Phone", "many": True, "on": {"Number": "Work"}, "where": {"Kind": ["3"]}},
                    },
                    "properties": {
                        "Number": {"type": "Edm.String", "maxLength": 4, "conversion": "ALPHA"},
                        "ValidTo": {"type": "Edm.DateTime", "precision": 0, "format": "Date"},
                        "Status": {"type": "Edm.String", "maxLength": 14, "worded": True, "not": ["filterable"]},
                        "ChangedAt": {"type": "Edm.DateTimeOffset", "precision": 0, "not": ["updatable"]},
                        "Text": {"type": "Edm.String", "maxLength": 40},
                        "Unit": {"type": "Edm.String", "maxLength": 3, "semantics": "unit-of-measure"},
                        "Quantity": {"type": "Edm.Decimal", "precision": 31, "scale": 14, "unit": "Unit"},
                        "Hours": {"type": "Edm.Decimal", "precision": 7, "scale": 1, "unit": "Unit"},
                    },
                },
                "Phone": {
                    "type": "PhoneType",
                    "key": ["Work", "Kind"],
                    "properties": {"Work": {**TEXT, "conversion": "ALPHA"}, "Kind": TEXT},
                },
            },
        },
        "API_OTHER": {"entitySets": {"Other": {"type": "OtherType", "key": ["Id"], "properties": {"Id": TEXT}}}},
    }
}
DATA: dict[str, list[dict[str, Any]]] = {
    "Work": [
        {
            "Number": "1",
            "ValidTo": date(9999, 12, 31),
            "Status": "REL  CNF",
            "ChangedAt": datetime(2026, 11, 2, 8, 41, 3, tzinfo=UTC),
            "Unit": "PC",
            "Quantity": Decimal("100.000"),
            "Hours": Decimal(2),
        },
        {"Number": "1", "ValidTo": date(2025, 3, 31), "Status": "LONG  REL", "Unit": "KG", "Quantity": Decimal("7.4")},
        {"Number": "2", "ValidTo": date.min, "Unit": "PC", "Quantity": Decimal("0.12345"), "Hours": Decimal("1.5")},
        {"Number": "3", "ValidTo": date(2025, 1, 1), "Quantity": Decimal(-2)},
    ],
    "Phone": [{"Work": "1", "Kind": ""}, {"Work": "1", "Kind": "3"}, {"Work": "1", "Kind": "F"}],
}


def application(**settings: Any) -> ODataV2Sandbox:
    return ODataV2Sandbox(FACTS, DATA, users={"reader": "right"}, now=lambda: NOW, **settings)


@pytest.fixture
async def client(connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(application(), base_url=SECOND) as opened:
        yield opened


async def read(client: httpx.AsyncClient, path: str, **settings: Any) -> Any:
    answer = await client.get(path, **settings)
    assert answer.status_code == 200, answer.text
    return answer.json()["d"]


@pytest.mark.parametrize(
    "segment", ["API_WORK;v=2", "API_WORK;v=0002", "API_WORK%3Bv%3D2", "API_OTHER", "API_OTHER;v=1"]
)
async def test_a_service_answers_under_its_version(connect: Connect, segment: str) -> None:
    async with connect(application(), base_url=BASE) as client:
        assert (await client.get(f"/{segment}/$metadata", headers={"accept": "*/*"})).status_code == 200


@pytest.mark.parametrize(
    ("segment", "version"),
    [("API_WORK", "0001"), ("API_WORK;v=1", "0001"), ("API_WORK;v=3", "0003"), ("API_OTHER;v=2", "0002")],
)
async def test_another_version_is_not_registered(connect: Connect, segment: str, version: str) -> None:
    async with connect(application(), base_url=BASE) as client:
        answer = await client.get(f"/{segment}/Work")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (403, "/IWFND/MED/170")
    assert error["message"]["value"].endswith(f"version '{version}'")


async def test_links_say_the_version_and_types_the_namespace(client: httpx.AsyncClient) -> None:
    work = (await read(client, "/Work?$filter=Number eq '2'"))["results"][0]
    assert work["__metadata"]["type"] == "cds_api_work_2.WorkType"
    assert work["__metadata"]["uri"].startswith(f"{SECOND}/Work(Number='2',")
    assert (await read(client, work["__metadata"]["uri"]))["Number"] == "2"
    described = await client.get("/$metadata", headers={"accept": "application/xml"})
    assert '<Schema Namespace="cds_api_work_2"' in described.text
    assert 'EntityType="cds_api_work_2.PhoneType"' in described.text


async def test_a_right_names_the_service_without_its_version(connect: Connect) -> None:
    async with connect(application(allowed={"reader": ["API_WORK"]}), base_url=BASE) as client:
        assert (await client.get("/API_WORK;v=2/Work")).status_code == 200
        assert (await client.get("/API_OTHER/Other")).status_code == 403


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, "REL  CNF"),
        ("&sap-language=DE", {}, "FREI RÜCK"),
        ("&sap-language=de", {"accept-language": "en"}, "FREI RÜCK"),
        ("", {"sap-language": "DE"}, "FREI RÜCK"),
        ("", {"accept-language": "fr-FR, de-DE;q=0.8, en;q=0.5"}, "FREI RÜCK"),
        ("&sap-language=EN", {"accept-language": "de"}, "REL  CNF"),
        ("&sap-language=XX", {}, "REL  CNF"),
    ],
)
async def test_words_have_the_language_of_the_logon(
    client: httpx.AsyncClient, query: str, headers: dict[str, str], status: str
) -> None:
    path = f"/Work(Number='1',ValidTo=datetime'9999-12-31T00:00:00')?$select=Status{query}"
    assert (await read(client, path, headers=headers))["Status"] == status


async def test_users_have_a_language(connect: Connect) -> None:
    path = "/Work(Number='1',ValidTo=datetime'2025-03-31T00:00:00')"
    async with connect(application(language="DE"), base_url=SECOND) as client:
        assert (await read(client, path))["Status"] == "LÄNGER FREI"
        assert (await read(client, f"{path}/Status"))["Status"] == "LÄNGER FREI"
        assert (await read(client, f"{path}?sap-language=EN"))["Status"] == "LONG  REL"
        assert "FREI RÜCK" in (await client.get("/Work", headers={"accept": "application/atom+xml"})).text
    assert DATA["Work"][1]["Status"] == "LONG  REL"


async def test_words_are_cut_at_the_length(connect: Connect) -> None:
    row = {"Number": "1", "ValidTo": date(2026, 1, 1), "Status": "REL CNF REL CNF"}
    sandbox = ODataV2Sandbox(FACTS, {"Work": [row]}, users={"reader": "right"}, language="DE")
    async with connect(sandbox, base_url=SECOND) as client:
        assert (await read(client, "/Work"))["results"][0]["Status"] == "FREI RÜCK FREI"


async def test_quantities_have_the_decimals_of_their_unit(client: httpx.AsyncClient) -> None:
    rows = (await read(client, "/Work?$select=Number,Quantity,Hours&$orderby=Number,ValidTo desc"))["results"]
    assert [(row["Quantity"], row["Hours"]) for row in rows] == [
        ("100", "2"),
        ("7.400", "0.0"),
        ("0.12345", "1.5"),
        ("-2.000", "0.0"),
    ]


async def test_a_link_may_lead_to_some_of_a_set(client: httpx.AsyncClient) -> None:
    path = "/Work(Number='1',ValidTo=datetime'9999-12-31T00:00:00')"
    work = await read(client, f"{path}?$expand=to_Landline,to_Mobile")
    assert [row["Kind"] for row in work["to_Landline"]["results"]] == [""]
    assert [row["Kind"] for row in work["to_Mobile"]["results"]] == ["3"]
    assert [row["Kind"] for row in (await read(client, f"{path}/to_Mobile"))["results"]] == ["3"]


async def test_the_first_day_is_written_as_the_system_counts_it(client: httpx.AsyncClient) -> None:
    work = await read(client, "/Work(Number='2',ValidTo=datetime'0001-01-01T00:00:00')")
    assert work["ValidTo"] == "/Date(-62135769600000)/"
    assert work["__metadata"]["uri"].endswith("ValidTo=datetime'0001-01-01T00%3A00%3A00')")
    text = (await client.get(work["__metadata"]["uri"], headers={"accept": "application/atom+xml"})).text
    assert "<d:ValidTo>0001-01-01T00:00:00</d:ValidTo>" in text


async def test_the_last_day_is_a_key_like_any_other(client: httpx.AsyncClient) -> None:
    work = await read(client, "/Work(ValidTo=datetime'9999-12-31T00:00:00',Number='0001')")
    assert work["ValidTo"] == "/Date(253402214400000)/"
    rows = (await read(client, "/Work?$filter=ValidTo eq datetime'9999-12-31T00:00:00'"))["results"]
    assert [row["Number"] for row in rows] == ["1"]


async def test_an_instant_without_decimals_moves_on_by_seconds(connect: Connect) -> None:
    async with connect(application(), base_url=SECOND) as client:
        token = (await client.get("/", headers={"x-csrf-token": "Fetch"})).headers["x-csrf-token"]
        path = "/Work(Number='1',ValidTo=datetime'9999-12-31T00:00:00')"
        tag = (await client.get(path)).headers["etag"]
        assert tag == "W/\"datetimeoffset'2026-11-02T08%3A41%3A03Z'\""
        for second in ("00", "01"):
            headers = {"x-csrf-token": token, "if-match": tag}
            assert (await client.patch(path, json={"Text": "new"}, headers=headers)).status_code == 204
            changed = await read(client, path)
            assert changed["ChangedAt"].endswith("000+0000)/")
            tag = changed["__metadata"]["etag"]
            assert tag == f"W/\"datetimeoffset'2026-11-20T12%3A00%3A{second}Z'\""
        never = "/Work(Number='3',ValidTo=datetime'2025-01-01T00:00:00')"
        assert (await client.get(never)).headers["etag"] == "W/\"''\""


def test_a_narrowed_link_names_a_property_of_its_target() -> None:
    sets = FACTS["services"]["API_WORK"]["entitySets"]
    link = {"to": "Phone", "many": True, "on": {"Number": "Work"}, "where": {"Sort": ["1"]}}
    wrong = {**sets, "Work": {**sets["Work"], "navigation": {"to_Wrong": link}}}
    with pytest.raises(ValueError, match="to_Wrong: Phone has no property Sort"):
        ODataV2Sandbox({"services": {"API_WORK": {"entitySets": wrong}}}, {}, users={})
