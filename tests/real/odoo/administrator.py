"""The administrator at work: creates records that name each other as `plant.json` does."""

from typing import Any

from tests.real.odoo.wire import Client


class Administrator:
    """Calls Odoo with the administrator's key and remembers the ids of the records that have a name.

    In the values of a record `"@NAME"` stands for a record, a list of such names for a set of records, and a
    list of objects for records that are created along with this one. The key `"@"` gives a record its name. What
    stands under the only key `"="` is passed on as it is.
    """

    def __init__(self, client: Client, key: str) -> None:
        self._client = client
        self._key = key
        self._ids: dict[str, int] = {}

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        """Return the result of `method`."""
        return self._client.call(self._key, model, method, **arguments)

    def know(self, known: dict[str, tuple[str, list[Any]]]) -> None:
        """Learn the ids of records that Odoo brought with it: each name stands for one model and domain."""
        for name, (model, domain) in known.items():
            self.remember(name, self.find(model, *domain)[0])

    def find(self, model: str, *domain: Any) -> list[int]:
        """Return the ids of the records that match all clauses of `domain`, archived ones too, by id."""
        context = {"active_test": False}
        ids: list[int] = self.call(model, "search", domain=list(domain), order="id", context=context)
        return ids

    def group(self, external: str) -> int:
        """Return the id of a group of users by its external name, such as `purchase.group_purchase_user`."""
        module, name = external.split(".")
        domain = [["module", "=", module], ["name", "=", name]]
        (known,) = self.call("ir.model.data", "search_read", domain=domain, fields=["res_id"])
        id_: int = known["res_id"]
        return id_

    def create(self, model: str, records: list[dict[str, Any]], **context: Any) -> list[int]:
        """Create `records`, each of which may name those before it; return their ids."""
        ids = []
        for record in records:
            (id_,) = self.call(model, "create", vals_list=[self.values(record)], context=context)
            if "@" in record:
                self.remember(record["@"], id_)
            ids.append(id_)
        return ids

    def write(self, model: str, ids: list[int], **values: Any) -> None:
        """Change the records with `ids`."""
        self.call(model, "write", ids=ids, vals=self.values(values))

    def remember(self, name: str, id_: int) -> None:
        """Let `name` stand for a record."""
        self._ids[name] = id_

    def id(self, name: str) -> int:
        """Return the id of the record that `"@NAME"` stands for."""
        return self._ids[name.removeprefix("@")]

    def values(self, value: Any) -> Any:
        """Return `value` with ids in place of names, in the form in which Odoo takes them."""
        match value:
            case str() if value.startswith("@"):
                return self.id(value)
            case {"=": plain}:
                return plain
            case dict():
                return {name: self._field(part) for name, part in value.items() if name != "@"}
            case list():
                return [self.values(part) for part in value]
            case _:
                return value

    def _field(self, value: Any) -> Any:
        if not isinstance(value, list):
            return False if value is None else self.values(value)
        if all(isinstance(part, dict) for part in value):
            return [[0, 0, self.values(part)] for part in value]  # create these
        return [[6, 0, self.values(value)]]  # be these and no others
