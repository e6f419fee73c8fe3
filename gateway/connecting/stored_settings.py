"""The settings of a connection as they are stored, and what the rest of the product makes of them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from connectors.effective import AddedField, AddedObject, EffectiveSystem
from connectors.protocols.shapes import Form, FoundField, Shape
from connectors.spec import System
from schema.custom import CustomFieldType
from schema.model import EntityType
from schema.scalars import JSON
from schema.settings import ConnectionSettings, CustomFieldSetting, CustomObjectSetting, TlsSettings

_FORMAT = 1
"""The version of what is stored of an object's shape; one that is not known is as if nothing had been found out."""


def effective_system(system: System, settings: Mapping[str, Any]) -> EffectiveSystem:
    """The system with what the settings of a connection add to it."""
    return EffectiveSystem(system, tuple(_fields(settings)), tuple(_objects(settings)))


def described_settings(settings: Mapping[str, Any]) -> ConnectionSettings:
    """The settings as clients see them; what was not set is as it is by default."""
    return ConnectionSettings(
        max_age_seconds=settings.get("maxAgeSeconds") or 0,
        stale_on_error=settings.get("staleOnError") or False,
        own_timeout_ms=settings.get("timeoutMs"),
        options=cast(JSON, dict(settings.get("options") or {})),
        custom_fields=[
            CustomFieldSetting(entity=item.entity, key=item.key, path=item.path, label=item.label, type=item.type)
            for item in _fields(settings)
        ],
        custom_objects=[
            CustomObjectSetting(object=item.object, source=item.source, label=item.label, fields=list(item.fields))
            for item in _objects(settings)
        ],
        proxy_url=settings.get("proxyUrl"),
        tls=_described_tls(settings.get("tls") or {}),
        header_names=list(settings.get("headerNames") or ()),
    )


def _described_tls(stored: Mapping[str, Any]) -> TlsSettings:
    return TlsSettings(
        has_certificate_authority="certificateAuthority" in stored,
        has_client_certificate="clientCertificate" in stored,
        client_certificate_expires_at=certificate_expiry(stored),
        server_name=stored.get("serverName"),
    )


def certificate_expiry(stored: Mapping[str, Any]) -> datetime | None:
    """When the client certificate among stored settings of TLS expires."""
    expires_at = stored.get("clientCertificateExpiresAt")
    return None if expires_at is None else datetime.fromisoformat(expires_at)


def write_field(added: AddedField) -> dict[str, Any]:
    """A field as it is stored."""
    return {
        "entity": added.entity.name,
        "key": added.key,
        "path": added.path,
        "type": added.type.name,
        "label": added.label,
        "sources": list(added.sources),
    }


def _fields(settings: Mapping[str, Any]) -> Iterable[AddedField]:
    for stored in settings.get("customFields") or ():
        yield AddedField(
            EntityType[stored["entity"]],
            stored["key"],
            stored["path"],
            CustomFieldType[stored["type"]],
            stored["label"],
            tuple(stored["sources"]),
        )


def write_object(added: AddedObject) -> dict[str, Any]:
    """An object as it is stored, with what was found out about it."""
    found = {name: asdict(item) | {"form": item.form.name} for name, item in added.shape.fields.items()}
    return {
        "format": _FORMAT,
        "object": added.object,
        "source": added.source,
        "label": added.label,
        "fields": list(added.fields),
        "behindLinks": {path: kind.name for path, kind in added.behind_links.items()},
        "shape": {"key": list(added.shape.key), "title": added.shape.title, "fields": found},
    }


def _objects(settings: Mapping[str, Any]) -> Iterable[AddedObject]:
    for stored in settings.get("customObjects") or ():
        if stored["format"] == _FORMAT:
            yield AddedObject(
                stored["object"],
                stored["source"],
                _shape(stored["shape"]),
                tuple(stored["fields"]),
                stored["label"],
                {path: CustomFieldType[kind] for path, kind in stored["behindLinks"].items()},
            )


def _shape(stored: Mapping[str, Any]) -> Shape:
    found = {name: FoundField(**item | {"form": Form[item["form"]]}) for name, item in stored["fields"].items()}
    return Shape(tuple(stored["key"]), found, stored["title"])
