"""When credentials expire, as far as that is known, and when to tell of it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any

from connectors.spec import AuthMethod
from gateway.connecting.forms import invalid
from gateway.connecting.stored_settings import certificate_expiry
from schema.health import CredentialStatus

DAYS_BEFORE = (30, 7, 1)
"""When it is told that credentials expire."""
_DAY = timedelta(days=1)
_EARLY = timedelta(days=max(DAYS_BEFORE))


def read_expiry(method: AuthMethod, answers: Mapping[str, str]) -> datetime | None:
    """The day on which the answers to a form say that they expire, from its first moment on; Refused if it is none."""
    text = answers.get(method.expiry, "") if method.expiry else ""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise invalid(f"credentials.{method.expiry}", "This is no day such as 2027-01-31.") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def check_expiry(method: AuthMethod, answers: Mapping[str, str], now: datetime) -> None:
    """Refuse credentials that have expired already, or that expire on no day."""
    expires_at = read_expiry(method, answers)
    if expires_at is not None and expires_at + _DAY <= now:
        raise invalid(f"credentials.{method.expiry}", "That day is over; give credentials that have not expired.")


def credentials_expire_at(
    method: AuthMethod, answers: Mapping[str, str], settings: Mapping[str, Any]
) -> datetime | None:
    """When the first of a connection's credentials expires, where that is known."""
    known = (read_expiry(method, answers), certificate_expiry(settings.get("tls") or {}))
    return min((moment for moment in known if moment is not None), default=None)


def has_expired(expires_at: datetime | None, now: datetime) -> bool:
    """Whether credentials have expired, as far as is known."""
    return expires_at is not None and expires_at <= now


def credential_status(kept: str, expires_at: datetime | None, now: datetime) -> CredentialStatus:
    """The state of credentials, from the one that was kept and from the time that they have left."""
    status = CredentialStatus[kept]
    if expires_at is None:
        return status
    if expires_at <= now:
        return CredentialStatus.EXPIRED
    is_soon = status is CredentialStatus.VALID and expires_at - now <= _EARLY
    return CredentialStatus.EXPIRING if is_soon else status


def notice(expires_at: datetime | None, told: Mapping[str, Any] | None, now: datetime) -> dict[str, Any] | None:
    """What to tell of an expiry now, unless it was told; `told` is what was told last."""
    if expires_at is None or expires_at <= now:
        return None
    left = expires_at - now
    reached = [days for days in DAYS_BEFORE if left <= timedelta(days=days)]
    if not reached:
        return None
    is_told = told is not None and told["expiresAt"] == expires_at.isoformat() and told["days"] <= reached[-1]
    return None if is_told else {"expiresAt": expires_at.isoformat(), "days": ceil(left / _DAY)}
