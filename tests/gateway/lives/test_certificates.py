"""Stories of certificates and keys that expire: what is told before, what happens then, and how it ends."""

import datetime
from typing import Any

from gateway.keys.keyring import Keyring
from gateway.watching.probing import Pace
from schema.administration import UpdateConnectionSettingsInput
from schema.settings import ConnectionSettingsInput, TlsSettingsInput
from tests.gateway.certificates import Authority, Pair
from tests.gateway.fronts import TlsFront, started
from tests.gateway.lives.story import Story, answers, telling
from tests.gateway.peers import blunt_server
from tests.gateway.running import PASSWORD
from tests.gateway.stores.samples import NOON

AUTHORITY = Authority(lasts=datetime.timedelta(days=4000))
DAY = datetime.timedelta(days=1)
OVER = -datetime.timedelta(hours=1)


def shown(days: float) -> Pair:
    """A client certificate that lasts so long from the beginning of a story."""
    return AUTHORITY.pair("gateway", NOON + days * DAY - datetime.datetime.now(datetime.UTC))


def tls(pair: Pair | None = None) -> ConnectionSettingsInput:
    given: dict[str, Any] = {"certificate_authority": AUTHORITY.pem}
    if pair is not None:
        given |= {"client_certificate": pair.certificate, "client_key": pair.key}
    return ConnectionSettingsInput(tls=TlsSettingsInput(**given))


async def renew(story: Story, pair: Pair) -> list[Any]:
    """Give the connection another client certificate; the errors, if there are any."""
    given = UpdateConnectionSettingsInput(id=story.connection_id, settings=tls(pair))  # type: ignore[arg-type]
    return (await story.administration.update_connection_settings(given)).errors


async def days_pass(story: Story, days: float) -> None:
    """Let days pass; a probe a day is enough to see what they bring."""
    story.prober.pace = Pace(DAY / 8, chance=lambda: 0.5)
    await story.wait(days * DAY.total_seconds(), step=DAY.total_seconds() / 8)


def credential(story: Story) -> str:
    return story.live.connection.condition.credential.status.name


async def test_a_server_certificate_expires_and_is_renewed(story: Story) -> None:
    context = AUTHORITY.server_context("localhost")
    front = TlsFront(behind=story.plant.port)
    async with started(front, context):
        payload = await story.connect(credentials=answers(f"https://localhost:{front.port}"), settings=tls())
        assert payload.errors == []
        AUTHORITY.renew(context, "localhost", OVER)
        await front.hang_up()
        await story.wait_for("UNREACHABLE")
        reason = story.live.connection.condition.status_reason
        assert reason is not None
        assert (reason.code.name, reason.message) == (
            "TLS_FAILED",
            "The system's certificate, or that of its authority, has expired.",
        )
        assert "renewed at the system" in str(reason.remediation)
        AUTHORITY.renew(context, "localhost")
        await story.wait_for("OK")
    assert await story.events() == ["CIRCUIT_OPENED", "DEGRADED", "UNREACHABLE", "CIRCUIT_CLOSED", "RECOVERED"]


async def test_a_system_that_hangs_up_for_want_of_a_certificate_is_asked_why(story: Story) -> None:
    mute, wanting = (AUTHORITY.server_context("localhost", asks_for_certificate=asks) for asks in (False, True))
    with blunt_server(mute, mute, wanting) as port:
        refused = await story.connect(credentials=answers(f"https://localhost:{port}"), settings=tls())
    stages = {check.name.name: check.status.name for check in refused.checks}
    assert (stages["TCP"], stages["TLS"], stages["HTTP"]) == ("PASSED", "FAILED", "SKIPPED")
    (error,) = refused.errors
    assert (error.code.name, error.message) == ("CREDENTIALS_REJECTED", "The system asks for a client certificate.")


