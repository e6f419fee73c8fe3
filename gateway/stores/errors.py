"""What can go wrong in the store.

StoreError
├── Conflict             a value that must be unique is taken
├── Missing              something that was referred to does not exist, or not for this customer
├── InsufficientCredits  the pool has fewer credits than are needed
├── WrongLifecycle       a connection cannot do this where it is in its life
└── Unavailable          the database does not answer now; nothing was changed, or it is not known
    └── Outdated         it has been away for too long to go on with what is known
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


class InsufficientCredits(StoreError):
    """There are `available` credits, and `required` are needed."""

    def __init__(self, required: int, available: int) -> None:
        super().__init__(f"{required} credits are needed and {available} are left")
        self.required = required
        self.available = available


class WrongLifecycle(StoreError):
    """The connection's `lifecycle` does not allow this."""

    def __init__(self, lifecycle: str) -> None:
        super().__init__(f"a connection that is {lifecycle} cannot do this")
        self.lifecycle = lifecycle


class Unavailable(StoreError):
    """The database cannot be reached, was lost, or took too long; it may be tried again.

    A transaction that was being committed when the database was lost may have been carried out; with `is_untouched`
    it certainly was not.
    """

    def __init__(self, message: str, *, is_untouched: bool = False) -> None:
        super().__init__(message)
        self.is_untouched = is_untouched


class Outdated(Unavailable):
    """The database has been away for so long that what is known from before counts no more."""
