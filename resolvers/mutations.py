"""The mutations on connections, customers and keys; the process behind the graph carries them out."""

from typing import Annotated, Any

import strawberry

from resolvers.ports import Context
from schema.administration import (
    ConnectSystemInput,
    ConnectSystemPayload,
    CreateApiKeyInput,
    CreateApiKeyPayload,
    CreateCustomerInput,
    CreateCustomerPayload,
    DisconnectSystemInput,
    DisconnectSystemPayload,
    RevokeApiKeyInput,
    RevokeApiKeyPayload,
    UpdateConnectionSettingsInput,
    UpdateConnectionSettingsPayload,
)

_WHAT_TO_DO = strawberry.argument(description="What to do.")


@strawberry.type(description="What can be changed.")
class Mutation:
    """What can be changed."""

    @strawberry.mutation(description="Connect a system, after a live check of its credentials.")
    async def connect_system(
        self, info: strawberry.Info[Context, Any], input: Annotated[ConnectSystemInput, _WHAT_TO_DO]
    ) -> ConnectSystemPayload | None:
        """Connect a system."""
        payload: ConnectSystemPayload = await info.context.administration.connect_system(input)
        return payload

    @strawberry.mutation(description="Change a connection's name or settings.")
    async def update_connection_settings(
        self, info: strawberry.Info[Context, Any], input: Annotated[UpdateConnectionSettingsInput, _WHAT_TO_DO]
    ) -> UpdateConnectionSettingsPayload | None:
        """Change a connection."""
        payload: UpdateConnectionSettingsPayload = await info.context.administration.update_connection_settings(input)
        return payload

    @strawberry.mutation(description="End a connection and its token.")
    async def disconnect_system(
        self, info: strawberry.Info[Context, Any], input: Annotated[DisconnectSystemInput, _WHAT_TO_DO]
    ) -> DisconnectSystemPayload | None:
        """End a connection."""
        payload: DisconnectSystemPayload = await info.context.administration.disconnect_system(
            input.id, input.reason or None
        )
        return payload

    @strawberry.mutation(description="Add a customer.")
    async def create_customer(
        self, info: strawberry.Info[Context, Any], input: Annotated[CreateCustomerInput, _WHAT_TO_DO]
    ) -> CreateCustomerPayload | None:
        """Add a customer."""
        payload: CreateCustomerPayload = await info.context.administration.create_customer(input)
        return payload

    @strawberry.mutation(description="Make a key for everything, for a customer or for a connection.")
    async def create_api_key(
        self, info: strawberry.Info[Context, Any], input: Annotated[CreateApiKeyInput, _WHAT_TO_DO]
    ) -> CreateApiKeyPayload | None:
        """Make a key."""
        payload: CreateApiKeyPayload = await info.context.administration.create_api_key(input)
        return payload

    @strawberry.mutation(description="Make a key invalid at once.")
    async def revoke_api_key(
        self, info: strawberry.Info[Context, Any], input: Annotated[RevokeApiKeyInput, _WHAT_TO_DO]
    ) -> RevokeApiKeyPayload | None:
        """Make a key invalid."""
        payload: RevokeApiKeyPayload = await info.context.administration.revoke_api_key(input.id)
        return payload
