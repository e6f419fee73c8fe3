"""Checks a connection in stages, from the name of its host to the rights of its user, and says where it ends."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from connectors.client import Source
from connectors.errors import (
    AddressRefused,
    CertificateRefused,
    LoginRefused,
    NoSuchRecords,
    PermissionDenied,
    RateLimited,
    Reauthorize,
    RefreshFailed,
    Sent,
    TimedOut,
    Trouble,
    Unavailable,
)
from connectors.tally import Tally
from gateway.outgoing.egress import Egress
from gateway.outgoing.lines import Line
from gateway.outgoing.overhearing import overhear
from gateway.outgoing.reaching import Reached, reach
from gateway.stores import rows
from gateway.watching.probing import PROBE_SECONDS, smallest_read
from resolvers.outcomes import code_of
from schema.checks import ConnectionCheck, ConnectionCheckName, ConnectionCheckStatus
from schema.errors import MEANINGS
from schema.health import EntityHealthStatus

_Name, _Status = ConnectionCheckName, ConnectionCheckStatus
_STAGES = tuple(name for name in _Name if name is not _Name.CREDITS)
_NO_TLS = "The address begins with http://, so nothing is encrypted."


@dataclass(eq=False)
class Examination:
    """What was checked, stage by stage, and what stopped it, if anything did."""

    checks: list[ConnectionCheck] = field(default_factory=list)
    trouble: Trouble | None = None
    statuses: dict[str, EntityHealthStatus] = field(default_factory=dict)

    def entity_health(self, at: datetime) -> dict[str, rows.EntityHealth]:
        """How each kind of record fares, as it is kept."""
        return {
            name: rows.EntityHealth(status=status.name, last_success_at=at if status is EntityHealthStatus.OK else None)
            for name, status in self.statuses.items()
        }

    def passed(self, name: ConnectionCheckName, seconds: float = 0.0, message: str | None = None) -> None:
        """A stage went well."""
        self._add(name, _Status.PASSED, message, seconds)

    def failed(self, name: ConnectionCheckName, trouble: Trouble, seconds: float = 0.0) -> None:
        """A stage did not go well, which ends the examination."""
        self.trouble = trouble
        remedy = trouble.remedy or _advice(trouble) or MEANINGS[code_of(trouble)].remediation
        self._add(name, _Status.FAILED, f"{trouble.message.rstrip('.')}. {remedy}", seconds)

    def take_back(self, name: ConnectionCheckName) -> None:
        """A stage did not go as it seemed."""
        self.checks = [check for check in self.checks if check.name is not name]

    def skip_the_rest(self) -> None:
        """Name the stages that were not reached."""
        made = {check.name for check in self.checks}
        self.skipped(*(name for name in _STAGES if name not in made))

    def skipped(self, *names: ConnectionCheckName) -> None:
        """Stages were not reached."""
        for name in names:
            self._add(name, _Status.SKIPPED, None, 0.0)

    def _add(
        self, name: ConnectionCheckName, status: ConnectionCheckStatus, message: str | None, seconds: float
    ) -> None:
        self.checks.append(
            ConnectionCheck(name=name, status=status, message=message, duration_ms=round(seconds * 1000))
        )


def _advice(trouble: Trouble) -> str | None:
    """What to do where the words for queries would not do: a test has no `retryAfterMs`, and no rows to spare."""
    match trouble:
        case RateLimited(retry_after=float() | int() as wait):
            return f"Wait {math.ceil(wait)} seconds, then try again."
        case RefreshFailed(retry_after=float() | int() as wait):
            return f"Check that the token address answers; it is asked again after {math.ceil(wait)} seconds."
        case TimedOut():
            return f"See what makes the system slow: a test waits {PROBE_SECONDS:.0f} seconds for it."
        case _:
            return None


async def examine(source: Source, egress: Egress, address: str, line: Line) -> Examination:
    """Check everything that can be checked without writing; each kind of record is asked for one row."""
    found = Examination()
    reached = await reach(egress, address, line)
    for stage in reached:
        _note_stage(found, stage)
    if found.trouble is None:
        if reached[-1].name is _Name.TCP:
            found.checks.append(ConnectionCheck(name=_Name.TLS, status=_Status.SKIPPED, message=_NO_TLS))
        await _ask(source, found)
        await _look_again(found, egress, address, line)
    found.skip_the_rest()
    return found


async def _look_again(found: Examination, egress: Egress, address: str, line: Line) -> None:
    """See whether a line broke off for the sake of a certificate, which a system says only when it is listened to."""
    url, trouble = httpx.URL(address), found.trouble
    if isinstance(trouble, Unavailable) and trouble.sent is not Sent.NOT_SENT and url.scheme == "https":
        name = line.tls.server_name or url.host
        refused = await overhear(egress, url, line, name) if trouble.upstream is None else None
        if refused is not None:
            found.take_back(_Name.HTTP)
            _note_trouble(found, refused, 0.0)


def _note_stage(found: Examination, stage: Reached) -> None:
    if stage.trouble is None:
        found.passed(stage.name, stage.seconds, stage.found)
    else:
        found.failed(stage.name, stage.trouble, stage.seconds)


async def _ask(source: Source, found: Examination) -> None:
    """Read one row of every kind of record; some may be missing or forbidden, but not all of them."""
    deadline = asyncio.get_running_loop().time() + PROBE_SECONDS
    resources = source.system.resources
    refused: list[Trouble] = []
    started, first = time.monotonic(), 0.0
    for place, resource in enumerate(resources):
        entity = resource.model
        try:
            await source.fetch(smallest_read(resource), Tally(entity=entity.name), deadline)
            found.statuses[entity.type.name] = EntityHealthStatus.OK
        except (PermissionDenied, NoSuchRecords) as trouble:
            refused.append(trouble)
            is_forbidden = isinstance(trouble, PermissionDenied)
            status = EntityHealthStatus.PERMISSION_DENIED if is_forbidden else EntityHealthStatus.UNSUPPORTED
            found.statuses.setdefault(entity.type.name, status)
        except Trouble as trouble:
            _note_trouble(found, trouble, time.monotonic() - started)
            return
        if place == 0:
            first = time.monotonic() - started
    # One answer has shown all three at once.
    found.passed(_Name.HTTP, first)
    found.passed(_Name.SYSTEM, message=f"It answers as {source.system.title} does.")
    found.passed(_Name.CREDENTIALS)
    _note_rights(found, refused, len(resources), time.monotonic() - started - first)


def _note_trouble(found: Examination, trouble: Trouble, seconds: float) -> None:
    if isinstance(trouble, LoginRefused | RefreshFailed):  # the system itself was not asked
        found.skipped(_Name.HTTP, _Name.SYSTEM)
        found.failed(_Name.CREDENTIALS, trouble, seconds)
        return
    if isinstance(trouble, CertificateRefused):
        # A system says so only after our side of the handshake, so that the stage seemed to go well.
        found.take_back(_Name.TLS)
        found.failed(_Name.TLS, trouble, seconds)
        return
    is_mute = isinstance(trouble, TimedOut | AddressRefused) or (
        isinstance(trouble, Unavailable) and trouble.upstream is None
    )
    if is_mute:
        found.failed(_Name.HTTP, trouble, seconds)
        return
    found.passed(_Name.HTTP, seconds)
    if isinstance(trouble, Reauthorize):
        found.passed(_Name.SYSTEM)
        found.failed(_Name.CREDENTIALS, trouble)
    else:
        found.failed(_Name.SYSTEM, trouble)


def _note_rights(found: Examination, refused: Sequence[Trouble], asked: int, seconds: float) -> None:
    forbidden = [trouble for trouble in refused if isinstance(trouble, PermissionDenied)]
    if len(refused) == asked:
        found.failed(_Name.PERMISSIONS, next(iter(forbidden), refused[0]), seconds)
        return
    missing = [name for name, status in found.statuses.items() if status is EntityHealthStatus.PERMISSION_DENIED]
    message = f"The user may not read: {', '.join(missing)}." if missing else None
    found.passed(_Name.PERMISSIONS, seconds, message)
