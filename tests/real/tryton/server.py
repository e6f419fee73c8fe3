"""The running Tryton as tests see it: its address, its own answers, and its administrator's levers."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.real.tryton.administrator import ADMINISTRATOR
from tests.real.tryton.installation import installation
from tests.real.tryton.process import DATABASE, trytond
from tests.real.tryton.recorder import Recorder, recorder
from tests.real.tryton.seed import PLANT
from tests.real.tryton.wire import Client

PASSWORDS: dict[str, str] = {user["login"]: user["password"] for user in PLANT["users"]}
NOTHING = {"perm_read": False, "perm_write": False, "perm_create": False, "perm_delete": False}


@dataclass(frozen=True)
class Tryton:
    """One served copy of the seeded plant; `url` is the server's address, `folder` holds its log and database.

    The users of the plant and their first passwords are `PASSWORDS`; `switchgear` reads all that a connection does,
    `limited` only what everybody may: parties, products and productions, but no purchases, moves and assets.
    """

    url: str
    database: str
    folder: Path
    _client: Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_client", Client(f"{self.url}/{self.database}"))

    def call(
        self, user: str, password: str, method: str, *parameters: Any, context: dict[str, Any] | None = None
    ) -> Any:
        """Return what Tryton itself answers to `user`; raises `wire.Refused` if that is no result."""
        return self._client.call(user, password, method, *parameters, context=context)

    def ask(self, method: str, *parameters: Any) -> Any:
        """Return what Tryton answers to its administrator."""
        return self.call(*ADMINISTRATOR, method, *parameters)

    def rows(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        """Return `fields` of the records in `domain`, by id, inactive ones too, as the administrator sees them."""
        parameters = (domain, 0, None, [["id", "ASC"]], fields)
        context = {"company": 1, "active_test": False}
        method = f"model.{model}.search_read"
        rows: list[dict[str, Any]] = self.call(*ADMINISTRATOR, method, *parameters, context=context)
        return rows

    def set_password(self, user: str, password: str) -> None:
        """Give `user` another password; Tryton ends all sessions of the user."""
        self.ask("model.res.user.write", self._users(user), {"password": password})

    def end_sessions(self, user: str) -> None:
        """End all sessions of `user`, as if they had expired."""
        (id_,) = self._users(user)
        self._change("DELETE FROM ir_session WHERE create_uid = ?", id_)

    def forget_failed_logins(self) -> None:
        """Lift the delay and the lock that failed logins bring for five minutes."""
        self._change("DELETE FROM res_user_login_attempt")

    @contextmanager
    def without_right_to_read(self, model: str) -> Iterator[None]:
        """Take everybody, the administrator too, the right to read `model` while the block lasts."""
        # Tryton guards the rights it ships with, so those are changed beneath it; the right that is added in
        # the open covers a model without any, and makes Tryton forget what it knew.
        rights = self.rows("ir.model.access", [["model", "=", model], ["perm_read", "=", True]], ["id"])
        for right in rights:
            self._change("UPDATE ir_model_access SET perm_read = 0 WHERE id = ?", right["id"])
        added = self.ask("model.ir.model.access.create", [{"model": model} | NOTHING])
        try:
            yield
        finally:
            for right in rights:
                self._change("UPDATE ir_model_access SET perm_read = 1 WHERE id = ?", right["id"])
            self.ask("model.ir.model.access.delete", added)

    @contextmanager
    def without_right_to_read_field(self, model: str, name: str) -> Iterator[None]:
        """Take everybody the right to read one field of `model` while the block lasts."""
        rule = {"model": model, "field": name} | NOTHING
        added = self.ask("model.ir.model.field.access.create", [rule])
        try:
            yield
        finally:
            self.ask("model.ir.model.field.access.delete", added)

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Record requests sent to the yielded recorder's `url`, which stands in for `self.url`."""
        with recorder(self.url) as recorded:
            yield recorded

    def _users(self, login: str) -> list[int]:
        ids: list[int] = self.ask("model.res.user.search", [["login", "=", login]], 0, None, None)
        return ids

    def _change(self, statement: str, *values: int) -> None:
        with closing(sqlite3.connect(self.folder / f"{self.database}.sqlite")) as connection, connection:
            connection.execute(statement, values)


@contextmanager
def running() -> Iterator[Tryton]:
    """Serve a fresh copy of the seeded plant; the copy is gone afterwards."""
    installed = installation()
    with tempfile.TemporaryDirectory(prefix="switchgear-tryton-") as name:
        folder = Path(name)
        shutil.copyfile(installed.database, folder / installed.database.name)
        with trytond(installed.python, folder) as url:
            yield Tryton(url, DATABASE, folder)
