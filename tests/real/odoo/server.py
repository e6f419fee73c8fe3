"""The running Odoo as tests see it: its address, its own answers, and its administrator's levers."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.real.odoo.database import Database, serving
from tests.real.odoo.installation import installation
from tests.real.odoo.process import DATABASE, odoo
from tests.real.odoo.recorder import Recorder, recorder
from tests.real.odoo.wire import Client


@dataclass(frozen=True)
class Odoo:
    """One served copy of the seeded plant; `url` is the server's address, `folder` holds its log and database.

    `keys` are the API keys by login: `switchgear` reads everything and changes nothing, `limited` buys and sees
    only the maintenance that concerns itself, `admin` may do all; `expired` is a key that was valid once.
    """

    url: str
    database: str
    folder: Path
    keys: dict[str, str] = field(repr=False)
    _beneath: Database = field(repr=False)

    def call(self, user: str, model: str, method: str, **arguments: Any) -> Any:
        """Return what Odoo itself answers to `user`; raises `wire.Refused` if that is no result."""
        return Client(self.url, self.database).call(self.keys[user], model, method, **arguments)

    def ask(self, model: str, method: str, **arguments: Any) -> Any:
        """Return what Odoo answers to its administrator."""
        return self.call("admin", model, method, **arguments)

    def rows(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        """Return `fields` of the records in `domain`, by id, archived ones too, as the administrator sees them."""
        context = {"active_test": False}
        rows: list[dict[str, Any]] = self.ask(
            model, "search_read", domain=domain, fields=fields, order="id", context=context
        )
        return rows

    @contextmanager
    def key_expired(self, user: str) -> Iterator[None]:
        """Let the API key of `user` be past its date while the block lasts."""
        key = f"name = 'tests' AND user_id = (SELECT id FROM res_users WHERE login = '{user}')"  # noqa: S608 - our own
        self._beneath.execute(f"UPDATE res_users_apikeys SET expiration_date = '2024-12-31' WHERE {key}", self.database)  # noqa: S608
        try:
            yield
        finally:
            self._beneath.execute(f"UPDATE res_users_apikeys SET expiration_date = NULL WHERE {key}", self.database)  # noqa: S608

    @contextmanager
    def without_right_to_read(self, model: str) -> Iterator[None]:
        """Take everybody but the superuser the right to read `model` while the block lasts."""
        granted = [["model_id.model", "=", model], ["perm_read", "=", True]]
        rights = [right["id"] for right in self.rows("ir.model.access", granted, ["id"])]
        self.ask("ir.model.access", "write", ids=rights, vals={"perm_read": False})
        try:
            yield
        finally:
            self.ask("ir.model.access", "write", ids=rights, vals={"perm_read": True})

    @contextmanager
    def with_custom_field(self, model: str, name: str, kind: str) -> Iterator[None]:
        """Let `model` have one more field while the block lasts; custom names start with `x_`."""
        (model_id,) = self.ask("ir.model", "search", domain=[["model", "=", model]])
        definition = {"model_id": model_id, "name": name, "field_description": name, "ttype": kind}
        added = self.ask("ir.model.fields", "create", vals_list=[definition])
        try:
            yield
        finally:
            self.ask("ir.model.fields", "unlink", ids=added)

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Record requests sent to the yielded recorder's `url`, which stands in for `self.url`."""
        with recorder(self.url) as recorded:
            yield recorded


@contextmanager
def running() -> Iterator[Odoo]:
    """Serve a fresh copy of the seeded plant; the copy is gone afterwards."""
    installed = installation()
    with tempfile.TemporaryDirectory(prefix="switchgear-odoo-") as name:
        folder = Path(name) / "plant"
        shutil.copytree(installed.plant, folder)
        with (
            serving(installed.programs.postgresql, folder / "cluster") as served,
            odoo(installed.programs, folder, served) as url,
        ):
            yield Odoo(url, DATABASE, folder, installed.keys, served)
