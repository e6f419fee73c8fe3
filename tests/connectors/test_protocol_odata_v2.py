"""OData V2 as SAP speaks it: what its refusals mean, which language is asked for, and what an expansion is."""

import json
from urllib.parse import parse_qs

import pytest

from connectors.errors import BadAnswer, NoSuchRecords, PermissionDenied, Rejected, Trouble
from connectors.protocols.odata_v2 import ODataV2
from connectors.query import Answer, Read

PROTOCOL = ODataV2()


def refused(status: int, code: str, **headers: str) -> Trouble | None:
    error = {"error": {"code": code, "message": {"lang": "en", "value": "No."}}}
    return PROTOCOL.trouble(Answer(status, headers, json.dumps(error).encode()))


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (403, "/IWFND/MED/170", NoSuchRecords),
        (403, "/IWFND/CM_CONSUMER/101", PermissionDenied),
        (404, "/IWBEP/CM_MGW_RT/020", Rejected),
        (404, "/IWFND/MED/170", Rejected),
    ],
)
def test_a_service_that_is_not_active_is_no_matter_of_rights(status: int, code: str, meaning: type[Trouble]) -> None:
    trouble = refused(status, code)
    assert type(trouble) is meaning
    assert trouble.upstream is not None
    assert (trouble.upstream.status, trouble.upstream.code) == (status, code)


def test_a_refusal_that_asks_for_a_token_is_none_either() -> None:
    assert type(refused(403, "", **{"x-csrf-token": "Required"})) is BadAnswer


@pytest.mark.parametrize(("options", "language"), [({}, "EN"), ({"sap-language": "DE"}, "DE")])
def test_english_is_asked_for_unless_the_connection_names_a_language(options: dict[str, str], language: str) -> None:
    request = PROTOCOL.request(Read("Rows", frozenset({"Key"})), options)
    assert parse_qs(request.query)["sap-language"] == [language]


@pytest.mark.parametrize(
    ("found", "rows"),
    [
        ({"results": [{"Key": "1"}]}, [{"Key": "1"}]),
        ({"results": []}, []),
        ({"Key": "1"}, [{"Key": "1"}]),
        ({"__deferred": {"uri": "x"}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_an_expansion_leads_to_many_rows_or_to_one(found: object, rows: object) -> None:
    assert PROTOCOL.children("to_Rows")({"to_Rows": found}) == rows
