"""When credentials expire, and what is told of it when."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.registry import find_system
from connectors.spec import AuthMethod, System
from gateway.connecting.accounts import account_of
from gateway.connecting.expiry import check_expiry, credential_status, credentials_expire_at, notice, read_expiry
from gateway.connecting.forms import Refused

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def odoo() -> tuple[System, AuthMethod]:
    system = find_system("odoo")
    assert system is not None
    return system, system.auth_methods[0]


def told(expires_at: datetime, days: int) -> dict[str, object]:
    return {"expiresAt": expires_at.isoformat(), "days": days}


@pytest.mark.parametrize(
    ("left", "before", "days"),
    [
        (31 * DAY, None, None),
        (30 * DAY + HOUR, None, None),
        (30 * DAY, None, 30),
        (30 * DAY - HOUR, 30, None),
        (8 * DAY, 30, None),
        (7 * DAY, 30, 7),
        (7 * DAY - HOUR, 7, None),
        (2 * DAY, 7, None),
        (DAY, 7, 1),
        (HOUR, 1, None),
        (HOUR, None, 1),
        (20 * DAY, None, 20),
        (19 * DAY, 20, None),
        (6 * DAY, 20, 6),
        (timedelta(), None, None),
        (-DAY, 1, None),
    ],
)
def test_each_threshold_is_told_once(left: timedelta, before: int | None, days: int | None) -> None:
    expires_at = NOW + left
    found = notice(expires_at, None if before is None else told(expires_at, before), NOW)
    assert found == (None if days is None else told(expires_at, days))


def test_another_expiry_is_told_anew() -> None:
    expires_at = NOW + 20 * DAY
    assert notice(expires_at, told(NOW + DAY, 1), NOW) == told(expires_at, 20)
    assert notice(None, told(NOW, 1), NOW) is None


@pytest.mark.parametrize(
    ("kept", "left", "status"),
    [
        ("VALID", None, "VALID"),
        ("VALID", 31 * DAY, "VALID"),
        ("VALID", 30 * DAY, "EXPIRING"),
        ("VALID", timedelta(), "EXPIRED"),
        ("REVOKED", 20 * DAY, "REVOKED"),
        ("REVOKED", -DAY, "EXPIRED"),
        ("REVOKED", None, "REVOKED"),
        ("REFRESH_FAILING", DAY, "REFRESH_FAILING"),
        ("REFRESH_FAILING", -DAY, "EXPIRED"),
    ],
)
def test_the_state_of_credentials_follows_from_the_time_that_they_have_left(
    kept: str, left: timedelta | None, status: str
) -> None:
    assert credential_status(kept, None if left is None else NOW + left, NOW).name == status


def test_the_earliest_counts() -> None:
    _, method = odoo()
    settings = {"tls": {"clientCertificateExpiresAt": "2027-06-01T00:00:00+00:00"}}
    for day, month in (("2027-05-01", 5), ("2027-07-01", 6), ("", 6)):
        found = credentials_expire_at(method, {"expiresOn": day}, settings)
        assert found is not None
        assert found.month == month
    assert credentials_expire_at(method, {}, {}) is None


@pytest.mark.parametrize(("text", "words"), [("2027-02-30", "no day"), ("2027-02-28", "is over")])
def test_a_day_that_is_none_or_over_is_refused(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        check_expiry(odoo()[1], {"expiresOn": text}, NOW)
    assert caught.value.error.field == "credentials.expiresOn"


def test_a_day_begins_in_utc_and_today_is_no_mistake() -> None:
    _, method = odoo()
    check_expiry(method, {"expiresOn": "2027-03-01"}, NOW)
    assert read_expiry(method, {"expiresOn": "2027-03-02"}) == datetime(2027, 3, 2, tzinfo=UTC)


def test_a_later_day_is_the_same_account() -> None:
    system, method = odoo()
    answers = {"url": "https://plant.odoo.example.com", "database": "plant", "apiKey": "x"}
    accounts = {account_of(system, method, {**answers, "expiresOn": day}, {}) for day in ("2027-04-01", "2028-04-01")}
    assert accounts == {account_of(system, method, answers, {})}
