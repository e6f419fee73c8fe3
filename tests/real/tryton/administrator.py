"""The administrator at work: creates and finds records by the codes that `plant.json` uses."""

from collections.abc import Iterable
from typing import Any

from tests.real.tryton.wire import Client, Refused

ADMINISTRATOR = ("admin", "Turbine-Hall-7!")


class Administrator:
    """Calls Tryton as its administrator and remembers the ids of what it created."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ids: dict[tuple[str, str], int] = {}
        self.context: dict[str, Any] = {}

    def call(self, method: str, *parameters: Any, **context: Any) -> Any:
        """Return the result of `method`, called in the administrator's context; warnings are confirmed."""
        try:
            return self._call(method, *parameters, **context)
        except Refused as refused:
            if refused.error[0] != "UserWarning":
                raise
            name, _, _ = refused.error[1]
            self._call("model.res.user.warning.create", [{"user": 1, "name": name, "always": False}])
            return self.call(method, *parameters, **context)

    def _call(self, method: str, *parameters: Any, **context: Any) -> Any:
        return self._client.call(*ADMINISTRATOR, method, *parameters, context=self.context | context)

    def create(self, model: str, records: list[dict[str, Any]], codes: Iterable[str | None] = ()) -> list[int]:
        """Create `records` in one transaction; afterwards `id` knows them by `codes`."""
        ids: list[int] = self.call(f"model.{model}.create", records)
        for code, id_ in zip(codes, ids, strict=False):
            if code:
                self.remember(model, code, id_)
        return ids

    def remember(self, model: str, code: str, id_: int) -> None:
        """Let `id` know a record by `code`."""
        self._ids[model, code] = id_

    def id(self, model: str, code: str) -> int:
        """Return the id of the record known by `code`."""
        return self._ids[model, code]

    def find(self, model: str, *domain: Any, order: list[list[str]] | None = None) -> list[int]:
        """Return the ids of the records that match all clauses of `domain`."""
        ids: list[int] = self.call(f"model.{model}.search", list(domain), 0, None, order)
        return ids

    def wizard(self, name: str, steps: list[tuple[str, dict[str, Any]]], **context: Any) -> None:
        """Go through a wizard; a step is the state to go to and the data entered on the way."""
        session, _, _ = self.call(f"wizard.{name}.create", **context)
        for state, data in steps:
            self.call(f"wizard.{name}.execute", session, data, state, **context)
        self.call(f"wizard.{name}.delete", session, **context)
