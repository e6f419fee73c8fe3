"""The methods that may be called, with the signatures that their arguments have to fit."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.sandbox.odoo_json2 import reading, refusals
from connectors.sandbox.odoo_json2.environment import Environment
from connectors.sandbox.odoo_json2.models import Field, Model

OPERATIONS = frozenset(("read", "write", "create", "unlink"))
ABSENT = frozenset(
    (
        *("create", "write", "unlink", "copy", "name_create", "name_search", "default_get", "onchange", "web_save"),
        *("read_group", "formatted_read_group", "web_read_group", "web_search_readgroup", "search_panel_select_range"),
        *("check_access_rights", "export_data", "get_views", "toggle_active", "action_archive", "action_unarchive"),
        *("button_confirm", "button_cancel", "button_draft", "button_lock", "button_unlock", "button_approve"),
    )
)
"""Methods of Odoo that the sandbox lacks."""
ATTRIBUTES = (
    *("type", "string", "relation", "store", "searchable", "sortable", "required", "readonly"),
    *("company_dependent", "translate", "manual", "groups"),
)


def call(environment: Environment, model: Model, method: str, arguments: Mapping[str, Any]) -> Any:
    """Call a method with its named arguments, `ids` among them, and return its result as Odoo writes it."""
    if method.startswith("_"):
        raise refusals.private_method(model.name, method)
    function = METHODS.get(method) or OF_USERS.get(method if model.name == "res.users" else "")
    if function is None and method in ABSENT:
        raise refusals.not_in_the_sandbox(f"the method {method}")
    if function is None:
        raise refusals.unknown_method(model.name, method)
    named = dict(arguments)
    ids = named.pop("ids", ())
    first: tuple[Any, ...] = (environment, model)
    if function in OF_RECORDS:
        first = (*first, [ids] if isinstance(ids, int) else ids or ())
    elif ids:
        raise refusals.arguments_do_not_fit(f"cannot call {model.name}.{method} with ids")
    try:
        inspect.signature(function).bind(*first, **named)
    except TypeError as error:
        raise refusals.arguments_do_not_fit(str(error)) from None
    return function(*first, **named)


def search_read(
    environment: Environment,
    model: Model,
    domain: object = None,
    fields: Any = None,
    offset: object = 0,
    limit: object = None,
    order: object = None,
    **more: Any,
) -> Any:
    """Search and read in one call; without arguments that is everything."""
    load = _load(more)
    rows = reading.search(environment, model, domain or [], offset, limit, order)
    return reading.read(environment, model, rows, fields, names_of_targets=load)


def _load(more: Mapping[str, Any]) -> bool:
    for name in more:
        if name != "load":
            raise refusals.unexpected_keyword("_read_format", name)
    return bool(more.get("load", "_classic_read") == "_classic_read")


def web_search_read(
    environment: Environment,
    model: Model,
    domain: object,
    specification: Any,
    offset: int = 0,
    limit: object = None,
    order: object = None,
    count_limit: int | None = None,
) -> Any:
    """Search and read nested in one call, with the number of all that the domain finds."""
    rows = reading.search(environment, model, domain, offset, limit, order)
    records = reading.web_read(environment, model, rows, specification)
    if not records:
        return {"length": 0, "records": []}
    length = offset + len(records)
    if len(records) == limit and not (count_limit and count_limit <= length):
        length = reading.count_rows(environment, model, domain, count_limit)
    return {"length": length, "records": records}


def search(
    environment: Environment,
    model: Model,
    domain: object,
    offset: object = 0,
    limit: object = None,
    order: object = None,
) -> list[int]:
    """Return ids."""
    return [row["id"] for row in reading.search(environment, model, domain, offset, limit, order)]


def search_count(environment: Environment, model: Model, domain: object, limit: object = None) -> int:
    """Return how many there are."""
    return reading.count_rows(environment, model, domain, limit)


def read(
    environment: Environment,
    model: Model,
    ids: Sequence[Any],
    fields: Any = None,
    load: object = "_classic_read",
) -> Any:
    """Read by id."""
    environment.check(model)
    rows = reading.existing(environment, model, ids)
    return reading.read(environment, model, rows, fields, names_of_targets=load == "_classic_read")


def web_read(environment: Environment, model: Model, ids: Sequence[Any], specification: Any) -> Any:
    """Read by id, nested."""
    environment.check(model)
    return reading.web_read(environment, model, reading.existing(environment, model, ids), specification)


def fields_get(
    environment: Environment,
    model: Model,
    allfields: Sequence[str] | None = None,
    attributes: Sequence[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Describe the fields that the user has; names and attributes that do not exist are passed over."""
    return {
        name: _described(field, attributes)
        for name, field in model.fields.items()
        if (not allfields or name in allfields) and environment.has_field(model, field)
    }


def _described(field: Field, attributes: Sequence[str] | None) -> dict[str, Any]:
    said: dict[str, Any] = {name: getattr(field, name, None) for name in ATTRIBUTES}
    said["string"] = field.name.removesuffix("_ids").removesuffix("_id").replace("_", " ").capitalize()
    if field.type == "selection":
        said["selection"] = [[key, key.replace("_", " ").capitalize()] for key in field.selection]
    said["related"] = ".".join(field.related)
    if not field.related:
        del said["related"]
    if not field.relation:
        del said["relation"]
    if not field.groups:
        del said["groups"]
    return {name: value for name, value in said.items() if attributes is None or name in attributes}


def has_access(environment: Environment, model: Model, ids: Sequence[Any], operation: str) -> bool:
    """Say whether the user may read the model, and with ids these records; nobody may change anything."""
    if operation not in OPERATIONS:
        raise refusals.value_error(f"Invalid operation {operation!r}")
    if operation != "read" or not environment.may_read(model.name):
        return False
    table, sees = environment.table(model.name), environment.sees(model)
    return all(sees(table[number]) for number in ids if number in table)


def context_get(environment: Environment, model: Model) -> dict[str, Any]:
    """Say who the user is."""
    found = [row["id"] for row in environment.rows(model.name) if row.get("login") == environment.user.name]
    return {"lang": "en_US", "tz": "UTC", "uid": found[0] if found else 2}


def has_group(environment: Environment, model: Model, ids: Sequence[Any], group_ext_id: str) -> bool:
    """Say whether the user has a group: one who may read everything has them all, others are internal users."""
    return environment.user.granted is None or group_ext_id == "base.group_user"


Method = Callable[..., Any]
METHODS: Mapping[str, Method] = {
    function.__name__: function
    for function in (
        *(search_read, web_search_read, search, search_count),
        *(read, web_read, fields_get, has_access),
    )
}
OF_USERS: Mapping[str, Method] = {"context_get": context_get, "has_group": has_group}
OF_RECORDS = frozenset((read, web_read, has_access, has_group))
"""The methods that are called on records; the others take no ids."""
