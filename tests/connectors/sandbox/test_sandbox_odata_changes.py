"""Writes: tokens, conditions, what is kept, what is ignored and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.sandbox.odata_v2 import ODataV2Sandbox

Make = Callable[..., ODataV2Sandbox]
Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def writer(application: ODataV2Sandbox, connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(application) as client:
        token = (await client.get("", headers={"x-csrf-token": "Fetch"})).headers["x-csrf-token"]
        client.headers["x-csrf-token"] = token
        yield client


async def tag_of(client: httpx.AsyncClient, path: str) -> str:
    return str((await client.get(path)).json()["d"]["__metadata"]["etag"])


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["message"]["value"]


@pytest.mark.parametrize("method", ["POST", "PATCH", "MERGE", "PUT", "DELETE"])
async def test_a_write_needs_a_token(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "Document('9')")
    assert (answer.status_code, answer.text) == (403, "CSRF token validation failed")
    assert answer.headers["x-csrf-token"] == "Required"


async def test_a_token_belongs_to_cookie_and_user(
    application: ODataV2Sandbox, connect: Connect, writer: httpx.AsyncClient
) -> None:
    token = writer.headers["x-csrf-token"]
    application.users["other"] = "right"
    async with connect(application) as stranger:
        answer = await stranger.post("Document", headers={"x-csrf-token": token}, json={})
        assert answer.status_code == 403
    cookies = dict(writer.cookies)
    assert set(cookies) == {"SAP_SESSIONID_S4H_100", "sap-usercontext"}
    async with connect(application, auth=("other", "right"), cookies=cookies) as other:
        answer = await other.post("Document", headers={"x-csrf-token": token}, json={})
        assert answer.status_code == 403
        answer = await other.get("", headers={"x-csrf-token": "fetch"})
        assert answer.headers["x-csrf-token"] != token
    async with connect(application, cookies=cookies) as same:
        again = await same.get("", headers={"x-csrf-token": "fetch"})
        assert again.headers["x-csrf-token"] == token
    application.reset()
    assert (await writer.post("Document", json={})).status_code == 403


async def test_old_sessions_are_forgotten(application: ODataV2Sandbox, connect: Connect) -> None:
    async with connect(application) as client:
        for _ in range(120):
            await client.get("", headers={"x-csrf-token": "Fetch"})
            client.cookies.clear()
    assert len(application.sessions) == 100


async def test_a_change(application: ODataV2Sandbox, writer: httpx.AsyncClient) -> None:
    tag = await tag_of(writer, "Document('9')")
    body = {"Text": "new", "Weight": "2.5", "CreatedOn": "/Date(1796083200000)/", "At": "PT06H00M00S"}
    answer = await writer.patch("Document('9')", json=body, headers={"if-match": tag})
    assert (answer.status_code, answer.content) == (204, b"")
    row = (await writer.get("Document('9')")).json()["d"]
    assert {name: row[name] for name in body} == {**body, "Weight": "2.500"}
    assert row["ChangedAt"] == "/Date(1795176000000+0000)/"
    assert row["__metadata"]["etag"] != tag
    stored = application.data["Document"][0]
    assert (stored["Weight"], stored["CreatedOn"]) == (Decimal("2.5"), date(2026, 12, 1))


async def test_each_change_makes_a_new_etag(writer: httpx.AsyncClient) -> None:
    tags = set()
    for text in ("a", "b", "c"):
        await writer.patch("Document('9')", json={"Text": text}, headers={"if-match": "*"})
        tags.add(await tag_of(writer, "Document('9')"))
    assert len(tags) == 3


async def test_a_change_needs_the_current_etag(writer: httpx.AsyncClient) -> None:
    answer = await writer.patch("Document('9')", json={"Text": "new"})
    assert told(answer) == (
        428,
        'The Data Service Request is required to be conditional. Try using the "If-Match" header.',
    )
    answer = await writer.patch("Document('9')", json={"Text": "new"}, headers={"if-match": 'W/"old"'})
    assert answer.status_code == 412
    assert (await writer.delete("Document('9')")).status_code == 428
    assert (await writer.get("Document('9')")).json()["d"]["Text"] == "O'Ring 50 %"


async def test_a_set_without_etag_needs_none_and_touches_its_parent(writer: httpx.AsyncClient) -> None:
    before = await tag_of(writer, "Document('9')")
    answer = await writer.patch("Line(Document='9',Position='10')", json={"Material": "NEW"})
    assert answer.status_code == 204
    assert await tag_of(writer, "Document('9')") != before


async def test_what_cannot_be_updated_is_ignored(writer: httpx.AsyncClient) -> None:
    body = {"Number": "77", "State": "08", "Deleted": "L", "Text": "new"}
    answer = await writer.patch("Document('9')", json={"d": body}, headers={"if-match": "*"})
    assert answer.status_code == 204
    row = (await writer.get("Document('9')")).json()["d"]
    assert (row["Number"], row["State"], row["Deleted"], row["Text"]) == ("9", "02", "", "new")


async def test_put_resets_what_it_does_not_name(writer: httpx.AsyncClient) -> None:
    await writer.put("Document('9')", json={"Text": "new"}, headers={"if-match": "*"})
    row = (await writer.get("Document('9')")).json()["d"]
    assert (row["Text"], row["Weight"], row["CreatedOn"], row["State"]) == ("new", "0.000", None, "02")


async def test_methods_may_be_tunnelled(writer: httpx.AsyncClient) -> None:
    headers = {"x-http-method": "MERGE", "if-match": "*"}
    assert (await writer.post("Document('9')", json={"Text": "m"}, headers=headers)).status_code == 204
    assert (await writer.get("Document('9')")).json()["d"]["Text"] == "m"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"Missing": "x"}, "Property 'Missing' is invalid"),
        ({"to_Line": []}, "Property 'to_Line' is invalid"),
        ({"Text": "x" * 41}, f"Property 'Text' has invalid value '{'x' * 41}'"),
        ({"Text": 1}, "Property 'Text' has invalid value '1'"),
        ({"Weight": 2.5}, "Property 'Weight' has invalid value '2.5'"),
        ({"Weight": 2}, "Property 'Weight' has invalid value '2'"),
        ({"Weight": "2.5555"}, "Property 'Weight' has invalid value '2.5555'"),
        ({"Weight": "12345678901"}, "Property 'Weight' has invalid value '12345678901'"),
        ({"Weight": "NaN"}, "Property 'Weight' has invalid value 'NaN'"),
        ({"Weight": "two"}, "Property 'Weight' has invalid value 'two'"),
        ({"Open": "true"}, "Property 'Open' has invalid value 'true'"),
        ({"Open": 1}, "Property 'Open' has invalid value '1'"),
        ({"Copies": "1"}, "Property 'Copies' has invalid value '1'"),
        ({"Copies": True}, "Property 'Copies' has invalid value 'True'"),
        ({"CreatedOn": "2026-01-01"}, "Property 'CreatedOn' has invalid value '2026-01-01'"),
        ({"At": "12:30"}, "Property 'At' has invalid value '12:30'"),
        ({"Guid": "no"}, "Property 'Guid' has invalid value 'no'"),
    ],
)
async def test_values_that_do_not_fit(writer: httpx.AsyncClient, body: Any, message: str) -> None:
    answer = await writer.patch("Document('9')", json=body, headers={"if-match": "*"})
    assert told(answer) == (400, message)


async def test_bodies_that_cannot_be_read(writer: httpx.AsyncClient) -> None:
    kind = {"content-type": "application/json"}
    assert (await writer.post("Document", content=b"{", headers=kind)).status_code == 400
    assert (await writer.post("Document", content=b"[]", headers=kind)).status_code == 400
    kind = {"content-type": "application/atom+xml"}
    assert (await writer.post("Document", content=b"<entry/>", headers=kind)).status_code == 415


@pytest.mark.parametrize("option", ["$format=json", "$select=Text", "$expand=to_Line"])
async def test_a_write_takes_no_system_options(writer: httpx.AsyncClient, option: str) -> None:
    answer = await writer.post(f"Document?{option}", json={"Text": "x"})
    assert told(answer)[0] == 400
    assert "SystemQueryOptions that are not allowed" in told(answer)[1]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("POST", "$batch"),
        ("POST", "Document('9')"),
        ("POST", "Share"),
        ("PATCH", "Document"),
        ("PATCH", "Document('9')/Text"),
        ("PATCH", "Share(Paper='9',Row='10',Share='1')"),
        ("DELETE", "Document"),
        ("DELETE", "Share(Paper='9',Row='10',Share='1')"),
        ("OPTIONS", "Document"),
    ],
)
async def test_methods_that_do_not_go_there(writer: httpx.AsyncClient, method: str, path: str) -> None:
    assert (await writer.request(method, path, json={})).status_code == 405


async def test_create_with_everything_inside(
    application: ODataV2Sandbox, writer: httpx.AsyncClient, service_root: str
) -> None:
    body = {
        "Text": "created",
        "Currency": "EUR",
        "State": "99",
        "CreatedOn": "2020-01-01T00:00:00",
        "to_Line": {"results": [{"Material": "A", "Price": "1.50"}, {"Material": "B"}]},
    }
    answer = await writer.post("Document", json=body)
    assert answer.status_code == 201
    row = answer.json()["d"]
    assert answer.headers["location"] == row["__metadata"]["uri"] == f"{service_root}/Document('100')"
    assert answer.headers["etag"] == row["__metadata"]["etag"]
    assert (row["Number"], row["State"], row["CreatedBy"]) == ("100", "02", "READER")
    assert (row["CreatedOn"], row["ChangedAt"]) == ("/Date(1795132800000)/", "/Date(1795176000000+0000)/")
    lines = (await writer.get("Document('100')/to_Line?$orderby=Position")).json()["d"]["results"]
    assert [(line["Position"], line["Material"], line["Price"]) for line in lines] == [
        ("10", "A", "1.50"),
        ("20", "B", "0.00"),
    ]
    assert lines[0]["Currency"] == "EUR"
    assert len(application.data["Line"]) == 5


async def test_create_below_a_parent(writer: httpx.AsyncClient) -> None:
    answer = await writer.post("Document('9')/to_Line", json={"Material": "NEXT"})
    assert (answer.status_code, answer.json()["d"]["Position"]) == (201, "110")
    answer = await writer.post("Line", json={"Document": "10", "Position": "50"})
    assert answer.status_code == 201
    answer = await writer.post("Line", json={"Document": "404"})
    assert told(answer) == (404, "Resource not found for segment 'DocumentType'")


async def test_create_all_or_nothing(application: ODataV2Sandbox, writer: httpx.AsyncClient) -> None:
    body: dict[str, Any] = {"Text": "x", "to_Line": [{"Material": "A"}, {"Material": "A" * 41}]}
    assert (await writer.post("Document", json=body)).status_code == 400
    body["to_Line"] = [{"Position": "10"}, {"Position": "00010"}]
    assert told(await writer.post("Document", json=body)) == (400, "Line exists already")
    assert told(await writer.post("Document", json={})) == (400, "Enter Text")
    body = {"Text": "x", "Number": "9"}
    assert told(await writer.post("Document", json=body)) == (400, "Document exists already")
    assert (await writer.post("Document", json={"Text": "x", "to_Line": "A"})).status_code == 400
    assert len(application.data["Document"]) == len(application.data["Line"]) == 3


async def test_created_as_atom_if_json_was_not_asked_for(writer: httpx.AsyncClient) -> None:
    answer = await writer.post("Document", json={"Text": "x"}, headers={"accept": "*/*"})
    assert answer.status_code == 201
    assert "<d:Number>100</d:Number>" in answer.text


async def test_delete_marks_where_rows_are_kept(application: ODataV2Sandbox, writer: httpx.AsyncClient) -> None:
    answer = await writer.delete("Line(Document='9',Position='100')")
    assert (answer.status_code, answer.content) == (204, b"")
    assert [line.get("Deleted", "") for line in application.data["Line"]] == ["", "L", ""]
    assert application.data["Document"][0].get("Deleted", "") == ""
    await writer.delete("Document('9')", headers={"if-match": "*"})
    assert [line.get("Deleted", "") for line in application.data["Line"]] == ["L", "L", ""]
    assert (await writer.get("Document('9')")).json()["d"]["Deleted"] == "L"


async def test_a_closed_document_refuses_changes_of_its_parts_too(writer: httpx.AsyncClient) -> None:
    await writer.delete("Document('9')", headers={"if-match": "*"})
    message = "Document 9 is deleted; changes are not possible"
    changed = await writer.patch("Document('9')", json={"Text": "x"}, headers={"if-match": "*"})
    line = await writer.patch("Line(Document='9',Position='10')", json={"Material": "x"})
    created = await writer.post("Document('9')/to_Line", json={"Material": "x"})
    deleted = await writer.delete("Line(Document='9',Position='10')")
    assert {told(answer) for answer in (changed, line, created, deleted)} == {(400, message)}


async def test_delete_removes_where_rows_are_not_kept(
    facts: dict[str, Any], connect: Connect, writer: httpx.AsyncClient
) -> None:
    sets = facts["services"]["API_TEST_SRV"]["entitySets"]
    line = {name: said for name, said in sets["Line"].items() if name != "deletionFlag"}
    service = {**facts["services"]["API_TEST_SRV"], "entitySets": {**sets, "Line": line}}
    data = {"Document": [{"Number": "9"}], "Line": [{"Document": "9", "Position": "10"}]}
    sandbox = ODataV2Sandbox({"services": {"API_TEST_SRV": service}}, data, users={"reader": "right"})
    async with connect(sandbox) as client:
        token = (await client.get("", headers={"x-csrf-token": "Fetch"})).headers["x-csrf-token"]
        path = "Line(Document='9',Position='10')"
        assert (await client.delete(path, headers={"x-csrf-token": token})).status_code == 204
        assert (await client.get(path)).status_code == 404
    assert data["Line"]