async def test_a_client_certificate_is_told_to_expire_expires_and_is_renewed(story: Story) -> None:
    context = AUTHORITY.server_context("localhost")
    front = TlsFront(behind=story.plant.port)
    await front.start(context)
    url = f"https://localhost:{front.port}"
    assert (await story.connect(credentials=answers(url), settings=tls(shown(31.5)))).errors == []
    assert credential(story) == "VALID"
    await days_pass(story, 1)
    assert await story.events() == []
    await days_pass(story, 1)
    assert (credential(story), await story.events()) == ("EXPIRING", ["CREDENTIALS_EXPIRING"])
    await days_pass(story, 30)
    told = await story.data("CREDENTIALS_EXPIRING")
    expires_at = (NOON + 31.5 * DAY).replace(microsecond=0)
    assert [(item["days"], item["expiresAt"]) for item in told] == [
        (days, expires_at.isoformat()) for days in (30, 7, 1)
    ]
    assert (credential(story), story.health) == ("EXPIRED", "OK"), "the system decides what follows"
    assert await story.events() == ["CREDENTIALS_EXPIRING"] * 3
    await front.stop()
    wanting = AUTHORITY.server_context("localhost", asks_for_certificate=True)
    with blunt_server(wanting, port=front.port):
        assert await story.ask() in ("CertificateRefused", "Unavailable")
        story.prober.pace = Pace(chance=lambda: 0.5)
        await story.wait_for("REAUTHORIZATION_REQUIRED")
    reason = story.live.connection.condition.status_reason
    assert reason is not None
    assert reason.code.name == "CREDENTIALS_EXPIRED"
    assert "settings.tls.clientCertificate" in str(reason.remediation)
    assert credential(story) == "EXPIRED"
    await front.start(context)
    assert await renew(story, shown(400)) == []
    assert await story.wait_for("OK") <= 20, "a new certificate is tried at once"
    assert credential(story) == "VALID"
    assert await story.events() == ["CREDENTIALS_EXPIRING"] * 3 + ["REAUTHORIZATION_REQUIRED", "RECOVERED"]
    await front.stop()


async def test_an_expiry_that_is_near_from_the_beginning_is_told_once(story: Story) -> None:
    assert (await story.connect(settings=tls(shown(5.5)))).errors == []
    await days_pass(story, 2)
    assert [item["days"] for item in await story.data("CREDENTIALS_EXPIRING")] == [6]


async def test_a_renewed_certificate_is_told_of_anew(story: Story) -> None:
    assert (await story.connect(settings=tls(shown(6)))).errors == []
    await days_pass(story, 1)
    assert credential(story) == "EXPIRING"
    assert await renew(story, shown(37)) == []
    assert credential(story) == "VALID"
    await days_pass(story, 7)
    assert [item["days"] for item in await story.data("CREDENTIALS_EXPIRING")] == [6, 30]


async def test_two_processes_tell_it_once_and_a_third_after_them_not_again(story: Story) -> None:
    assert (await story.connect(settings=tls(shown(20)))).errors == []
    async with telling(story.store, story) as other:
        for each in (story, other):
            each.directory.watch.look_ahead(each.directory.watch.vitals[story.connection_id])
        for each in (story, other):
            await each.directory.watch.settle()
    assert await story.events() == ["CREDENTIALS_EXPIRING"]
    async with telling(story.store, story) as later:
        later.directory.watch.look_ahead(later.directory.watch.vitals[story.connection_id])
        await later.directory.watch.settle()
    assert await story.events() == ["CREDENTIALS_EXPIRING"]


async def test_what_else_happens_does_not_make_it_be_told_again(story: Story) -> None:
    assert (await story.connect(settings=tls(shown(20)))).errors == []
    await story.wait(120)
    story.plant.trouble("forbidden")
    await story.ask()
    story.plant.trouble("none")
    await story.ask()
    await story.wait(120)
    assert await story.events() == ["CREDENTIALS_EXPIRING", "PERMISSIONS_CHANGED", "PERMISSIONS_CHANGED"]


async def test_new_credentials_keep_the_certificate_and_when_it_expires(story: Story) -> None:
    assert (await story.connect(settings=tls(shown(20)))).errors == []
    await story.wait(120)
    assert (await story.reconnect()).errors == []
    await story.wait(120)
    assert credential(story) == "EXPIRING"
    secrets = story.directory.secrets_of((await story.store.snapshot()).connections[story.connection_id])
    assert secrets is not None
    assert "PRIVATE KEY" in str(secrets.client_key)
    assert secrets.answers["password"] == PASSWORD
    assert await story.events() == ["CREDENTIALS_EXPIRING", "REAUTHORIZED", "CREDENTIALS_EXPIRING"]


async def test_a_certificate_whose_key_is_lost_with_the_keyring_can_be_given_up_and_given_again(story: Story) -> None:
    assert (await story.connect(settings=tls(shown(400)))).errors == []
    store, row = story.store, (await story.store.snapshot()).connections[story.connection_id]
    lost = Keyring.generate().seal(b"{}", tenant=row.customer_id, row=row.id)
    await store.reseal(lambda tenant, connection_id, sealed: lost)
    await story.directory.refresh()
    (unread,) = await renew(story, shown(500))
    assert unread.code.name == "REAUTHORIZATION_REQUIRED"
    (refused,) = (await story.reconnect()).errors
    assert "key of the client certificate cannot be read" in refused.message
    given_up = UpdateConnectionSettingsInput(
        id=story.connection_id,  # type: ignore[arg-type]
        settings=ConnectionSettingsInput(tls=None),
    )
    assert (await story.administration.update_connection_settings(given_up)).errors == []
    assert (await story.reconnect()).errors == []
    assert await renew(story, shown(500)) == []
    assert await story.ask() == "ok"
