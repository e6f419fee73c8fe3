"""Whatever goes wrong has one meaning, whether it meets the first question or a later one."""

import asyncio
from dataclasses import dataclass

from connectors.errors import (
    BadAnswer,
    PermissionDenied,
    RateLimited,
    Reauthorize,
    Sent,
    TimedOut,
    Trouble,
    Unavailable,
    WrongSystem,
)
from connectors.spec import Resource
from connectors.testing.bench import RETRY_AFTER_SECONDS, Bench, Misfortune, Opened
from connectors.testing.registry import check
from connectors.testing.walks import walk

_DEADLINE_SECONDS = 0.15
_LATENESS_SECONDS = 0.25
_SHORTEST_ANSWER_BYTES = 1_024


@dataclass(frozen=True)
class Meaning:
    """What a misfortune has to be raised as."""

    trouble: type[Trouble]
    sent: Sent = Sent.MAYBE_SENT


MEANINGS = {
    Misfortune.REFUSED_CREDENTIALS: Meaning(Reauthorize),
    Misfortune.MISSING_RIGHT: Meaning(PermissionDenied),
    Misfortune.TOO_MANY_CALLS: Meaning(RateLimited),
    Misfortune.FAILURE: Meaning(Unavailable),
    Misfortune.MAINTENANCE: Meaning(Unavailable),
    Misfortune.TRUNCATED: Meaning(BadAnswer),
    Misfortune.WEB_PAGE: Meaning(BadAnswer),
    Misfortune.UNKNOWN_SHAPE: Meaning(BadAnswer),
    Misfortune.GARBLED: Meaning(BadAnswer),
    Misfortune.TOO_LONG: Meaning(BadAnswer),
    Misfortune.REDIRECT: Meaning(WrongSystem),
    Misfortune.UNKNOWN_ADDRESS: Meaning(WrongSystem),
    Misfortune.NOBODY_LISTENS: Meaning(Unavailable, Sent.NOT_SENT),
    Misfortune.BREAKS_OFF: Meaning(Unavailable),
    Misfortune.SILENCE: Meaning(TimedOut),
    Misfortune.STALLS: Meaning(TimedOut),
}


@check
async def every_trouble_has_one_meaning(bench: Bench) -> None:
    """A connection that was well meets each misfortune, says what it means, and is well again afterwards."""
    resource = bench.system.resources[0]
    async with bench.open() as opened:
        for misfortune, meaning in MEANINGS.items():
            await walk(opened, resource)
            with bench.suffer(misfortune, opened):
                _compare(misfortune, await _trouble(opened, resource, misfortune), meaning)
        await walk(opened, resource)


@check
async def troubles_mean_the_same_to_a_login(bench: Bench) -> None:
    """A connection that was never well meets each misfortune in its first question."""
    resource = bench.system.resources[0]
    for misfortune, meaning in MEANINGS.items():
        async with bench.open() as opened:
            with bench.suffer(misfortune, opened):
                _compare(misfortune, await _trouble(opened, resource, misfortune), meaning)


async def _trouble(opened: Opened, resource: Resource, misfortune: Misfortune) -> Trouble | None:
    is_quick = misfortune in (Misfortune.SILENCE, Misfortune.STALLS)
    deadline = opened.deadline(_DEADLINE_SECONDS) if is_quick else opened.deadline()
    limit = opened.source.max_answer_bytes
    if misfortune is Misfortune.TOO_LONG:
        opened.source.max_answer_bytes = _SHORTEST_ANSWER_BYTES
    try:
        await walk(opened, resource, deadline=deadline)
    except Trouble as trouble:
        late = asyncio.get_running_loop().time() - deadline
        assert late < _LATENESS_SECONDS, f"{misfortune.value}: {late:.2f} s after the deadline"
        return trouble
    finally:
        opened.source.max_answer_bytes = limit
    return None


def _compare(misfortune: Misfortune, trouble: Trouble | None, meaning: Meaning) -> None:
    said = f"{misfortune.value}: {trouble!r}"
    assert trouble is not None, said
    assert type(trouble) is meaning.trouble, said
    assert trouble.sent is meaning.sent, said
    if isinstance(trouble, RateLimited):
        assert trouble.retry_after == RETRY_AFTER_SECONDS, f"{said} {trouble.retry_after}"
    assert "<" not in f"{trouble} {trouble.upstream}", f"{said} passes a page on"
