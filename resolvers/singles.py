"""Single things by id: records, child rows, connections, customers and keys."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from connectors.client import Tally
from connectors.reading import RecordReader
from connectors.registry import find_system
from connectors.scan import read_by_keys
from resolvers.custom_objects import find_custom_object
from resolvers.describing import describe_system
from resolvers.linking import Linker
from resolvers.links import finish_records
from resolvers.lists import Timeout, checked_timeout
from resolvers.outcomes import failed
from resolvers.ports import Context
from resolvers.selection import selection_of
from schema.absent import given
from schema.errors import ErrorCode, failure
from schema.ids import RecordId, read_custom_object_id, read_record_id
from schema.model import ENTITIES, Entity
from schema.selection import Selection

GlobalId = Annotated[strawberry.ID, strawberry.argument(description="The global id.")]


def single_root(entity: Entity) -> Any:
    """Make the root field that reads one record of an entity, such as purchaseOrder."""

    async def resolve(info: strawberry.Info[Context, None], id: Any, timeout_ms: Any = strawberry.UNSET) -> Any:
        context = info.context
        context.directory.require("READ")
        found = read_record_id(id)
        if found is None or found.entity is not entity.type or found.child is not None:
            raise failure(ErrorCode.VALIDATION_FAILED, f"This is not the id of a {_singular(entity)}.", field="id")
        return await read_record(context, found, selection_of(info), checked_timeout(given(timeout_ms)))

    resolve.__annotations__ |= {"id": GlobalId, "timeout_ms": Timeout, "return": entity.cls | None}
    article = "An" if entity.name[0] in "AEIOU" else "A"
    return strawberry.field(resolver=resolve, description=f"{article} {_singular(entity)}, by id.")


def _singular(entity: Entity) -> str:
    return entity.plural.removesuffix("s")


async def read_record(context: Context, wanted: RecordId, selection: Selection, timeout_ms: int | None = None) -> Any:
    """One record with its links; null where there is none, an error where its system could not tell."""
    live = next((live for live in context.directory.sources() if live.connection.id == wanted.connection_id), None)
    entity = ENTITIES[wanted.entity]
    if live is None:
        return None
    resource = next((item for item in live.source.system.resources_of(entity.cls) if item.owns(wanted.key)), None)
    if resource is None:
        return None
    added = live.source.effective.fields_of(resource)
    reader = RecordReader(resource, live.source.system.protocol, wanted.connection_id, selection, added=added)
    deadline = context.deadline_for(live, timeout_ms)
    try:
        found = await read_by_keys(live.source, reader, [resource.own_key(wanted.key)], Tally(), deadline)
    except Exception as error:
        raise failed(error, live, context.request_id) from error
    finish_records(found, reader, live, context)
    linker = Linker(context, {wanted.connection_id: live}, timeout_ms)
    await linker.fill({wanted.connection_id: found}, entity.fields, selection, entity.root)
    return next(iter(found), None)


async def find_node(info: strawberry.Info[Context, None], wanted: str) -> Any:
    """Anything by its global id; null where there is nothing that the caller may see."""
    context = info.context
    record = read_record_id(wanted)
    if record is not None:
        context.directory.require("READ")
        return await _find_record_or_child(info, record)
    row = read_custom_object_id(wanted)
    if row is not None:
        context.directory.require("READ")
        return await find_custom_object(context, row, selection_of(info, "CustomObject"))
    if wanted.startswith("con_"):
        return await context.directory.connection(wanted)
    if wanted.startswith("cus_"):
        return next((item for item in await context.directory.customers() if item.id == wanted), None)
    if wanted.startswith("key_"):
        return await context.directory.key(wanted)
    if wanted.startswith("sys_"):
        system = find_system(wanted.removeprefix("sys_"))
        return describe_system(system) if system is not None else None
    return None


async def find_nodes(info: strawberry.Info[Context, None], wanted: Sequence[str]) -> list[Any]:
    """Several things by their ids, in the same order, read at the same time; an error stands for its item alone."""
    return list(await asyncio.gather(*(find_node(info, item) for item in wanted), return_exceptions=True))


async def _find_record_or_child(info: strawberry.Info[Context, None], wanted: RecordId) -> Any:
    entity = ENTITIES[wanted.entity]
    if wanted.child is None:
        return await read_record(info.context, wanted, selection_of(info, entity.name))
    name, _ = wanted.child
    model = entity.fields.get(name)
    if model is None or model.kind.name != "CHILDREN":
        return None
    selected = {name: {"nodes": selection_of(info, model.type.__name__)}}
    parent = await read_record(info.context, RecordId(wanted.entity, wanted.connection_id, wanted.key), selected)
    rows = (parent.origin.children.get(model.attribute) or []) if parent is not None else []
    return next((row for row in rows if row.id == wanted.encode()), None)
