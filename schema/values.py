"""Value objects: money, quantities, codes, people and places, as every entity writes them."""

from decimal import Decimal

import strawberry

from schema.scalars import CountryCode, Currency


@strawberry.type(description="An exact amount of money.")
class Money:
    """An exact amount of money."""

    amount: Decimal = strawberry.field(description="The amount.")
    currency: Currency | None = strawberry.field(default=None, description="Its currency, where known.")


@strawberry.type(description="An exact quantity.")
class Quantity:
    """An exact quantity."""

    value: Decimal = strawberry.field(description="The number.")
    unit: str | None = strawberry.field(
        default=None, description="The unit as UN/ECE Recommendation 20 codes it, where known."
    )
    source_unit: str | None = strawberry.field(default=None, description="The unit as the system writes it.")


@strawberry.type(description="A code of the system and what it stands for.")
class CodedValue:
    """A code of the system and what it stands for."""

    code: str | None = strawberry.field(default=None, description="The code.")
    label: str | None = strawberry.field(default=None, description="What it stands for.")


@strawberry.type(description="A company, subsidiary or plant.")
class Organization:
    """A company, subsidiary or plant."""

    code: str | None = strawberry.field(default=None, description="Its code in the system.")
    name: str | None = strawberry.field(default=None, description="Its name.")


@strawberry.type(description="Someone who is named on a record.")
class Person:
    """Someone who is named on a record."""

    remote_id: str | None = strawberry.field(default=None, description="Their key in the system.")
    name: str | None = strawberry.field(default=None, description="Their name.")
    email: str | None = strawberry.field(default=None, description="Their e-mail address.")
    phone: str | None = strawberry.field(default=None, description="Their telephone number.")


@strawberry.type(description="A postal address.")
class Address:
    """A postal address."""

    line1: str | None = strawberry.field(default=None, description="The first line.")
    line2: str | None = strawberry.field(default=None, description="The second line.")
    city: str | None = strawberry.field(default=None, description="The city.")
    region: str | None = strawberry.field(default=None, description="The state or province.")
    postal_code: str | None = strawberry.field(default=None, description="The postal code.")
    country: CountryCode | None = strawberry.field(default=None, description="The country.")


@strawberry.type(description="A place in the system: a plant, store, room or bin.")
class Location:
    """A place in the system: a plant, store, room or bin."""

    code: str | None = strawberry.field(default=None, description="Its code.")
    name: str | None = strawberry.field(default=None, description="Its name.")
    type: str | None = strawberry.field(default=None, description="What the system calls this kind of place.")
    parent_code: str | None = strawberry.field(default=None, description="The code of the place around it.")
