"""When connections are asked again, and what becomes of probes that cannot be finished."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app import Role, build
from gateway.keys.keyring import Keyring
from gateway.settings import Settings
from gateway.stores.rows import State
from gateway.watching.probing import Pace
from gateway.watching.vitals import Vitals
from schema.model import EntityType
from tests.gateway.stores.samples import NOON


def vitals(health: str) -> Vitals:
    state = State(
        connection_id="con_1",
        customer_id="cus_1",
        system="sap_s4hana",
        lifecycle="ENABLED",
        version=0,
        sequence=0,
        health=health,
        updated_at=NOON,
    )
    return Vitals(state, frozenset(EntityType))


@given(st.floats(0, 1), st.integers(1, 1_000))
def test_a_system_that_fails_is_asked_ever_more_rarely_but_for_ever(chance: float, attempts: int) -> None:
    wait = Pace(chance=lambda: chance).after(vitals("UNREACHABLE"), attempts)
    assert timedelta(seconds=1) <= wait <= min(timedelta(minutes=10), timedelta(seconds=5) * 2 ** min(attempts, 10))


@given(st.floats(0, 1))
def test_a_well_system_is_asked_about_once_an_interval(chance: float) -> None:
    pace = Pace(timedelta(seconds=30), lambda: chance)
    assert timedelta(seconds=27) <= pace.after(vitals("OK"), 1) <= timedelta(seconds=33.1)
    assert timedelta() <= pace.first() <= timedelta(seconds=30)


@given(st.floats(0, 1))
def test_a_user_is_not_locked_by_probes(chance: float) -> None:
    assert Pace(chance=lambda: chance).after(vitals("REAUTHORIZATION_REQUIRED"), 1) >= timedelta(minutes=9)


def test_a_first_failure_is_looked_at_soon() -> None:
    failing = vitals("OK")
    failing.failures = 1
    assert Pace().after(failing, 1) <= timedelta(seconds=5.5)


def test_an_older_state_is_not_adopted() -> None:
    known = vitals("OK")
    known.adopt(replace(known.state, version=2, health="DEGRADED"))
    known.adopt(replace(known.state, version=1, health="OK"))
    assert known.health.name == "DEGRADED"


@pytest.mark.parametrize(
    ("role", "answers", "probes"), [(None, 200, True), (Role.WEB, 200, False), (Role.WORKER, 404, True)]
)
async def test_what_a_process_does_by_its_role(tmp_path: Path, role: Role | None, answers: int, probes: bool) -> None:
    application = build(Settings(data_directory=tmp_path, metrics="open"), Keyring.generate(), role=role)
    gateway = application.state.gateway
    async with application.router.lifespan_context(application):
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            for path in ("/healthz", "/readyz", "/metrics"):
                assert (await client.get(path)).status_code == 200
            page = await client.get("/graphql", headers={"Accept": "text/html"})
            assert page.status_code == answers
    assert (gateway.prober is not None) is probes
