"""What is checked about a connection, one stage after the other."""

from enum import Enum

import strawberry

from schema.enums import enumeration
from schema.model import described_type


@enumeration
class ConnectionCheckName(Enum):
    """What is checked."""

    DNS = "The host name has an address that may be called."
    TCP = "The port answers."
    TLS = "The certificate is trusted."
    HTTP = "The address speaks HTTP, or the system's own protocol."
    SYSTEM = "It is the system that it should be."
    CREDENTIALS = "It takes the credentials."
    PERMISSIONS = "The user has the rights that are needed."
    CREDITS = "There are enough credits."


@enumeration
class ConnectionCheckStatus(Enum):
    """How a check went."""

    PASSED = "Well."
    FAILED = "Not well."
    SKIPPED = "It was not made, because an earlier one failed."


@described_type
class ConnectionCheck:
    """One thing that was checked."""

    name: ConnectionCheckName = strawberry.field(description="What was checked.")
    status: ConnectionCheckStatus = strawberry.field(description="How it went.")
    message: str | None = strawberry.field(default=None, description="What was found, and what to do about it.")
    duration_ms: int = strawberry.field(default=0, description="How long it took.")
