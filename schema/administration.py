"""What the mutations on connections, customers and keys take and give."""

from datetime import datetime

import strawberry

from schema.checks import ConnectionCheck
from schema.connections import ApiKey, ApiKeyKind, ApiKeyScope, ConnectedSystem, Customer, Environment
from schema.errors import MutationError
from schema.model import described_input, described_type
from schema.scalars import JSON
from schema.settings import ConnectionSettingsInput
from schema.systems import Deployment


@strawberry.interface(description="The result of a mutation.")
class MutationPayload:
    """The result of a mutation."""

    errors: list[MutationError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was not."
    )


@described_input
class CredentialInput:
    """One answer to the form of a login."""

    name: str = strawberry.field(description="The field's name.")
    value: str = strawberry.field(description="The answer; files as their text.")


@described_input
class ConnectSystemInput:
    """What is needed to do this: connect a system, after a live check of its credentials."""

    system: str = strawberry.field(description="The system, by key.")
    auth_method: str = strawberry.field(description="The way of logging in, by key.")
    credentials: list[CredentialInput] = strawberry.field(description="What the form has asked for.")
    name: str = strawberry.field(description="A name to show to people.")
    customer_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The customer that it is for; a customer's key need not say."
    )
    deployment: Deployment = strawberry.field(description="Whether the system runs in the cloud or on premises.")
    environment: Environment | None = strawberry.field(
        default=Environment.PRODUCTION, description="Whether it holds real or test data."
    )
    tags: list[str] | None = strawberry.field(default=strawberry.UNSET, description="Words to find it by.")
    metadata: JSON | None = strawberry.field(default=strawberry.UNSET, description="Your own data.")
    settings: ConnectionSettingsInput | None = strawberry.field(
        default=strawberry.UNSET, description="Settings that differ from the defaults."
    )
    dry_run: bool | None = strawberry.field(default=False, description="Only check; keep nothing and take no credits.")


@described_type
class ConnectSystemPayload(MutationPayload):
    """The result of `connectSystem`."""

    connection: ConnectedSystem | None = strawberry.field(
        default=None, description="The connection; null when there is none."
    )
    api_token: str | None = strawberry.field(
        default=None, description="The connection's API token; shown this once only."
    )
    checks: list[ConnectionCheck] = strawberry.field(default_factory=list, description="What was checked.")


@described_input
class UpdateConnectionSettingsInput:
    """What is needed to do this: change a connection's name or settings."""

    id: strawberry.ID = strawberry.field(description="Which connection.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="A name to show to people.")
    tags: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Words to find it by; replaces the present ones."
    )
    metadata: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="Your own data; replaces the present one."
    )
    settings: ConnectionSettingsInput | None = strawberry.field(
        default=strawberry.UNSET, description="Settings to change; others stay."
    )


@described_type
class UpdateConnectionSettingsPayload(MutationPayload):
    """The result of `updateConnectionSettings`."""

    connection: ConnectedSystem | None = strawberry.field(
        default=None, description="The connection; null when there is none."
    )


@described_input
class CreateCustomerInput:
    """What is needed to do this: add a customer."""

    name: str = strawberry.field(description="A name to show to people.")
    external_id: str | None = strawberry.field(default=strawberry.UNSET, description="Your own key for it.")
    metadata: JSON | None = strawberry.field(default=strawberry.UNSET, description="Your own data.")


@described_type
class CreateCustomerPayload(MutationPayload):
    """The result of `createCustomer`."""

    customer: Customer | None = strawberry.field(default=None, description="The customer.")


@described_input
class CreateApiKeyInput:
    """What is needed to do this: make a key for everything, for a customer or for a connection."""

    name: str = strawberry.field(description="A name to show to people.")
    kind: ApiKeyKind = strawberry.field(description="What it reaches.")
    customer_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The customer, for a customer's key."
    )
    connection_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The connection, for a connection's key."
    )
    scopes: list[ApiKeyScope] = strawberry.field(description="What may be done with it.")
    expires_at: datetime | None = strawberry.field(default=strawberry.UNSET, description="When it expires.")


@described_type
class CreateApiKeyPayload(MutationPayload):
    """The result of `createApiKey`."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key.")
    api_token: str | None = strawberry.field(default=None, description="Its secret; shown this once only.")


@described_input
class RevokeApiKeyInput:
    """What is needed to do this: make a key invalid at once."""

    id: strawberry.ID = strawberry.field(description="Which key.")


@described_type
class RevokeApiKeyPayload(MutationPayload):
    """The result of `revokeApiKey`."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key.")
