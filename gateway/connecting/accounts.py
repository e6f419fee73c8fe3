"""To which account of a system credentials belong, as far as the form of a login tells."""

from collections.abc import Mapping
from typing import Any

import httpx

from connectors.spec import AuthMethod, System
from schema.systems import FormFieldKind


def account_of(system: System, method: AuthMethod, answers: Mapping[str, str], settings: Mapping[str, Any]) -> str:
    """The account in words: the host, and what names a client, a database, a company or a user; never a secret."""
    url = httpx.URL(system.address(answers))
    place = url.host.lower() if url.port is None else f"{url.host.lower()}:{url.port}"
    told = {
        item.label: answers.get(item.name, "")
        for item in method.fields
        if not item.is_secret and item.kind is not FormFieldKind.URL and item.name != method.expiry
    }
    options = settings.get("options", {})
    told |= {item.label: str(options[item.name]) for item in system.options if item.name in options}
    words = [f"{label} {value}" for label, value in sorted(told.items()) if value]
    return ", ".join([place, *words])
