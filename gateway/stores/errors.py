"""What can go wrong in the store.

StoreError
├── Conflict   a value that must be unique is taken
└── Missing    something that was referred to does not exist, or not for this customer
"""


class StoreError(Exception):
    """The store cannot do this; the message says why."""


class Conflict(StoreError):
    """Another row has the same value in `field`, which must be unique."""

    def __init__(self, field: str) -> None:
        super().__init__(f"this {field} is taken")
        self.field = field


class Missing(StoreError):
    """There is no such `what` (customer, connection, api_key), or it belongs to another customer."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no such {what}")
        self.what = what
