"""The tables of coverage and what `capabilities` answers are the same, system by system and field by field."""

import re
from collections.abc import Mapping

import pytest

from connectors.composites import Many
from connectors.registry import all_systems
from connectors.spec import System
from docs import operations, tables
from resolvers.describing import COMPUTED, NO_SUCH_FIELD, NOT_MAPPED, describe_system
from schema.capabilities import EntityCapability, FieldCapability, FilterOperator
from schema.filters import shape_of
from schema.model import ENTITIES, Entity

Lines = Mapping[str, list[str]]
SYSTEMS = tables.documented_systems()
CASES = [
    pytest.param(system, entity, id=f"{system.key}-{entity.name}")
    for system in SYSTEMS
    for entity in ENTITIES.values()
    if system.resources_of(entity.cls)
]
GROUPS = {
    "equal": {FilterOperator.EQ, FilterOperator.NE, FilterOperator.IN, FilterOperator.NOT_IN},
    "range": {FilterOperator.GT, FilterOperator.GTE, FilterOperator.LT, FilterOperator.LTE},
    "text": {FilterOperator.CONTAINS, FilterOperator.STARTS_WITH},
    "empty": {FilterOperator.IS_NULL},
}


def lines_of(table: str, system: System) -> Lines:
    """The cells of one system, which may have several columns, by field."""
    head, _, *rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()]
    columns = [place for place, title in enumerate(head) if title.partition(",")[0] == system.title]
    return {row[0].strip("`"): [row[place] for place in columns] for row in rows}


def capability(system: System, entity: Entity) -> EntityCapability:
    (found,) = [item for item in describe_system(system).all_capabilities if item.entity is entity.type]
    return found


def differences(cells: list[str], field: FieldCapability, offers_filter: bool) -> list[str]:
    """Where the cells of a field say something else than its capability."""
    is_absent = all(cell in ("no such field", "not yet") for cell in cells)
    reason = NOT_MAPPED if "not yet" in cells else NO_SUCH_FIELD
    said = {
        "read": (field.is_readable, not is_absent),
        "absent": (field.reason in (NOT_MAPPED, NO_SUCH_FIELD), is_absent),
        "why": (field.reason if is_absent else None, reason if is_absent else None),
        "computed": (field.reason == COMPUTED, any(cell.startswith("computed") for cell in cells)),
        "second call": (field.costs_extra_call, any("second call" in cell for cell in cells)),
        "order": (field.is_sortable, all("order: pushed" in cell for cell in cells)),
    }
    for word, group in GROUPS.items() if offers_filter else ():
        told = all(re.search(rf"filter: [^;]*\b{word}\b", cell) for cell in cells)
        said[word] = (bool(group & set(field.filter_operators)), told)
    return [f"{word}: {here} {there}" for word, (here, there) in said.items() if here is not there and here != there]


@pytest.mark.parametrize(("system", "entity"), CASES)
def test_every_cell_says_what_capabilities_answer(system: System, entity: Entity) -> None:
    lines = lines_of(tables.coverage(entity.name), system)
    filters = {entry.path.partition(".")[0] for entry in shape_of(entity).entries}
    fields = {item.path: item for item in capability(system, entity).all_fields if "." not in item.path}
    assert lines.keys() == fields.keys()
    wrong = {name: differences(lines[name], fields[name], name in filters) for name in lines}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize(("system", "entity"), CASES)
def test_every_cell_of_child_rows_says_what_capabilities_answer(system: System, entity: Entity) -> None:
    fields = {item.path: item for item in capability(system, entity).all_fields}
    for name, word in system.resources_of(entity.cls)[0].fields.items():
        if isinstance(word, Many):
            lines = lines_of(tables.coverage(entity.fields[name].type.__name__), system)
            wrong = {child: differences(cells, fields[f"{name}.{child}"], False) for child, cells in lines.items()}
            assert {child: found for child, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("no such field", "read"),
        ("computed; filter: equal; order: pushed", "computed"),
        ("mapped, second call; filter: equal; order: pushed", "second call"),
        ("mapped; filter: equal; order: here", "order"),
        ("mapped; filter: here; order: pushed", "equal"),
    ],
)
def test_a_cell_that_says_something_else_is_found(cell: str, word: str) -> None:
    field = FieldCapability(
        path="total", is_readable=True, is_sortable=True, filter_operators=list(GROUPS["equal"]), reason=None
    )
    assert differences(["mapped; filter: equal; order: pushed"], field, True) == []
    assert word in {item.partition(":")[0] for item in differences([cell], field, True)}


def test_the_table_of_operations_has_a_row_for_every_system_and_kind_of_record() -> None:
    rows = [line.split(" | ")[:2] for line in operations.table().splitlines()[2:]]
    assert rows == [[f"| {entity.plural}", system.title] for entity in ENTITIES.values() for system in SYSTEMS]


@pytest.mark.parametrize("system", all_systems(), ids=lambda system: system.key)
def test_what_is_computed_is_neither_filtered_nor_sorted_by_the_system(system: System) -> None:
    computed = [
        field
        for entity in describe_system(system).all_capabilities
        for field in entity.all_fields
        if field.reason == COMPUTED
    ]
    assert [field.path for field in computed if field.filter_operators or field.is_sortable] == []
