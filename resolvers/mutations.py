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
    RevokeApiKeyInput,
    RevokeApiKeyPayload,
    UpdateConnectionSettingsInput,
    UpdateConnectionSettingsPayload,
)
from schema.lifecycle import (
    DeleteConnectionDataInput,
    DeleteConnectionDataPayload,
    DisconnectSystemInput,
    DisconnectSystemPayload,
    PauseConnectionInput,
    PauseConnectionPayload,
    ReconnectSystemInput,
    ReconnectSystemPayload,
    ResumeConnectionInput,
    ResumeConnectionPayload,
    TestConnectionInput,
    TestConnectionPayload,
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

    @strawberry.mutation(description="Give a connection new credentials for the same account, after a live check.")
    async def reconnect_system(
        self, info: strawberry.Info[Context, Any], input: Annotated[ReconnectSystemInput, _WHAT_TO_DO]
    ) -> ReconnectSystemPayload | None:
        """Give a connection new credentials."""
        payload: ReconnectSystemPayload = await info.context.life.reconnect(input)
        return payload

    @strawberry.mutation(description="Check a connection now, one stage after the other.")
    async def test_connection(
        self, info: strawberry.Info[Context, Any], input: Annotated[TestConnectionInput, _WHAT_TO_DO]
    ) -> TestConnectionPayload | None:
        """Check a connection."""
        payload: TestConnectionPayload = await info.context.life.test(input.id)
        return payload

    @strawberry.mutation(description="End a connection; its token is invalid at once.")
    async def disconnect_system(
        self, info: strawberry.Info[Context, Any], input: Annotated[DisconnectSystemInput, _WHAT_TO_DO]
    ) -> DisconnectSystemPayload | None:
        """End a connection."""
        payload: DisconnectSystemPayload = await info.context.life.disconnect(input.id, input.reason or None)
        return payload

    @strawberry.mutation(description="Stop all calls to a system for a while.")
    async def pause_connection(
        self, info: strawberry.Info[Context, Any], input: Annotated[PauseConnectionInput, _WHAT_TO_DO]
    ) -> PauseConnectionPayload | None:
        """Stop the use of a connection."""
        payload: PauseConnectionPayload = await info.context.life.pause(input.id, input.reason or None)
        return payload

    @strawberry.mutation(description="End a pause.")
    async def resume_connection(
        self, info: strawberry.Info[Context, Any], input: Annotated[ResumeConnectionInput, _WHAT_TO_DO]
    ) -> ResumeConnectionPayload | None:
        """End a pause."""
        payload: ResumeConnectionPayload = await info.context.life.resume(input.id)
        return payload

    @strawberry.mutation(description="Delete what is kept of a disconnected system's records.")
    async def delete_connection_data(
        self, info: strawberry.Info[Context, Any], input: Annotated[DeleteConnectionDataInput, _WHAT_TO_DO]
    ) -> DeleteConnectionDataPayload | None:
        """Delete what is kept."""
        payload: DeleteConnectionDataPayload = await info.context.life.delete_data(input.id)
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
