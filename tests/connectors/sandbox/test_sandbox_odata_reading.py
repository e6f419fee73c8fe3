"""Reads: the exact wire, shapes, order and pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

import httpx
import pytest

from connectors.sandbox.odata_v2 import ODataV2Sandbox

Make = Callable[..., ODataV2Sandbox]
Connect = Callable[..., httpx.AsyncClient]


async def read(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["d"]


async def numbers(client: httpx.AsyncClient, path: str) -> list[str]:
    return [row["Number"] for row in (await read(client, path))["results"]]


async def test_an_entity_as_it_is_written(client: httpx.AsyncClient, service_root: str) -> None:
    answer = await client.get("Document('9')")
    address = f"{service_root}/Document('9')"
    tag = "W/\"datetimeoffset'2026-11-02T08%3A41%3A03.4339560Z'\""
    assert answer.json() == {
        "d": {
            "__metadata": {"id": address, "uri": address, "type": "API_TEST_SRV.DocumentType", "etag": tag},
            "Number": "9",
            "Text": "O'Ring 50 %",
            "State": "02",
            "Deleted": "",
            "CreatedOn": "/Date(1793491200000)/",
            "CreatedBy": "",
            "ChangedAt": "/Date(1793608863433+0000)/",
            "At": "PT12H30M00S",
            "Open": True,
            "Weight": "0.125",
            "Currency": "EUR",
            "Amount": "1000.00",
            "Factor": "1.5",
            "Copies": 3,
            "Guid": "f9503ea8-fcd9-4ede-9fa7-1dfe572e8539",
            "Secret": "",
            "to_Line": {"__deferred": {"uri": f"{address}/to_Line"}},
        }
    }
    assert answer.headers["etag"] == tag
    assert answer.headers["dataserviceversion"] == "2.0"
    assert answer.headers["content-type"].startswith("application/json")


async def test_what_nothing_was_written_to_is_initial(client: httpx.AsyncClient) -> None:
    row = await read(client, "Document('10')")
    assert (row["State"], row["CreatedOn"], row["ChangedAt"], row["At"]) == ("", None, None, "PT00H00M00S")
    assert (row["Open"], row["Weight"], row["Copies"], row["Guid"]) == (False, "0.000", 0, None)


async def test_an_amount_has_the_decimals_of_its_currency(client: httpx.AsyncClient) -> None:
    rows = (await read(client, "Document?$select=Number,Amount"))["results"]
    assert {row["Number"]: row["Amount"] for row in rows} == {"9": "1000.00", "10": "1500", "A1": "0.00"}


async def test_dates_before_1970_are_negative(client: httpx.AsyncClient) -> None:
    assert (await read(client, "Document('A1')"))["CreatedOn"] == "/Date(-86400000)/"


async def test_only_sets_with_an_etag_have_one(client: httpx.AsyncClient) -> None:
    answer = await client.get("Line(Document='9',Position='10')")
    assert "etag" not in answer.headers
    assert "etag" not in answer.json()["d"]["__metadata"]


@pytest.mark.parametrize(
    "path",
    [
        "Line(Document='9',Position='100')",
        "Line(Position='00100',Document='0000000009')",
        "Line(Document='9', Position='100')",
        "Document('9')/to_Line(Document='9',Position='100')",
    ],
)
async def test_keys_are_named_in_any_order_and_padding(client: httpx.AsyncClient, path: str) -> None:
    assert (await read(client, path))["Material"] == "RING"


async def test_keys_are_shown_without_zeros(make: Make, connect: Connect) -> None:
    data = {"Line": [{"Document": "0000000009", "Position": "00010"}, {"Document": "0A", "Position": ""}]}
    async with connect(make(data)) as client:
        rows = (await read(client, "Line"))["results"]
        assert (await read(client, "Line(Document='9',Position='10')"))["Document"] == "9"
    assert sorted((row["Document"], row["Position"]) for row in rows) == [("0A", "0"), ("9", "10")]


async def test_composite_keys_and_quotes_in_addresses(make: Make, connect: Connect) -> None:
    data = {"Line": [{"Document": "it's 1/2", "Position": "10"}]}
    async with connect(make(data)) as client:
        row = (await read(client, "Line"))["results"][0]
        assert row["__metadata"]["uri"].endswith("/Line(Document='it%27%27s%201%2F2',Position='10')")
        again = await client.get(row["__metadata"]["uri"])
    assert again.json()["d"]["Document"] == "it's 1/2"


async def test_navigation_to_many_and_to_one(client: httpx.AsyncClient) -> None:
    lines = (await read(client, "Document('9')/to_Line?$orderby=Position"))["results"]
    assert [line["Position"] for line in lines] == ["10", "100"]
    assert (await read(client, "Line(Document='9',Position='10')/to_Document"))["Text"] == "O'Ring 50 %"


async def test_one_property_and_count(client: httpx.AsyncClient) -> None:
    assert await read(client, "Document('9')/Text") == {"Text": "O'Ring 50 %"}
    answer = await client.get("Document/$count?$filter=Currency eq ''", headers={"accept": "text/plain"})
    assert answer.text == "1"


async def test_select_shows_properties_and_links(client: httpx.AsyncClient, service_root: str) -> None:
    row = await read(client, "Document('9')?$select=Text,to_Line")
    link = {"__deferred": {"uri": f"{service_root}/Document('9')/to_Line"}}
    assert row.pop("__metadata")["etag"]
    assert row == {"Text": "O'Ring 50 %", "to_Line": link}


async def test_select_star_shows_properties_without_links(client: httpx.AsyncClient) -> None:
    row = await read(client, "Document('9')?$select=*")
    assert "Text" in row
    assert "to_Line" not in row


async def test_expand_two_levels(client: httpx.AsyncClient) -> None:
    row = await read(client, "Document('9')?$expand=to_Line/to_Share,to_Line/to_Document")
    lines = {line["Position"]: line for line in row["to_Line"]["results"]}
    assert sorted(share["Share"] for share in lines["10"]["to_Share"]["results"]) == ["1", "2"]
    assert lines["100"]["to_Share"] == {"results": []}
    assert lines["10"]["to_Document"]["Number"] == "9"
    assert "__deferred" in lines["10"]["to_Document"]["to_Line"]


async def test_an_expanded_link_to_nothing_is_null(make: Make, connect: Connect) -> None:
    async with connect(make({"Line": [{"Document": "404", "Position": "10"}]})) as client:
        row = (await read(client, "Line?$expand=to_Document"))["results"][0]
    assert row["to_Document"] is None


async def test_select_within_expanded(client: httpx.AsyncClient) -> None:
    path = "Document('9')?$select=Number,to_Line/Material,to_Line/to_Share/Day&$expand=to_Line/to_Share"
    row = await read(client, path)
    line = next(line for line in row["to_Line"]["results"] if line["Material"] == "SEAL")
    assert set(row) == {"__metadata", "Number", "to_Line"}
    assert set(line) == {"__metadata", "Material", "to_Share"}
    assert {share["Day"] for share in line["to_Share"]["results"]} == {"/Date(1796083200000)/", None}


async def test_an_expanded_link_must_be_selected_too(client: httpx.AsyncClient) -> None:
    row = await read(client, "Document('9')?$select=Number&$expand=to_Line")
    assert set(row) == {"__metadata", "Number"}
    row = await read(client, "Document('9')?$select=Number,to_Line&$expand=to_Line")
    assert row["to_Line"]["results"][0]["Material"]


async def test_keys_sort_in_their_padded_form(client: httpx.AsyncClient) -> None:
    assert await numbers(client, "Document?$orderby=Number") == ["9", "10", "A1"]
    assert await numbers(client, "Document?$orderby=Number desc") == ["A1", "10", "9"]


async def test_text_sorts_by_code_point_and_several_keys_in_turn(client: httpx.AsyncClient) -> None:
    assert await numbers(client, "Document?$orderby=Text") == ["9", "A1", "10"]
    assert await numbers(client, "Document?$orderby=Currency desc,Text asc") == ["10", "9", "A1"]


async def test_null_dates_come_first_and_last_when_descending(client: httpx.AsyncClient) -> None:
    assert await numbers(client, "Document?$orderby=CreatedOn") == ["10", "A1", "9"]
    assert await numbers(client, "Document?$orderby=CreatedOn desc") == ["9", "A1", "10"]


def many(count: int) -> dict[str, list[dict[str, Any]]]:
    return {"Document": [{"Number": str(number), "Text": "same"} for number in range(count)]}


async def test_ties_and_unsorted_answers_come_in_no_useful_order(make: Make, connect: Connect) -> None:
    async with connect(make(many(50))) as client:
        unsorted = await numbers(client, "Document")
        tied = await numbers(client, "Document?$orderby=Text")
        shifted = await numbers(client, "Document?$skip=1")
        again = await numbers(client, "Document")
    in_key_order = sorted(unsorted, key=int)
    assert unsorted != in_key_order
    assert tied != in_key_order
    assert again == unsorted
    assert shifted != unsorted[1:]


async def test_top_skip_and_count(client: httpx.AsyncClient) -> None:
    content = await read(client, "Document?$orderby=Number&$top=1&$skip=1&$inlinecount=allpages")
    assert [row["Number"] for row in content["results"]] == ["10"]
    assert content["__count"] == "3"
    assert "__next" not in content
    content = await read(client, "Document?$top=0&$inlinecount=allpages")
    assert (content["results"], content["__count"]) == ([], "3")
    assert "__count" not in await read(client, "Document?$inlinecount=none")


async def walk(client: httpx.AsyncClient, path: str) -> list[list[str]]:
    pages, address = [], path
    while address:
        content = await read(client, address)
        pages.append([row["Number"] for row in content["results"]])
        address = content.get("__next", "")
    return pages


async def test_the_server_pages_and_its_links_lead_on(make: Make, connect: Connect) -> None:
    async with connect(make(many(25), page_size=10)) as client:
        pages = await walk(client, "Document?$orderby=Number&$filter=Text%20eq%20'same'")
        unsorted = await walk(client, "Document")
    assert [len(page) for page in pages] == [10, 10, 5]
    everything = [str(number) for number in range(25)]
    assert list(chain(*pages)) == everything
    assert sorted(chain(*unsorted), key=int) == everything


async def test_links_carry_the_query_and_the_former_token(make: Make, connect: Connect, service_root: str) -> None:
    async with connect(make(many(25), page_size=10)) as client:
        first = await read(client, "Document?$orderby=Number&sap-client=100")
        second = await read(client, first["__next"])
    query = "$orderby=Number&sap-client=100"
    assert first["__next"] == f"{service_root}/Document?{query}&$skiptoken=10"
    assert second["__next"] == f"{service_root}/Document?{query}&%24skiptoken=10&$skiptoken=20"


async def test_a_page_is_no_longer_than_the_server_allows(make: Make, connect: Connect) -> None:
    async with connect(make(many(25), page_size=10)) as client:
        pages = await walk(client, "Document?$top=15&$orderby=Number")
    assert [len(page) for page in pages] == [10, 5]
    async with connect(make(many(25), page_size=10, maximum_page_size=20)) as client:
        assert [len(page) for page in await walk(client, "Document?$top=22")] == [20, 2]
        assert [len(page) for page in await walk(client, "Document")] == [10, 10, 5]
    async with connect(make(many(25), page_size={"Document": 5})) as client:
        assert len((await walk(client, "Document"))[0]) == 5


async def test_a_proxy_may_give_links_another_host(make: Make, connect: Connect) -> None:
    async with connect(make(many(3), page_size=1, public_url="https://inside.example:44300")) as client:
        content = await read(client, "Document?$top=2")
    root = "https://inside.example:44300/sap/opu/odata/sap/API_TEST_SRV/Document"
    assert content["__next"].startswith(f"{root}?")
    assert content["results"][0]["__metadata"]["uri"].startswith(f"{root}(")


@pytest.mark.parametrize("space", ["+", "%20"])
async def test_a_plus_is_a_space_too(client: httpx.AsyncClient, space: str) -> None:
    query = "$filter=Text eq 'O''Ring 50 %25' and Open eq true".replace(" ", space)
    assert await numbers(client, f"Document?{query}&sap-client=100") == ["9"]


async def test_option_names_may_be_encoded(client: httpx.AsyncClient) -> None:
    assert await numbers(client, "Document?%24filter=Number%20eq%20%2710%27") == ["10"]


async def test_rows_can_be_changed_while_it_runs(application: ODataV2Sandbox, client: httpx.AsyncClient) -> None:
    application.data["Document"][0]["Text"] = "changed"
    application.data["Document"].append({"Number": "77", "CreatedOn": date(2026, 1, 1)})
    assert (await read(client, "Document('9')"))["Text"] == "changed"
    assert (await read(client, "Document('77')"))["CreatedOn"] == "/Date(1767225600000)/"
    application.reset()
    assert (await read(client, "Document('9')"))["Text"] == "O'Ring 50 %"


async def test_without_a_word_about_json_the_answer_is_atom(client: httpx.AsyncClient) -> None:
    for accept in ("", "*/*", "application/atom+xml"):
        answer = await client.get("Document", headers={"accept": accept})
        assert answer.headers["content-type"].startswith("application/atom+xml")
        assert "<d:ChangedAt>2026-11-02T08:41:03.4339560Z</d:ChangedAt>" in answer.text
        assert '<d:CreatedOn m:null="true"/>' in answer.text
    answer = await client.get("Document('9')", headers={"accept": "*/*"})
    assert "<d:CreatedOn>2026-11-01T00:00:00</d:CreatedOn>" in answer.text
    assert (await client.get("Document?$format=json", headers={"accept": "*/*"})).json()["d"]
    answer = await client.get("Document('9')/Text?$format=xml")
    assert "<d:Text>O'Ring 50 %</d:Text>" in answer.text


async def test_sub_millisecond_instants_are_cut_on_the_wire(make: Make, connect: Connect) -> None:
    data = {"Document": [{"Number": "1", "ChangedAt": datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)}]}
    async with connect(make(data)) as client:
        assert (await read(client, "Document('1')"))["ChangedAt"] == "/Date(-1+0000)/"
