"""The models that the sandbox serves: what fields_get tells of them, and what it does not tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

Row = dict[str, Any]
Compute = Callable[[Any, Row], Any]
"""Works out an unstored field of a row in an environment."""

TEXTS = frozenset(("char", "text", "html"))
NUMBERS = frozenset(("integer", "float", "monetary"))
MANY = frozenset(("one2many", "many2many"))
AUTOMATIC: Mapping[str, Mapping[str, Any]] = {
    "id": {"type": "integer", "store": True, "searchable": True, "sortable": True, "readonly": True},
    "display_name": {"type": "char", "searchable": True, "readonly": True},
    "create_date": {"type": "datetime", "store": True, "searchable": True, "sortable": True, "readonly": True},
    "write_date": {"type": "datetime", "store": True, "searchable": True, "sortable": True, "readonly": True},
}
"""What every model has."""
EVERYBODY = "base.group_user"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a model."""

    name: str
    type: str
    relation: str = ""
    """The model that it leads to, empty if none."""
    selection: tuple[str, ...] = ()
    """The keys of a selection."""
    store: bool = False
    searchable: bool = False
    sortable: bool = False
    required: bool = False
    readonly: bool = False
    company_dependent: bool = False
    translate: bool = False
    manual: bool = False
    groups: str = ""
    """The groups of users that have it, empty for everybody."""
    inverse: str = ""
    """The field of the other model that leads back, of a one2many or the second side of a many2many."""
    related: tuple[str, ...] = ()
    """The path that the value comes from."""
    compute: Compute | None = None

    @property
    def is_many(self) -> bool:
        """Whether it leads to any number of records."""
        return self.type in MANY


@dataclass(frozen=True, slots=True)
class Model:
    """A model with its fields by name."""

    name: str
    title: str
    order: str
    """The order of its records when nobody names one."""
    name_pieces: tuple[str, ...]
    """The pieces of the display name; a piece whose fields are empty is left out."""
    fields: dict[str, Field]


def read_models(
    facts: Mapping[str, Any],
    behaviour: Mapping[str, Any],
    computed: Mapping[str, Mapping[str, Compute]],
) -> dict[str, Model]:
    """Read the models.

    `facts["models"]` holds the attributes of the fields by model and field. `behaviour` says by model what
    fields_get does not: title, order, name (pieces of the display name), inverse (by field), related (dotted path
    by field), inherits (the many2one whose model lends fields of the same name); and fields of models that the
    facts lack (type, and relation behind a space). `computed` holds functions by model and field.
    """
    described = facts["models"]
    models = {}
    for name in sorted({*described, *behaviour}):
        said = behaviour.get(name, {})
        attributes = {**AUTOMATIC, **(described.get(name) or _short(said.get("fields", {})))}
        models[name] = Model(
            name=name,
            title=said.get("title", name),
            order=said.get("order", "id"),
            name_pieces=tuple(said.get("name", ["{name}"])),
            fields={
                field: _field(field, each, said, computed.get(name, {}).get(field))
                for field, each in attributes.items()
            },
        )
    for name, said in behaviour.items():
        if "inherits" in said:
            _inherit(models, models[name], said["inherits"])
    return models


def short_fields(said: Mapping[str, str]) -> dict[str, Field]:
    """Return stored fields by their types, each with the model that it leads to behind a blank."""
    return {name: _field(name, attributes, {}, None) for name, attributes in _short(said).items()}


def _short(said: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    fields: dict[str, dict[str, Any]] = {}
    for name, text in said.items():
        kind, _, relation = text.partition(" ")
        fields[name] = {"type": kind, "store": True, "searchable": True, "sortable": kind not in MANY}
        if relation:
            fields[name]["relation"] = relation
    return fields


def _field(name: str, attributes: Mapping[str, Any], said: Mapping[str, Any], compute: Compute | None) -> Field:
    path = said.get("related", {}).get(name, "")
    return Field(
        **{
            **attributes,
            "name": name,
            "selection": tuple(attributes.get("selection") or ()),
            "inverse": said.get("inverse", {}).get(name, ""),
            "related": tuple(path.split(".")) if path else (),
            "compute": compute,
        }
    )


def _inherit(models: Mapping[str, Model], model: Model, parent: str) -> None:
    """Let the unstored fields that the parent stores under the same name come from there."""
    lender = models[model.fields[parent].relation]
    for name, field in model.fields.items():
        lent = lender.fields.get(name)
        if lent and lent.store and not (field.store or field.related or field.compute):
            model.fields[name] = replace(field, related=(parent, name))
