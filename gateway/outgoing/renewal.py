"""Decides what a process does that needs a session: use the kept one, log in, wait, or leave it; it asks nobody."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from http import HTTPStatus

from connectors.errors import LoginRefused, RefreshFailed, Refusal, Sent
from gateway.stores.rows import KeptSession

NOTHING = timedelta()


@dataclass(frozen=True)
class Terms:
    """How logins are shared.

    Who logs in has `lease` for it, then another one may. After a failure nobody tries for `rest`, after `failures` in
    a row, or a refusal, for `long_rest`. A session that has just taken the place of a refused one is not replaced
    again within `again`: a system that refuses both refuses the user.
    """

    lease: timedelta = timedelta(seconds=10)
    rest: timedelta = timedelta(seconds=30)
    long_rest: timedelta = timedelta(minutes=5)
    failures: int = 10
    again: timedelta = timedelta(seconds=20)


class Next(Enum):
    """What to do about a session."""

    USE = "The kept one is good."
    STAND = "The system refuses a session that was made a moment ago, so its refusal stands."
    LOG_IN = "Nobody else does."
    WAIT = "Somebody else is at it."
    REST = "It has failed a while ago."
    REFUSED = "It was refused."


def decide(kept: KeptSession, owner: str, stale: int | None, *, is_refused: bool, terms: Terms) -> Next:
    """What `owner` does, for whom the version `stale` will not do: the system has refused it, or it soon ends."""
    holds = kept.sealed is not None and (kept.left is None or kept.left > NOTHING)
    if holds and kept.version != stale:
        return Next.USE
    if kept.refusal == Refusal.REVOKED.name:
        return Next.REFUSED
    if kept.rests is not None and kept.rests > NOTHING:
        return Next.REST if kept.refusal is None else Next.REFUSED
    is_new = kept.replaced is not None and NOTHING <= kept.replaced < terms.again
    if is_refused and kept.version == stale and is_new:
        return Next.STAND
    if kept.leased is not None and kept.leased > NOTHING and kept.owner != owner:
        return Next.WAIT
    return Next.LOG_IN


def after_failure(
    trouble: LoginRefused | RefreshFailed, failures: int, terms: Terms
) -> tuple[timedelta, Refusal | None]:
    """How long nobody is to try again after the last of so many failures in a row, and whether it counts as refused.

    A token address that is out of order is waited for, however long that takes.
    """
    if isinstance(trouble, LoginRefused):
        return terms.long_rest, trouble.refusal
    if failures >= terms.failures and not _is_away(trouble):
        return terms.long_rest, Refusal.EXHAUSTED
    return max(terms.rest, timedelta(seconds=trouble.retry_after or 0.0)), None


def _is_away(trouble: RefreshFailed) -> bool:
    """Whether the token address is out of order, which no new credentials would mend."""
    status = None if trouble.upstream is None else trouble.upstream.status
    return status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS


_SENTENCES = {
    Refusal.REVOKED: "The refresh token is no longer valid.",
    Refusal.REJECTED: "The token address refuses the client.",
    Refusal.EXHAUSTED: "Logging in has failed too many times in a row.",
}


def told(refusal: Refusal | None, rest: timedelta) -> LoginRefused | RefreshFailed:
    """What is told while nobody tries; nothing was sent for it."""
    if refusal is not None:
        return LoginRefused(_SENTENCES[refusal], refusal=refusal, sent=Sent.NOT_SENT)
    return RefreshFailed(
        "Renewing the login failed a moment ago; it is tried again by itself.",
        retry_after=max(0.0, rest.total_seconds()),
        sent=Sent.NOT_SENT,
    )
