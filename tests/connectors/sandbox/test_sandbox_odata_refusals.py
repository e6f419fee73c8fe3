"""What the services refuse, with the status, the code and the body of the real system."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.sandbox.odata_v2 import ODataV2Sandbox, read_services

Make = Callable[..., ODataV2Sandbox]
Connect = Callable[..., httpx.AsyncClient]
MALFORMED = "005056A509B11ED1B9BF94F386DD82E6"
NO_SEGMENT = "005056A509B11EE1B9A8FEC11C21D78E"
NO_OPTION = "/IWBEP/CM_MGW_RT/022"


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - the sandbox wrote it


async def refused(client: httpx.AsyncClient, path: str) -> tuple[int, str, str]:
    answer = await client.get(path)
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]["value"]


async def test_an_error_as_it_is_written(client: httpx.AsyncClient) -> None:
    answer = await client.get("Document('404')")
    error = answer.json()["error"]
    message = "Resource not found for segment 'DocumentType'"
    assert answer.status_code == 404
    assert error["code"] == "/IWBEP/CM_MGW_RT/020"
    assert error["message"] == {"lang": "en", "value": message}
    assert error["innererror"]["application"] == {
        "component_id": "",
        "service_namespace": "/SAP/",
        "service_id": "API_TEST_SRV",
        "service_version": "0001",
    }
    assert error["innererror"]["timestamp"] == "20261120120000.0000000"
    assert error["innererror"]["errordetails"] == [
        {
            "code": "/IWBEP/CM_MGW_RT/020",
            "message": message,
            "propertyref": "",
            "severity": "error",
            "target": "",
        }
    ]


async def test_an_error_is_xml_unless_json_was_asked_for(client: httpx.AsyncClient) -> None:
    answer = await client.get("Document('404')", headers={"accept": "*/*"})
    assert answer.headers["content-type"].startswith("application/xml")
    assert parsed(answer.text)[0].text == "/IWBEP/CM_MGW_RT/020"
    answer = await client.get("Document('404')?$format=json", headers={"accept": "*/*"})
    assert answer.json()["error"]["code"] == "/IWBEP/CM_MGW_RT/020"


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("Nothing", NO_SEGMENT, "Resource not found for the segment 'Nothing'."),
        ("Document('9')/to_Nothing", NO_SEGMENT, "Resource not found for the segment 'to_Nothing'."),
        ("Document/to_Line", NO_SEGMENT, "Resource not found for the segment 'to_Line'."),
        ("Document('9')/to_Line/to_Share", NO_SEGMENT, "Resource not found for the segment 'to_Share'."),
        ("Document?$select=Nothing", NO_SEGMENT, "Resource not found for the segment 'Nothing'."),
        ("Document?$select=Text/More", NO_SEGMENT, "Resource not found for the segment 'Text'."),
        ("Document?$expand=Text", NO_SEGMENT, "Resource not found for the segment 'Text'."),
        ("Document?$expand=to_Line/to_X", NO_SEGMENT, "Resource not found for the segment 'to_X'."),
        (
            "Document?$select=to_Line/Nothing&$expand=to_Line",
            NO_SEGMENT,
            "Resource not found for the segment 'Nothing'.",
        ),
        (
            "Line(Document='9',Position='20')",
            "/IWBEP/CM_MGW_RT/020",
            "Resource not found for segment 'LineType'",
        ),
        (
            "Document('9')/to_Line(Document='10',Position='10')",
            "/IWBEP/CM_MGW_RT/020",
            "Resource not found for segment 'LineType'",
        ),
        ("Document('404')/to_Line", "/IWBEP/CM_MGW_RT/020", "Resource not found for segment 'DocumentType'"),
    ],
)
async def test_what_is_not_there(client: httpx.AsyncClient, path: str, code: str, message: str) -> None:
    assert await refused(client, path) == (404, code, message)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("Document(9)", MALFORMED),
        ("Document()", MALFORMED),
        ("Document(Other='9')", MALFORMED),
        ("Line('9')", MALFORMED),
        ("Line(Document='9')", MALFORMED),
        ("Line(Document='9',Document='9',Position='10')", MALFORMED),
        ("Line(Document='9',Position=10)", MALFORMED),
        ("Document?$select=", MALFORMED),
        ("Document?$expand=to_Line,", MALFORMED),
        ("Document?$search=pump", NO_OPTION),
        ("Document?$count=true", NO_OPTION),
        ("Document?$apply=x", NO_OPTION),
        ("Document?$top=1&$top=2", NO_OPTION),
        ("Document('9')?$top=1", NO_OPTION),
        ("Document('9')?$filter=Text eq 'a'", NO_OPTION),
        ("Document/$count?$select=Text", NO_OPTION),
        ("?$select=Text", NO_OPTION),
        ("Document?$orderby=Secret", NO_OPTION),
        ("Document?$filter=Secret eq 'a'", NO_OPTION),
        ("Document?$orderby=Nothing", "005056A509B11EE1B9A8FEA8DE87F78E"),
        ("Document?$orderby=Text up", "005056A509B11EE1B9A8FEC11C23378E"),
        ("Document?$orderby=Text DESC", "005056A509B11EE1B9A8FEC11C23378E"),
        ("Document?$top=-1", "005056A509B11EE1B9A8FEC11C23378E"),
        ("Document?$top=ten", "005056A509B11EE1B9A8FEC11C23378E"),
        ("Document?$skip=", "005056A509B11EE1B9A8FEC11C23378E"),
        ("Document?$skiptoken=abc", "005056A509B11EE1B9A8FEC11C23378E"),
        ("Document?$inlinecount=true", "005056A509B11EE1B9A8FEC11C23378E"),
        ("Document?$select=to_Line/Material", "005056A509B11EE1B9A8FEC11C23378E"),
    ],
)
async def test_what_cannot_be_understood(client: httpx.AsyncClient, path: str, code: str) -> None:
    status, found, _ = await refused(client, path)
    assert (status, found) == (400, code)


async def test_a_format_that_is_not_spoken(client: httpx.AsyncClient) -> None:
    assert (await client.get("Document?$format=csv")).status_code == 406
    assert (await client.get("Document", headers={"accept": "text/csv"})).status_code == 406
    assert (await client.get("$metadata")).status_code == 406


async def test_an_unknown_service_is_forbidden(client: httpx.AsyncClient, service_root: str) -> None:
    status, code, message = await refused(client, service_root.replace("API_TEST_SRV", "API_OTHER_SRV/Set"))
    assert (status, code) == (403, "/IWFND/MED/170")
    assert message == "No service found for namespace '', name 'API_OTHER_SRV', version '0001'"
    assert (await client.get("http://plant.example/elsewhere")).status_code == 403


async def test_a_service_without_the_right(make: Make, connect: Connect) -> None:
    sandbox = make(users={"reader": "right", "other": "right"}, allowed={"reader": ()})
    async with connect(sandbox) as client:
        status, code, message = await refused(client, "Document")
    async with connect(sandbox, auth=("other", "right")) as client:
        assert (await client.get("Document")).status_code == 200
    assert (status, code) == (403, "/IWFND/CM_CONSUMER/101")
    assert message == "No authorization to access Service 'API_TEST_SRV_0001'"


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        (None, {}),
        (("reader", "wrong"), {}),
        (("nobody", "right"), {}),
        (None, {"authorization": "Basic %%%"}),
        (None, {"authorization": "Basic /w=="}),
        (None, {"authorization": "Basic cmVhZ!GVyOnJpZ2h0"}),
        (None, {"authorization": "Bearer cmVhZGVyOnJpZ2h0"}),
    ],
)
async def test_without_credentials_there_is_a_page(
    application: ODataV2Sandbox, connect: Connect, auth: Any, headers: dict[str, str]
) -> None:
    async with connect(application, auth=auth, headers=headers) as client:
        answer = await client.get("Document")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="SAP NetWeaver Application Server [S4H/100]"'
    assert answer.headers["content-type"].startswith("text/html")
    assert "Logon failed" in answer.text


async def test_users_change_while_it_runs(application: ODataV2Sandbox, client: httpx.AsyncClient) -> None:
    application.users["reader"] = "new"
    assert (await client.get("Document")).status_code == 401
    assert (await client.get("Document", auth=("reader", "new"))).status_code == 200
    application.reset()
    assert (await client.get("Document")).status_code == 200


async def test_an_endless_query(make: Make, connect: Connect) -> None:
    async with connect(make(maximum_query_length=100)) as client:
        assert (await client.get(f"Document?x={'y' * 98}")).status_code == 200
        assert (await client.get(f"Document?x={'y' * 99}")).status_code == 414


async def test_metadata_tells_the_facts(client: httpx.AsyncClient) -> None:
    answer = await client.get("$metadata", headers={"accept": "application/xml"})
    schema = parsed(answer.text)[0][0]
    edm = "{http://schemas.microsoft.com/ado/2008/09/edm}"
    sap = "{http://www.sap.com/Protocols/SAPData}"
    types = {each.get("Name"): each for each in schema.iter(f"{edm}EntityType")}
    properties = {each.get("Name"): each for each in types["DocumentType"].iter(f"{edm}Property")}
    assert [each.get("Name") for each in types["LineType"].iter(f"{edm}PropertyRef")] == [
        "Document",
        "Position",
    ]
    assert properties["Amount"].attrib == {
        "Name": "Amount",
        "Type": "Edm.Decimal",
        "Precision": "12",
        "Scale": "3",
        f"{sap}unit": "Currency",
    }
    assert properties["Secret"].get(f"{sap}filterable") == "false"
    assert properties["ChangedAt"].get("ConcurrencyMode") == "Fixed"
    sets = {each.get("Name"): each for each in schema.iter(f"{edm}EntitySet")}
    assert sets["Share"].get(f"{sap}creatable") == "false"
    ends = {each.get("Name"): [end.get("Multiplicity") for end in each] for each in schema.iter(f"{edm}Association")}
    assert ends["assoc_Document_to_Line"] == ["1", "*"]
    assert ends["assoc_Line_to_Document"] == ["1", "0..1"]


async def test_the_service_document(client: httpx.AsyncClient) -> None:
    assert (await client.get("")).json() == {"d": {"EntitySets": ["Document", "Line", "Share"]}}
    assert 'href="Share"' in (await client.get("", headers={"accept": "*/*"})).text


def test_facts_that_contradict_themselves_are_refused_as_a_whole(facts: dict[str, Any]) -> None:
    broken: dict[str, Any] = {
        "services": {
            "A": {
                "entitySets": {
                    "One": {
                        "type": "OneType",
                        "key": ["Missing"],
                        "navigation": {
                            "to_Two": {"to": "Two", "many": True, "on": {}},
                            "to_One": {"to": "One", "many": True, "on": {"Here": "There"}},
                        },
                        "properties": {"Only": {"type": "Edm.String"}},
                    }
                }
            },
            "B": facts["services"]["API_TEST_SRV"],
            "C": facts["services"]["API_TEST_SRV"],
        }
    }
    with pytest.raises(ValueError, match="facts contradict themselves") as caught:
        read_services(broken)
    assert str(caught.value).splitlines()[1:] == [
        "One: no property Missing",
        "One.to_Two: no entity set Two",
        "One.to_One: no property Here",
        "One.to_One: One has no property There",
        "Document: in two services",
        "Line: in two services",
        "Share: in two services",
    ]
