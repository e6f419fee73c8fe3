"""The command `switchgear`: demo, init, serve, connect, systems, schema, and where to find audit, check and keys."""

import asyncio
import logging
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from gateway.settings import Settings, SettingsError, load

PEM = click.Path(path_type=Path, exists=True, dir_okay=False)
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def _settings() -> Settings:
    try:
        return load()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def _settings_with_manifests() -> Settings:
    """The settings, once the systems that they name beside the built-in ones are known."""
    from connectors.registry import use_manifests

    settings = _settings()
    use_manifests(settings.manifests)
    return settings


def _quiet_interrupt(command: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """End on Ctrl-C without a traceback; by then everything is closed."""

    @wraps(command)
    def run(*arguments: _Parameters.args, **options: _Parameters.kwargs) -> _Result:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt:
            sys.exit(0)

    return run


class _Commands(click.Group):
    """The commands; those that bring what the others do not need are read when they are called."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Every command by name."""
        return sorted([*super().list_commands(context), "audit", "check", "keys"])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """One command."""
        if name == "audit":
            from gateway.commands.auditing import audit

            return audit
        if name == "check":
            from gateway.commands.checking import check

            return check
        if name == "keys":
            from gateway.commands.rotating import keys

            return keys
        return super().get_command(context, name)


@click.group(cls=_Commands)
@click.version_option(package_name="switchgear")
def main() -> None:
    """One live GraphQL graph over every system a plant runs."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="The port to listen on; 0 takes any free one.")
@click.option("--data", type=click.Path(path_type=Path), help="Keep everything in this folder for the next time.")
@_quiet_interrupt
def demo(host: str, port: int, data: Path | None) -> None:
    """Run a whole plant with invented data, and a console to ask it."""
    from gateway.demo.running import run_demo
    from gateway.keys.keyring import KeyringError
    from gateway.logging import configure
    from gateway.serving.servers import CannotListen
    from gateway.stores.errors import StoreError

    settings = _settings()
    configure("WARNING")
    # A stand-in that is told to be down breaks off in uvicorn's middle, which is no news to whoever told it.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    try:
        asyncio.run(run_demo(settings, host, port, data, click.echo))
    except CannotListen as error:
        raise click.ClickException(f"{error}; --port 0 takes any free one") from None
    except (KeyringError, SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or data}: {error.strerror}") from None


@main.command()
def init() -> None:
    """Make the encryption keys and the admin token, once."""
    from gateway.commands.operators import admin_token_file, initialize
    from gateway.keys.keyring import KeyringError
    from gateway.stores.errors import StoreError

    settings = _settings()
    try:
        token = asyncio.run(initialize(settings))
    except (KeyringError, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Encryption keys: {settings.keys_path} (back them up: without them, credentials are lost)")
    if token is None:
        click.echo("Admin token: the one in SWITCHGEAR_ADMIN_TOKEN")
    else:
        click.echo(f"Admin token: {token}")
        click.echo(f"It is also in {admin_token_file(settings)}; move it to a safe place.")


@main.command()
@click.option("--role", type=click.Choice(["web", "worker"]), help="Only answer, or only work in the background.")
@_quiet_interrupt
def serve(role: str | None) -> None:
    """Serve the graph, and do the work in the background."""
    from gateway.app import Role, build
    from gateway.commands.neighbours import marked
    from gateway.commands.operators import admit_operator
    from gateway.keys.keyring import Keyring, KeyringError
    from gateway.logging import configure
    from gateway.serving.servers import CannotListen, MainServer, configuration, listen, port_of
    from gateway.stores.errors import StoreError

    settings = _settings()
    configure(settings.log_level)
    if settings.profile == "dev":
        click.echo("Profile dev: every address can be reached, this machine's own too. Not for production.", err=True)
    try:
        keyring = Keyring.load(settings.keys_path)
    except KeyringError as error:
        raise click.ClickException(str(error)) from None
    try:
        has_operator = asyncio.run(admit_operator(settings, keyring))
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    if not has_operator:
        raise click.ClickException("There is no admin token: run `switchgear init`, or set SWITCHGEAR_ADMIN_TOKEN.")
    try:
        listener = listen(settings.host, settings.port)
    except CannotListen as error:
        raise click.ClickException(f"{error}; name another port with SWITCHGEAR_PORT") from None
    port = port_of(listener)
    with marked(settings.data_directory) as other:
        if other is not None and settings.cache_url.get_secret_value().startswith("memory:"):
            click.echo(
                f"Process {other} serves the data in {settings.data_directory} already: "
                "both will answer, each with a cache and limits of its own. "
                "To share them, set SWITCHGEAR_CACHE_URL to a Redis.",
                err=True,
            )
        path = "readyz; it answers no queries" if role == Role.WORKER.value else "graphql"
        click.echo(f"Switchgear listens on http://{settings.host}:{port}/{path}", err=True)
        application = build(settings, keyring, [(settings.host, port)], role=Role(role) if role else None)
        server = MainServer(configuration(application), application.state.gateway.drain, settings.linger_seconds)
        asyncio.run(server.serve([listener]))


@main.command()
@click.argument("system")
@click.option("--name", required=True, help="A name to show to people.")
@click.option("--customer", "customer_id", help="The id of the customer; a customer's key need not say.")
@click.option("--auth-method", help="The way of logging in, by key; by default the system's first.")
@click.option(
    "--field", "fields", multiple=True, metavar="NAME=VALUE", help="An answer to the form; others are asked for."
)
@click.option("--on-premises", is_flag=True, help="The system runs at the customer's.")
@click.option("--dry-run", is_flag=True, help="Only check the credentials; keep nothing.")
@click.option("--certificate-authority", type=PEM, help="A file with certificates of a private authority.")
@click.option("--client-certificate", type=PEM, help="A file with a client certificate.")
@click.option("--client-key", type=PEM, help="A file with the key of the client certificate.")
@click.option("--server-name", help="The name in the system's certificate, where it is not the host's.")
@click.option("--proxy", "proxy_url", metavar="URL", help="The proxy that calls go through.")
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="A header that is added to every call.")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where the gateway answers.")
@click.option(
    "--token-file", type=click.Path(path_type=Path, exists=True), help="A file with an admin or customer key."
)
def connect(system: str, **options: Any) -> None:
    """Connect a system, after a live check of its credentials."""
    from gateway.commands.connect import ConnectingFailed, connect_system

    try:
        click.echo(asyncio.run(connect_system(_settings_with_manifests(), system, **options)))
    except ConnectingFailed as error:
        raise click.ClickException(str(error)) from None


@main.command()
def systems() -> None:
    """List what can be connected."""
    from connectors.registry import all_systems

    _settings_with_manifests()
    for system in all_systems():
        methods = ", ".join(method.key for method in system.auth_methods)
        click.echo(f"{system.key:<14} {system.title:<20} by {system.vendor}; logins: {methods}")


@main.command()
def schema() -> None:
    """Print the GraphQL schema."""
    from resolvers.roots import build_schema

    click.echo(build_schema().as_str())
