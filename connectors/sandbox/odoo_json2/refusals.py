"""What Odoo says when it refuses: one exception, made by name.

Statuses, names and texts are those of a running Odoo 19. What the sandbox itself does not know is refused with
501, so that nobody takes a gap of the sandbox for an answer of Odoo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NOT_FOUND = "werkzeug.exceptions.NotFound"
UNPROCESSABLE = "werkzeug.exceptions.UnprocessableEntity"
ACCESS = "odoo.exceptions.AccessError"
VALUE = "builtins.ValueError"


class OdooRefusal(Exception):
    """A call that Odoo refuses; `name` is the Python name of the exception that Odoo raises."""

    def __init__(self, status: int, name: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message
        self.headers = dict(headers or {})

    @property
    def arguments(self) -> list[Any]:
        """What Odoo calls the arguments: the message, and for errors of HTTP the status."""
        return [self.message, self.status] if self.name.startswith("werkzeug.") else [self.message]


def unauthorized(message: str) -> OdooRefusal:
    """Say that there is no key, or not this one."""
    return OdooRefusal(401, "werkzeug.exceptions.Unauthorized", message, {"www-authenticate": "Bearer"})


def no_method_in_path() -> OdooRefusal:
    """Say that a call needs POST, a model and a method."""
    return OdooRefusal(404, NOT_FOUND, "Did you mean POST /json/2/<model>/<method>?")


def bad_json(detail: str) -> OdooRefusal:
    """Say that the body is no JSON."""
    return OdooRefusal(400, "werkzeug.exceptions.BadRequest", f"could not parse the body as json: {detail}")


def unknown_model(model: str) -> OdooRefusal:
    """Say that no such model is installed."""
    return OdooRefusal(404, NOT_FOUND, f"the model '{model}' does not exist")


def unknown_method(model: str, method: str) -> OdooRefusal:
    """Say that the model has no such method."""
    return OdooRefusal(404, NOT_FOUND, f"The method '{model}.{method}' does not exist")


def private_method(model: str, method: str) -> OdooRefusal:
    """Say that a method is not for callers from outside."""
    text = f"Private methods (such as '{model}.{method}') cannot be called remotely."
    return OdooRefusal(403, ACCESS, text)


def arguments_do_not_fit(detail: str) -> OdooRefusal:
    """Say that an argument is missing, or that the method has none of this name."""
    return OdooRefusal(422, UNPROCESSABLE, detail)


def unexpected_keyword(function: str, name: str) -> OdooRefusal:
    """Say that an argument was handed on to a function that has none of this name."""
    text = f"BaseModel.{function}() got an unexpected keyword argument '{name}'"
    return OdooRefusal(500, "builtins.TypeError", text)


def no_right(title: str, model: str) -> OdooRefusal:
    """Say that the user may read no record of the model."""
    return OdooRefusal(403, ACCESS, no_right_text(title, model))


def no_right_text(title: str, model: str) -> str:
    """Return the sentence about a model that the user may not read."""
    text = f"You are not allowed to access '{title}' ({model}) records."
    return f"{text}\n\nNo group currently allows this operation.\n\nContact your administrator to request access."


def failed_field(model: str, field: str, reason: str) -> OdooRefusal:
    """Say that a field leads to records that the user may not read."""
    return OdooRefusal(403, ACCESS, f"Failed to read field {model}.{field}\n{reason}")


def field_not_granted(field: str, title: str, model: str) -> OdooRefusal:
    """Say that the user's groups do not have this field."""
    text = f'You do not have enough rights to access the field "{field}" on {title} ({model}).'
    return OdooRefusal(403, ACCESS, f"{text} Please contact your system administrator.")


def hidden_records(user: str, title: str, model: str, operation: str = "read") -> OdooRefusal:
    """Say that a record rule hides what was asked for by id."""
    return OdooRefusal(
        403,
        ACCESS,
        "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\n"
        f"Sorry, {user} doesn't have '{operation}' access to:\n- {title} ({model})\n\n"
        "If you really, really need access, perhaps you can win over your friendly administrator.",
    )


def invalid_companies() -> OdooRefusal:
    """Say that the context names companies that are not the user's."""
    return OdooRefusal(403, ACCESS, "Access to unauthorized or invalid companies.")


def invalid_language(code: str) -> OdooRefusal:
    """Say that the context names a language that is not installed."""
    return OdooRefusal(422, "odoo.exceptions.UserError", f"Invalid language code: {code}")


def value_error(message: str) -> OdooRefusal:
    """Say that something in the call is not what it should be."""
    return OdooRefusal(500, VALUE, message)


def invalid_field(model: str, field: str) -> OdooRefusal:
    """Say that fields or specification name what the model does not have."""
    return value_error(f"Invalid field '{field}' on '{model}'")


def invalid_condition(model: str, field: str, condition: Sequence[Any]) -> OdooRefusal:
    """Say that a domain names what the model does not have."""
    return value_error(f"Invalid field {model}.{field} in condition {tuple(condition)!r}")


def not_stored(model: str, field: str) -> OdooRefusal:
    """Say that a domain or an order names a field that the database does not know."""
    return value_error(f"Cannot convert {model}.{field} to SQL because it is not stored")


def malformed_order(order: object) -> OdooRefusal:
    """Say that an order is no list of fields with directions."""
    return OdooRefusal(
        422,
        "odoo.exceptions.UserError",
        f'Invalid "order" specified ({order}). A valid "order" specification is a comma-separated list of valid'
        " field names (optionally followed by asc/desc for the direction)",
    )


def wrong_number(what: str, value: object) -> OdooRefusal:
    """Say that a limit or an offset is negative or no number."""
    if isinstance(value, int):
        name = "psycopg2.errors.InvalidRowCountInLimitClause"
        return OdooRefusal(500, name, f"{what} must not be negative\n")
    return OdooRefusal(500, "psycopg2.errors.InvalidTextRepresentation", f"invalid input for {what}: {value!r}\n")


def not_in_the_sandbox(what: str) -> OdooRefusal:
    """Say that the sandbox, not Odoo, cannot do this."""
    return OdooRefusal(501, "builtins.NotImplementedError", f"This sandbox does not know {what}.")
