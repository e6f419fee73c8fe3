"""What the mutations on the life of a connection take and give."""

import strawberry

from schema.administration import CredentialInput, MutationPayload
from schema.checks import ConnectionCheck
from schema.connections import ConnectedSystem
from schema.model import described_input, described_type


@described_type
class ReconnectSystemPayload(MutationPayload):
    """The result of `reconnectSystem`."""

    connection: ConnectedSystem | None = strawberry.field(
        default=None, description="The connection; null when there is none."
    )
    api_token: str | None = strawberry.field(
        default=None, description="The connection's API token; shown this once only."
    )
    checks: list[ConnectionCheck] = strawberry.field(default_factory=list, description="What was checked.")


@described_type
class TestConnectionPayload(MutationPayload):
    """The result of `testConnection`."""

    __test__ = False

    connection: ConnectedSystem | None = strawberry.field(
        default=None, description="The connection; null when there is none."
    )
    checks: list[ConnectionCheck] = strawberry.field(default_factory=list, description="What was checked.")


@described_type
class DisconnectSystemPayload(MutationPayload):
    """The result of `disconnectSystem`."""

    connection: ConnectedSystem | None = strawberry.field(
        default=None, description="The connection; null when there is none."
    )
    credits_returned: int = strawberry.field(default=0, description="The credits that went back to the pool.")


@described_type
class PauseConnectionPayload(MutationPayload):
    """The result of `pauseConnection`."""

    connection: ConnectedSystem | None = strawberry.field(
        default=None, description="The connection; null when there is none."
    )


@described_type
class ResumeConnectionPayload(MutationPayload):
    """The result of `resumeConnection`."""

    connection: ConnectedSystem | None = strawberry.field(
        default=None, description="The connection; null when there is none."
    )


@described_type
class DeleteConnectionDataPayload(MutationPayload):
    """The result of `deleteConnectionData`."""

    connection: ConnectedSystem | None = strawberry.field(
        default=None, description="The connection; null when there is none."
    )
    records_deleted: int = strawberry.field(
        default=0, description="How many records were deleted; answers that were cached are not counted."
    )


@described_input
class ReconnectSystemInput:
    """What is needed to do this: give a connection new credentials for the same account."""

    id: strawberry.ID = strawberry.field(description="Which connection.")
    auth_method: str | None = strawberry.field(
        default=strawberry.UNSET, description="The way of logging in, by key; by default the present one."
    )
    credentials: list[CredentialInput] = strawberry.field(description="What the form has asked for.")
    keep_token: bool | None = strawberry.field(
        default=False, description="Keep the present API token instead of making a new one."
    )


@described_input
class TestConnectionInput:
    """What is needed to do this: check a connection now."""

    __test__ = False

    id: strawberry.ID = strawberry.field(description="Which connection.")


@described_input
class DisconnectSystemInput:
    """What is needed to do this: end a connection; its token is invalid at once."""

    id: strawberry.ID = strawberry.field(description="Which connection.")
    reason: str | None = strawberry.field(default=strawberry.UNSET, description="Why, for the record.")


@described_input
class PauseConnectionInput:
    """What is needed to do this: stop all calls to a system for a while."""

    id: strawberry.ID = strawberry.field(description="Which connection.")
    reason: str | None = strawberry.field(default=strawberry.UNSET, description="Why, for the record.")


@described_input
class ResumeConnectionInput:
    """What is needed to do this: end a pause."""

    id: strawberry.ID = strawberry.field(description="Which connection.")


@described_input
class DeleteConnectionDataInput:
    """What is needed to do this: delete what is kept of a disconnected system's records."""

    id: strawberry.ID = strawberry.field(description="Which connection.")
