"""The command `switchgear check`: says what is wrong with a manifest, and how its system's rows would look."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import click

from connectors.client import Source
from connectors.errors import AddressRefused
from connectors.manifests.checking import Report
from connectors.manifests.checking import check as check_folder
from connectors.manifests.live import check_live
from connectors.protection.protections import lone_guard
from connectors.spec import AuthMethod, System
from gateway.outgoing.egress import Egress
from gateway.settings import Settings, SettingsError, load
from schema.records import FieldGapReason

_PATIENCE_SECONDS = 60.0
_ALWAYS_SO = {FieldGapReason.NOT_MAPPED.name, FieldGapReason.NOT_SUPPORTED_BY_SYSTEM.name}
"""Reasons that are the same for every record, and so are told once."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--url", help="Where the running system answers; it is asked for its first rows.")
@click.option("--login", help="The way of logging in, by key; by default the system's first.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="An answer to the login's form.")
def check(folder: Path, url: str | None, login: str | None, fields: Sequence[str]) -> None:
    """Check a folder that describes a system, with its samples and, with --url, against the system itself."""
    report = check_folder(folder)
    described = report.described
    if url is not None and described is not None:
        method = _method(described.system, login)
        answers = _answers(method, {described.manifest.address.field: url, **_given(fields)})
        try:
            asyncio.run(_visit(report, load(), method, answers))
        except (AddressRefused, SettingsError) as error:
            _print(report)
            raise click.ClickException(str(error)) from None
    _print(report)
    if not report.is_good:
        raise SystemExit(1)


def _method(system: System, key: str | None) -> AuthMethod:
    method = system.auth_methods[0] if key is None else system.auth_method(key)
    if method is None:
        known = ", ".join(item.key for item in system.auth_methods)
        raise click.ClickException(f"{system.title} has no login {key!r}; it has: {known}.")
    return method


def _given(fields: Sequence[str]) -> dict[str, str]:
    given = {}
    for item in fields:
        name, separator, value = item.partition("=")
        if not separator:
            raise click.ClickException(f"--field takes NAME=VALUE, not {item!r}.")
        given[name] = value
    return given


def _answers(method: AuthMethod, given: dict[str, str]) -> dict[str, str]:
    for item in method.fields:
        if item.is_required and item.name not in given:
            given[item.name] = click.prompt(item.label, hide_input=item.is_secret)
    return given


async def _visit(report: Report, settings: Settings, method: AuthMethod, answers: dict[str, str]) -> None:
    described = report.described
    if described is None:
        return
    egress = Egress(settings.profile, settings.allowed_networks)
    try:
        async with egress.client(base_url=described.system.address(answers)) as client:
            guard = lone_guard(limits=described.system.limits)
            source = Source("con_check", described.system, client, method.flow(answers), guard=guard)
            deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
            await check_live(report, described, source, deadline)
    finally:
        egress.close()


def _print(report: Report) -> None:
    for entity, rows in report.rows.items():
        for row in rows:
            missing = {path: reason for path, reason in row["missing"].items() if reason not in _ALWAYS_SO}
            shown = {name: value for name, value in row.items() if name != "missing"}
            click.echo(f"{entity} {json.dumps(shown | ({'missing': missing} if missing else {}), ensure_ascii=False)}")
    for resource in report.described.system.resources if report.described else ():
        if resource.unmapped:
            click.echo(f"{resource.model.name}: not mapped yet: {', '.join(resource.unmapped)}")
    for note in report.notes:
        click.echo(f"Note: {note}")
    for mistake in report.mistakes:
        click.echo(
            f"{report.folder / mistake.file}{'' if mistake.line is None else f':{mistake.line}'}: {mistake.message}"
        )
    if report.is_good and report.described is not None:
        click.echo(f"{report.described.system.title} is described well.")
    else:
        count = len(report.mistakes)
        click.echo("1 mistake." if count == 1 else f"{count} mistakes.")
