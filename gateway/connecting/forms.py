"""Checks what callers type when they connect a system; every mistake is named with its field."""

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from connectors.registry import find_system, system_keys
from connectors.spec import AuthMethod, System
from schema.administration import ConnectSystemInput, CredentialInput
from schema.errors import ErrorCode, MutationError, NotFound, ValidationFailed, refusal
from schema.systems import Deployment, FormField, FormFieldKind

_MAX_TEXT = 200
_MAX_SECRET = 20_000
_MAX_METADATA = 10_000
_MAX_TAGS = 20
_UNREADABLE = ("Cc", "Cs")
"""Control characters, and halves of surrogate pairs, which have no form in UTF-8."""


_PLACES = {Deployment.CLOUD: "in the cloud", Deployment.ON_PREMISES: "on premises"}


class Refused(Exception):
    """A mutation is refused; its errors go into the payload."""

    def __init__(self, *errors: MutationError) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = list(errors)

    @property
    def error(self) -> MutationError:
        """The first of them."""
        return self.errors[0]


def invalid(field: str, message: str, value: Any = None) -> Refused:
    """A value of the input that is not valid; secrets are never given as `value`."""
    return Refused(refusal(ValidationFailed, ErrorCode.VALIDATION_FAILED, message, field=field, value=value))


def choose(given: ConnectSystemInput) -> tuple[System, AuthMethod]:
    """The system and the login that were named."""
    system = find_system(given.system)
    if system is None:
        raise invalid("system", f"There is no system {given.system!r}; there are: {', '.join(system_keys())}.")
    return system, choose_login(system, given.auth_method)


def choose_login(system: System, key: str) -> AuthMethod:
    """The login of a system that was named."""
    method = system.auth_method(key)
    if method is None:
        known = ", ".join(item.key for item in system.auth_methods)
        raise invalid("authMethod", f"{system.title} has no login {key!r}; it has: {known}.")
    return method


def read_answers(given: Sequence[CredentialInput], method: AuthMethod) -> dict[str, str]:
    """The answers to the form; each wrong one is named, and secrets are never repeated."""
    fields = {item.name: item for item in method.fields}
    answers: dict[str, str] = {}
    for answer in given:
        where = f"credentials.{answer.name}"
        if answer.name not in fields:
            raise invalid(where, f"The form has no field {answer.name!r}; it has: {', '.join(fields)}.")
        if answer.name in answers:
            raise invalid(where, "This field is answered twice.")
        answers[answer.name] = _check_answer(where, answer.value, fields[answer.name])
    for name, item in fields.items():
        if item.is_required and not answers.get(name):
            raise invalid(f"credentials.{name}", f"{item.label} is missing.")
    return answers


def _check_answer(where: str, value: str, item: FormField) -> str:
    text = value if item.is_secret else value.strip()
    if len(text) > _MAX_SECRET:
        raise invalid(where, f"{item.label} is longer than {_MAX_SECRET} characters.")
    if any(unicodedata.category(sign) == "Cs" for sign in text):
        raise invalid(where, f"{item.label} holds half a character.")
    if item.pattern and text and not re.fullmatch(item.pattern, text):
        raise invalid(where, f"{item.label} does not have the form that is needed.")
    if item.kind is FormFieldKind.URL and "?" in text:
        raise invalid(where, f"{item.label} must not have a query (?…).")
    return text


def check_options(given: Any, system: System) -> None:
    """Refuse options that the system does not have."""
    known = {item.name: item for item in system.options}
    if not isinstance(given, dict):
        raise invalid("settings.options", "The options are an object of names and texts.")
    for name, value in given.items():
        where = f"settings.options.{name}"
        if name not in known:
            offered = f"; it has: {', '.join(known)}" if known else ""
            raise invalid(where, f"{system.title} has no option {name!r}{offered}.")
        pattern = known[name].pattern
        if not isinstance(value, str) or (pattern and not re.fullmatch(pattern, value)):
            raise invalid(where, f"{known[name].label} does not have the form that is needed.", value)


def check_texts(given: ConnectSystemInput, system: System) -> None:
    """Refuse what cannot be a name, a tag, a deployment or metadata."""
    check_text("name", given.name)
    check_metadata(given.metadata)
    if given.deployment not in system.deployments:
        raise invalid("deployment", _elsewhere(system), given.deployment.name)
    check_tags(given.tags or [])


def _elsewhere(system: System) -> str:
    [first, *_] = system.deployments
    return f"{system.title} runs only {_PLACES[first]}: the deployment is {first.name}."


def check_tags(tags: Sequence[str]) -> None:
    """Refuse tags that are too many, or that nobody can read."""
    if len(tags) > _MAX_TAGS or not all(map(_is_line, tags)):
        raise invalid("tags", f"At most {_MAX_TAGS} tags of 1 to {_MAX_TEXT} characters, each in one line.")


def check_text(field: str, text: str) -> None:
    """Refuse a text that is empty, too long, or holds what nobody can read."""
    if not _is_line(text):
        raise invalid(field, f"This needs 1 to {_MAX_TEXT} characters in one line.")


def _is_line(text: str) -> bool:
    is_readable = not any(unicodedata.category(sign) in _UNREADABLE for sign in text)
    return is_readable and 0 < len(text.strip()) <= _MAX_TEXT


def check_metadata(metadata: Any) -> None:
    """Refuse metadata that is too long."""
    if metadata and len(json.dumps(metadata)) > _MAX_METADATA:
        raise invalid("metadata", f"Metadata may be {_MAX_METADATA} characters long, as JSON.")


def no_customer(customer_id: Any, field: str) -> Refused:
    """The refusal for a customer that is not there, or not the caller's."""
    return Refused(
        refusal(
            NotFound,
            ErrorCode.VALIDATION_FAILED,
            f"There is no customer {customer_id!r}." if customer_id else "Name the customer.",
            field=field,
            missing_id=customer_id or None,
        )
    )
