"""The table of what can be done with each kind of record of each system, made from what `capabilities` answers."""

from collections.abc import Iterator

from connectors.plan import NarrowResource
from connectors.protocols.walking import Walk
from connectors.spec import System
from docs.tables import documented_systems, in_markdown
from resolvers.describing import describe_system
from schema.capabilities import EntityCapability, Operation, OperationSupport
from schema.filters import shape_of
from schema.model import ENTITIES, Entity

HEAD = ["Records", "System", "List, by id", "Filters sent", "Orders sent", "Paging", "Create", "Change", "Delete"]
_SUPPORT = {
    OperationSupport.SUPPORTED: "yes",
    OperationSupport.NOT_IMPLEMENTED: "not yet",
    OperationSupport.UNSUPPORTED: "no such records",
}
_PAGING = {
    Walk.KEYS: "by key",
    Walk.WHOLE: "all at once",
    Walk.ROWS: "by row number",
    Walk.LINKS: "by the system's links",
}


def table() -> str:
    """Every kind of record, system by system."""
    return in_markdown(HEAD, _rows())


def _rows() -> Iterator[list[str]]:
    for entity in ENTITIES.values():
        for system in documented_systems():
            (found,) = [item for item in describe_system(system).all_capabilities if item.entity is entity.type]
            yield [entity.plural, system.title, *_cells(system, entity, found)]


def _cells(system: System, entity: Entity, found: EntityCapability) -> list[str]:
    support = {item.operation: _SUPPORT[item.support] for item in found.operations}
    if not system.resources_of(entity.cls):
        return [support[Operation.READ], *[""] * (len(HEAD) - 3)]
    offered = {entry.path.partition(".")[0] for entry in shape_of(entity).entries} & {
        item.name for item in entity.mapped_fields()
    }
    sent = [item.path for item in found.all_fields if item.filter_operators]
    sorted_there = [f"`{item.path}`" for item in found.all_fields if item.is_sortable]
    return [
        support[Operation.READ],
        f"{len(sent)} of {len(offered)} fields",
        ", ".join(sorted_there) or "none",
        _paging(system, entity),
        *(support[operation] for operation in (Operation.CREATE, Operation.UPDATE, Operation.DELETE)),
    ]


def _paging(system: System, entity: Entity) -> str:
    walks = [
        resource.walk if isinstance(resource, NarrowResource) else Walk.KEYS
        for resource in system.resources_of(entity.cls)
    ]
    return ", ".join(dict.fromkeys(_PAGING[walk] for walk in walks))
