"""The commands `switchgear keys rotate` and `verify`: a new encryption key, and whether every credential opens."""

import asyncio

import click

from gateway.commands.neighbours import marked
from gateway.keys.keyring import Keyring, KeyringError, SealBroken
from gateway.settings import Settings, SettingsError, load
from gateway.stores.errors import StoreError
from gateway.stores.sql import Store


@click.group()
def keys() -> None:
    """Look after the keys that credentials are sealed with."""


@keys.command()
def rotate() -> None:
    """Make a new encryption key, and put all credentials under it; the gateway must not run meanwhile."""
    settings, keyring = _beginning()
    with marked(settings.data_directory) as other:
        if other is not None:
            raise click.ClickException(
                f"Process {other} serves this data; stop it first, it does not know the new key."
            )
        renewed = keyring.rotated()
        try:
            renewed.replace(settings.keys_path)
            count = asyncio.run(_rewrap(settings, renewed))
        except (StoreError, SealBroken, OSError) as error:
            raise click.ClickException(f"{error}\nBoth keys are in {settings.keys_path}; try again.") from None
    click.echo(
        f"{count} credentials are under a new key. Back up {settings.keys_path}; older backups need the old keys."
    )


@keys.command()
def verify() -> None:
    """See whether all credentials can be opened with the present keys."""
    settings, keyring = _beginning()
    try:
        sealed = asyncio.run(_sealed(settings))
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    broken = []
    for tenant, row, text in sealed:
        try:
            keyring.unseal(text, tenant=tenant, row=row)
        except SealBroken as error:
            broken.append(f"{row}: {error}")
    if broken:
        raise click.ClickException("\n".join(["These credentials cannot be opened:", *broken]))
    click.echo(f"All {len(sealed)} credentials can be opened.")


def _beginning() -> tuple[Settings, Keyring]:
    try:
        settings = load()
        return settings, Keyring.load(settings.keys_path)
    except (SettingsError, KeyringError) as error:
        raise click.ClickException(str(error)) from None


async def _rewrap(settings: Settings, keyring: Keyring) -> int:
    store = await Store.open(settings.store_url)
    try:
        return await store.reseal(lambda tenant, row, text: keyring.rewrap(text, tenant=tenant, row=row))
    finally:
        await store.close()


async def _sealed(settings: Settings) -> list[tuple[str, str, str]]:
    store = await Store.open(settings.store_url)
    try:
        return await store.sealed()
    finally:
        await store.close()
