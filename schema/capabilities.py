"""What can be done with each kind of record of a system, field by field."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.absent import given
from schema.enums import enumeration
from schema.filters import Operator
from schema.model import EntityType, described_type


@enumeration
class Operation(Enum):
    """What can be done with a kind of record."""

    READ = "Read."
    CREATE = "Create."
    UPDATE = "Change."
    DELETE = "Delete."


@enumeration
class OperationSupport(Enum):
    """Whether an operation is possible."""

    SUPPORTED = "It is."
    UNSUPPORTED = "The system cannot do it."
    NOT_IMPLEMENTED = "This product cannot do it yet."


@enumeration
class CapabilityEvidence(Enum):
    """How a capability is known."""

    DECLARED = "The connector says so."


@enumeration
class FilterOperator(Enum):
    """The words of filters."""

    EQ = "Equal."
    NE = "Not equal."
    IN = "One of several."
    NOT_IN = "None of several."
    GT = "Greater."
    GTE = "Greater or equal."
    LT = "Less."
    LTE = "Less or equal."
    CONTAINS = "Contains."
    STARTS_WITH = "Starts with."
    IS_NULL = "Has no value."


def filter_operator(operator: Operator) -> FilterOperator:
    """The operator as clients see it."""
    return FilterOperator[operator.name]


@described_type
class OperationCapability:
    """Whether an operation is possible."""

    operation: Operation = strawberry.field(description="The operation.")
    support: OperationSupport = strawberry.field(description="Whether it is possible.")
    evidence: CapabilityEvidence = strawberry.field(default=CapabilityEvidence.DECLARED, description="How we know.")
    reason: str | None = strawberry.field(default=None, description="Why not.")


@described_type
class FieldCapability:
    """What can be done with a field."""

    path: str = strawberry.field(description="The field, such as lines.unitPrice.")
    is_readable: bool = strawberry.field(description="Whether it is filled.")
    is_sortable: bool = strawberry.field(default=False, description="Whether the system can sort by it.")
    filter_operators: list[FilterOperator] = strawberry.field(
        default_factory=list, description="The conditions that the system itself can apply."
    )
    costs_extra_call: bool = strawberry.field(default=False, description="Whether selecting it needs a second call.")
    reason: str | None = strawberry.field(default=None, description="Why something is not possible.")


FieldPaths = Annotated[list[str] | None, strawberry.argument(description="Only fields under these paths.")]
Entities = Annotated[list[EntityType] | None, strawberry.argument(description="Only these kinds of record.")]


@described_type
class EntityCapability:
    """What can be done with one kind of record."""

    entity: EntityType = strawberry.field(description="The kind of record.")
    operations: list[OperationCapability] = strawberry.field(description="Each operation, and whether it is possible.")
    supports_total_count: bool = strawberry.field(description="Whether the system can count rows without reading them.")
    all_fields: strawberry.Private[list[FieldCapability]]

    @strawberry.field(description="Each field, and what can be done with it.")
    def fields(self, paths: FieldPaths = strawberry.UNSET) -> list[FieldCapability]:
        """Narrow the fields to some."""
        roots = given(paths)
        if roots is None:
            return self.all_fields
        return [item for item in self.all_fields if any(f"{item.path}.".startswith(f"{root}.") for root in roots)]
