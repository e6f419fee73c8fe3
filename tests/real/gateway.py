"""A gateway in the test process, connected to other people's software on this machine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.gateway.running import RunningGateway, credentials, running_gateway
from tests.real.odoo.server import Odoo


async def connect(gateway: RunningGateway, system: str, auth_method: str, answers: Mapping[str, str]) -> dict[str, Any]:
    """The payload of connectSystem."""
    given: dict[str, Any] = {
        "system": system,
        "authMethod": auth_method,
        "credentials": credentials(**answers),
        "name": system,
    }
    return await gateway.connect("", **given, deployment="ON_PREMISES")


def odoo_answers(odoo: Odoo, url: str, user: str = "switchgear") -> dict[str, str]:
    """What the form of an Odoo is answered with."""
    return {"url": url, "database": odoo.database, "apiKey": odoo.keys[user]}


@asynccontextmanager
async def over_odoo(folder: Path, odoo: Odoo, url: str) -> AsyncIterator[RunningGateway]:
    """A gateway with one connection, to the real Odoo at this address."""
    async with running_gateway(folder) as gateway:
        assert (await connect(gateway, "odoo", "api_key", odoo_answers(odoo, url)))["errors"] == []
        yield gateway
