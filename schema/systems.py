"""What can be connected: the kinds of system, their logins and the forms that ask for them."""

from enum import Enum

import strawberry

from schema.absent import given
from schema.capabilities import Entities, EntityCapability
from schema.enums import enumeration
from schema.model import described_type
from schema.records import Node
from schema.scalars import URL


@enumeration
class SystemCategory(Enum):
    """What a system is for."""

    ERP = "Running a company."
    OTHER = "Something else."


@enumeration
class Deployment(Enum):
    """Where a system runs."""

    CLOUD = "In the cloud."
    ON_PREMISES = "At the customer's."


@enumeration
class FormFieldKind(Enum):
    """How to ask for a value."""

    TEXT = "A line of text."
    URL = "A web address."


@described_type
class FormField:
    """One thing to ask for."""

    name: str = strawberry.field(description="The name to send it under.")
    label: str = strawberry.field(description="The name to show to people.")
    kind: FormFieldKind = strawberry.field(default=FormFieldKind.TEXT, description="How to ask for it.")
    help: str | None = strawberry.field(default=None, description="What to say about it.")
    placeholder: str | None = strawberry.field(default=None, description="An example.")
    is_required: bool = strawberry.field(default=True, description="Whether it must be given.")
    is_secret: bool = strawberry.field(default=False, description="Whether to hide what is typed.")
    pattern: str | None = strawberry.field(
        default=None, description="A regular expression that the value has to match."
    )
    default_value: str | None = strawberry.field(default=None, description="What stands there at first.")


@described_type
class GuideStep:
    """One step."""

    title: str = strawberry.field(description="What to do, in short.")
    body: str = strawberry.field(description="What to do, as Markdown.")


@described_type
class Guide:
    """Instructions."""

    url: URL | None = strawberry.field(default=None, description="Where to read them in full.")
    steps: list[GuideStep] = strawberry.field(default_factory=list, description="The steps.")


@described_type
class AuthMethod:
    """A way of logging in."""

    key: str = strawberry.field(description="Its key.")
    title: str = strawberry.field(description="The name to show to people.")
    description: str | None = strawberry.field(default=None, description="When to use it.")
    needs_browser: bool = strawberry.field(
        default=False, description="Whether someone has to log in at the system's own page."
    )
    fields: list[FormField] = strawberry.field(default_factory=list, description="What to ask for.")
    guide: Guide | None = strawberry.field(default=None, description="How to get what is asked for.")


@described_type
class System(Node):
    """A kind of system that can be connected."""

    id: strawberry.ID = strawberry.field(description="The global id.")
    key: str = strawberry.field(description="The key, such as maximo; it never changes.")
    title: str = strawberry.field(description="The name to show to people.")
    vendor: str = strawberry.field(description="Who makes it.")
    category: SystemCategory = strawberry.field(description="What it is for.")
    tier: int = strawberry.field(description="The tier that sets its cost in credits, 1 to 3.")
    deployments: list[Deployment] = strawberry.field(description="Where it can run.")
    auth_methods: list[AuthMethod] = strawberry.field(description="The ways of logging in.")
    guide: Guide = strawberry.field(description="How to prepare the system.")
    all_capabilities: strawberry.Private[list[EntityCapability]]

    @strawberry.field(description="What can be done with it, given all rights.")
    def capabilities(self, entities: Entities = strawberry.UNSET) -> list[EntityCapability]:
        """Narrow the capabilities to some kinds of record."""
        wanted = given(entities)
        return [item for item in self.all_capabilities if wanted is None or item.entity in wanted]
