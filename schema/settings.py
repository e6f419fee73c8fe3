"""The settings of a connection, as they are shown and as they are changed."""

from datetime import datetime
from typing import Any

import strawberry

from schema.custom import CustomFieldType
from schema.model import EntityType, described_input, described_type
from schema.scalars import JSON, URL


@described_type
class CustomFieldSetting:
    """A field that was added to a kind of record."""

    entity: EntityType = strawberry.field(description="The kind of record.")
    key: str = strawberry.field(description="The key that it has in `customFields`.")
    path: str = strawberry.field(description="Where it is in the system.")
    label: str | None = strawberry.field(default=None, description="A name to show to people.")
    type: CustomFieldType = strawberry.field(description="What kind of value it holds.")


@described_type
class CustomObjectSetting:
    """An object or table that was added."""

    object: str = strawberry.field(description="The name to ask for.")
    source: str = strawberry.field(description="The object or table in the system.")
    label: str | None = strawberry.field(default=None, description="A name to show to people.")
    fields: list[str] = strawberry.field(description="The fields that are read by default.")


@described_type
class TlsSettings:
    """What is trusted and shown when connecting over TLS."""

    has_certificate_authority: bool = strawberry.field(
        default=False, description="Whether certificates of a private authority were given."
    )
    has_client_certificate: bool = strawberry.field(
        default=False, description="Whether a client certificate was given."
    )
    client_certificate_expires_at: datetime | None = strawberry.field(
        default=None, description="When the client certificate expires."
    )
    server_name: str | None = strawberry.field(
        default=None, description="The name that the system's certificate must carry, where it is not the host's."
    )


@described_type
class ConnectionSettings:
    """The settings of a connection."""

    max_age_seconds: int = strawberry.field(description="How old answers may be by default.")
    stale_on_error: bool = strawberry.field(description="Whether older answers may stand in.")
    own_timeout_ms: strawberry.Private[int | None]
    options: JSON = strawberry.field(description="What else this kind of system can be set to.")
    custom_fields: list[CustomFieldSetting] = strawberry.field(description="The fields that were added.")
    custom_objects: list[CustomObjectSetting] = strawberry.field(description="The objects that were added.")
    proxy_url: URL | None = strawberry.field(default=None, description="The proxy that calls go through.")
    tls: TlsSettings = strawberry.field(description="What is trusted and shown when connecting over TLS.")
    header_names: list[str] = strawberry.field(description="The names of headers that are added to every call.")

    @strawberry.field(description="How long to wait by default.")
    def timeout_ms(self, info: strawberry.Info[Any, Any]) -> int:
        """The connection's own time, or that of all."""
        return self.own_timeout_ms or int(info.context.limits.timeout_ms)


@described_input
class CustomFieldSettingInput:
    """A field to add to a kind of record."""

    entity: EntityType = strawberry.field(description="The kind of record.")
    key: str = strawberry.field(description="The key that it has in `customFields`.")
    path: str = strawberry.field(description="Where it is in the system.")
    label: str | None = strawberry.field(default=strawberry.UNSET, description="A name to show to people.")
    type: CustomFieldType | None = strawberry.field(
        default=strawberry.UNSET, description="What kind of value it holds; by default as found."
    )


@described_input
class CustomObjectSettingInput:
    """An object or table to add."""

    object: str = strawberry.field(description="The name to ask for.")
    source: str = strawberry.field(description="The object or table in the system.")
    label: str | None = strawberry.field(default=strawberry.UNSET, description="A name to show to people.")
    fields: list[str] | None = strawberry.field(default=strawberry.UNSET, description="The fields to read by default.")


@described_input
class TlsSettingsInput:
    """What is trusted and shown when connecting over TLS."""

    certificate_authority: str | None = strawberry.field(
        default=strawberry.UNSET, description="Certificates of a private authority, as PEM."
    )
    client_certificate: str | None = strawberry.field(
        default=strawberry.UNSET, description="A client certificate, as PEM."
    )
    client_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="The key of the client certificate, as PEM."
    )
    server_name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The name that the system's certificate must carry, where it is not the host's.",
    )


@described_input
class HeaderInput:
    """A header that is added to every call."""

    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its value; never shown again.")


@described_input
class ConnectionSettingsInput:
    """The settings of a connection; what is absent stays."""

    max_age_seconds: int | None = strawberry.field(
        default=strawberry.UNSET, description="How old answers may be by default."
    )
    stale_on_error: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether older answers may stand in."
    )
    timeout_ms: int | None = strawberry.field(default=strawberry.UNSET, description="How long to wait by default.")
    options: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="What else this kind of system can be set to."
    )
    custom_fields: list[CustomFieldSettingInput] | None = strawberry.field(
        default=strawberry.UNSET, description="The fields to add; replaces the present ones."
    )
    custom_objects: list[CustomObjectSettingInput] | None = strawberry.field(
        default=strawberry.UNSET, description="The objects to add; replaces the present ones."
    )
    proxy_url: URL | None = strawberry.field(default=strawberry.UNSET, description="The proxy that calls go through.")
    tls: TlsSettingsInput | None = strawberry.field(
        default=strawberry.UNSET, description="What is trusted and shown when connecting over TLS."
    )
    headers: list[HeaderInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Headers that are added to every call; replaces the present ones."
    )
