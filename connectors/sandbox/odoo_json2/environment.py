"""The records as one user sees them in one call: tables, rights, record rules, and the value of every field."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from connectors.sandbox.odoo_json2 import refusals
from connectors.sandbox.odoo_json2.models import EVERYBODY, NUMBERS, Field, Model, Row

Result = TypeVar("Result")
Predicate = Callable[[Row], bool]
Rules = Callable[["Environment", Model], Predicate]

PLACEHOLDER = re.compile(r"\{(\w+)\}")
INSTALLED = datetime(2024, 1, 1, tzinfo=UTC)
"""When records were made that do not say it."""


@dataclass(frozen=True, slots=True)
class User:
    """Who calls, and what he may read."""

    name: str
    granted: frozenset[str] | None = None
    """Models, and model.field for fields of special groups; None for all of both."""
    rules: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """By model the domain of the records that he sees."""


class Environment:
    """The records of one call. It lives no longer than the call, so that its indexes are always right."""

    def __init__(
        self,
        models: Mapping[str, Model],
        data: Mapping[str, Sequence[Row]],
        user: User,
        context: Mapping[str, Any],
        rule: Rules,
        *,
        unaccent: bool = False,
        turn: int = 0,
    ) -> None:
        """See `data` as `user`. `rule` makes the predicate of what he sees of a model; `turn` mixes ties."""
        self.models = models
        self.data = data
        self.user = user
        self.context = context
        self.unaccent = unaccent
        self.turn = turn
        self._rule = rule
        self._kept: dict[Any, Any] = {}

    def keep(self, key: Any, make: Callable[[], Result]) -> Result:
        """Return what was made under this key in this call, making it the first time."""
        if key not in self._kept:
            self._kept[key] = make()
        found: Result = self._kept[key]
        return found

    def with_context(self, context: Mapping[str, Any]) -> Environment:
        """Return the same records in a context that is changed in these places."""
        merged = {**self.context, **context}
        return Environment(
            self.models, self.data, self.user, merged, self._rule, unaccent=self.unaccent, turn=self.turn
        )

    @property
    def shows_archived(self) -> bool:
        """Whether the context asks for archived records too."""
        return not self.context.get("active_test", True)

    def model(self, name: str) -> Model:
        """Find the model that a field leads to."""
        if name not in self.models:
            raise refusals.not_in_the_sandbox(f"the model {name}")
        return self.models[name]

    def field(self, model: Model, name: str) -> Field | None:
        """Find a field that the user has; None if there is none, a refusal if it is not for him."""
        found = model.fields.get(name)
        if found is not None and not self.has_field(model, found):
            raise refusals.field_not_granted(name, model.title, model.name)
        return found

    def may_read(self, model: str) -> bool:
        """Whether the user may read records of the model at all."""
        return self.user.granted is None or model in self.user.granted

    def has_field(self, model: Model, field: Field) -> bool:
        """Whether the user's groups have the field."""
        granted = self.user.granted
        return field.groups in ("", EVERYBODY) or granted is None or f"{model.name}.{field.name}" in granted

    def check(self, model: Model) -> None:
        """Refuse a user who may not read the model."""
        if not self.may_read(model.name):
            raise refusals.no_right(model.title, model.name)

    def sees(self, model: Model) -> Predicate:
        """Return the test of which records of a model the user's rules and companies show."""
        return self.keep(("rule", model.name), lambda: self._rule(self, model))

    def rows(self, model: str) -> Sequence[Row]:
        """Return all records of a model."""
        return self.data.get(model, ())

    def table(self, model: str) -> Mapping[int, Row]:
        """Return all records of a model by id."""
        return self.keep(("table", model), lambda: {row["id"]: row for row in self.rows(model)})

    def pointing(self, model: str, name: str) -> Mapping[int, Sequence[Row]]:
        """Return the records of a model by the id that their field `name` points to."""
        return self.keep(("pointing", model, name), lambda: self._pointing(model, name))

    def _pointing(self, model: str, name: str) -> Mapping[int, Sequence[Row]]:
        found: defaultdict[int, list[Row]] = defaultdict(list)
        for row in self.rows(model):
            value = row.get(name)
            for target in value if isinstance(value, (list, tuple)) else (value,):
                found[target].append(row)
        return found

    def is_active(self, model: Model, row: Row) -> bool:
        """Whether a record is not archived."""
        return "active" not in model.fields or row.get("active", True)

    def value(self, model: Model, row: Row, name: str) -> Any:
        """Return the plain value: None for empty, an id for many2one, ids in any order for the others."""
        field = model.fields[name]
        if name == "display_name":
            return self.display_name(model, row)
        if field.inverse:
            return [each["id"] for each in self.pointing(field.relation, field.inverse).get(row["id"], ())]
        if name in row:
            value = row[name]
        elif field.related:
            value = self._related(model, row, field.related)
        elif field.compute is not None:
            value = field.compute(self, row)
        elif field.store:
            value = self._default(name)
        else:
            raise refusals.not_in_the_sandbox(f"how {model.name}.{name} is computed")
        return _empty(field) if value is None else value

    def _related(self, model: Model, row: Row, path: Sequence[str]) -> Any:
        """Follow a path; a user needs no right to what lies on the way."""
        *way, last = path
        for name in way:
            target = self.table(model.fields[name].relation).get(self.value(model, row, name))
            if target is None:
                return None
            model, row = self.model(model.fields[name].relation), target
        return self.value(model, row, last)

    def _default(self, name: str) -> Any:
        match name:
            case "active":
                return True
            case "create_date" | "write_date":
                return INSTALLED
            case _:
                return None

    def display_name(self, model: Model, row: Row) -> str:
        """Return the name that Odoo shows; reading it needs no right."""
        return self.keep(("name", model.name, row["id"]), lambda: self._display_name(model, row))

    def _display_name(self, model: Model, row: Row) -> str:
        compute = model.fields["display_name"].compute
        if compute is not None:
            return str(compute(self, row))
        parts = []
        for piece in model.name_pieces:
            values = {name: self._word(model, row, name) for name in PLACEHOLDER.findall(piece)}
            if all(values.values()):
                parts.append(piece.format_map(values))
        return "".join(parts) or f"{model.name},{row['id']}"

    def _word(self, model: Model, row: Row, name: str) -> str:
        value = self.value(model, row, name)
        field = model.fields[name]
        if value and field.type == "many2one":
            other = self.model(field.relation)
            return self.display_name(other, self.table(other.name)[value])
        return str(value or "")


def _empty(field: Field) -> Any:
    if field.type in NUMBERS:
        return 0 if field.type == "integer" else Decimal(0)
    if field.type == "boolean":
        return False
    return [] if field.is_many else None
