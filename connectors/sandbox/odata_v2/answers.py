"""Answers as SAP Gateway writes them: JSON where it was asked for, else Atom; errors; the pages of the server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

from starlette.responses import HTMLResponse, Response

from connectors.sandbox.odata_v2 import refusals
from connectors.sandbox.odata_v2.reading import entity_address
from connectors.sandbox.odata_v2.refusals import ODataRefusal
from connectors.sandbox.odata_v2.service import EntitySet, Property, Row, Service
from connectors.sandbox.odata_v2.values import etag, instant_text, to_json, value_of

NAMESPACES = (
    'xmlns="http://www.w3.org/2005/Atom" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
    ' xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"'
)
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'


def wants_json(options: Mapping[str, str], accept: str) -> bool:
    """Whether the caller asked for JSON: by $format, else by Accept. Without a word the answer is Atom."""
    asked = options.get("$format")
    if asked is not None:
        if asked not in ("json", "atom", "xml"):
            raise refusals.not_acceptable()
        return asked == "json"
    if "application/json" in accept:
        return True
    if accept and "*/*" not in accept and "xml" not in accept:
        raise refusals.not_acceptable()
    return False


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Write an answer in JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, {"dataserviceversion": "2.0", **(headers or {})}, "application/json")


def xml_answer(content: str, status: int = 200, kind: str = "application/xml") -> Response:
    """Write an answer in XML."""
    return Response(content.encode(), status, {"dataserviceversion": "2.0"}, f"{kind};charset=utf-8")


def page_answer(status: int, title: str, detail: str) -> Response:
    """Write an HTML page, as the web server in front of the services does."""
    return HTMLResponse(
        f"<html><head><title>{title}</title></head><body><h1>{status} {title}</h1><p>{detail}</p></body></html>",
        status,
    )


def unauthorized_answer(system: str) -> Response:
    """Answer a missing or wrong password; `system` is system and client, such as S4H/100."""
    answer = page_answer(401, "Logon failed", "You are not logged on to the system.")
    answer.headers["www-authenticate"] = f'Basic realm="SAP NetWeaver Application Server [{system}]"'
    return answer


def error_answer(refusal: ODataRefusal, *, as_json: bool, service: Service | None, now: datetime) -> Response:
    """Write a refusal with everything that the real system puts around it."""
    detail = {
        "code": refusal.code,
        "message": refusal.message,
        "propertyref": "",
        "severity": "error",
        "target": "",
    }
    inner = {
        "application": {
            "component_id": "",
            "service_namespace": "/SAP/",
            "service_id": service.name if service else "",
            "service_version": service.version if service else "",
        },
        "transactionid": uuid4().hex.upper(),
        "timestamp": f"{now:%Y%m%d%H%M%S.%f}0",
        "Error_Resolution": {"SAP_Transaction": "Run transaction /IWFND/ERROR_LOG for details"},
        "errordetails": [detail],
    }
    if as_json:
        message = {"lang": "en", "value": refusal.message}
        error = {"code": refusal.code, "message": message, "innererror": inner}
        return json_answer({"error": error}, refusal.status)
    return xml_answer(
        f'{DECLARATION}<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
        f"<code>{escape(refusal.code)}</code>"
        f'<message xml:lang="en">{escape(refusal.message)}</message></error>',
        refusal.status,
    )


def feed(entity_set: EntitySet, rows: Sequence[Row], root: str) -> str:
    """Write a collection as Atom, without links and without what was expanded."""
    entries = "".join(entry(entity_set, row, root) for row in rows)
    return (
        f"{DECLARATION}<feed xml:base={quoteattr(root + '/')} {NAMESPACES}>"
        f'<id>{escape(root)}/{entity_set.name}</id><title type="text">{entity_set.name}</title>{entries}</feed>'
    )


def entry(entity_set: EntitySet, row: Row, root: str, namespaces: str = "") -> str:
    """Write one entity as Atom."""
    tag = etag(entity_set, row)
    marks = f" m:etag={quoteattr(tag)}" if tag else ""
    address = escape(entity_address(entity_set, row, root))
    properties = "".join(element(prop, row) for prop in entity_set.properties.values())
    return (
        f"<entry {namespaces}{marks}><id>{address}</id>"
        f'<category term="{entity_set.namespace}.{entity_set.type}"/>'
        f'<content type="application/xml"><m:properties>{properties}</m:properties></content></entry>'
    )


def element(prop: Property, row: Row) -> str:
    """Write one property as an XML element."""
    value = value_of(prop, row)
    if value is None:
        return f'<d:{prop.name} m:null="true"/>'
    match prop.type:
        case "Edm.DateTime":
            text = f"{value.isoformat()[:10]}T00:00:00"
        case "Edm.DateTimeOffset":
            text = instant_text(prop, value)
        case "Edm.Boolean":
            text = "true" if value else "false"
        case _:
            text = str(to_json(prop, row))
    return f"<d:{prop.name}>{escape(text)}</d:{prop.name}>"


def next_link(address: str, query_string: str, token: int, next_token: int) -> str:
    """Return the link to the next page: the query as it came, the former token encoded, the new one behind."""
    parts = [part for part in query_string.split("&") if part and not part.startswith(("$skiptoken=", "%24skiptoken="))]
    parts += [f"%24skiptoken={token}"] if token else []
    return f"{address}?{'&'.join([*parts, f'$skiptoken={next_token}'])}"
