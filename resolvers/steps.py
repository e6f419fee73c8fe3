"""What follows from the rows of a page: the links to fill, and theirs, read from the selection before anything runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resolvers.ports import LiveSource
from schema.absent import given
from schema.filters import And, Condition, Operator, Tree, parse, shape_of
from schema.ids import RecordId
from schema.model import Entity, FieldModel, Kind, entity_named, fields_of
from schema.pages import checked_first
from schema.records import chosen_parts
from schema.selection import Selection, Use, below, rows_of, uses
from schema.sorting import Order
from schema.sorting import parse as parse_order


@dataclass(frozen=True, eq=False)
class ToOne:
    """Each row points to one record; `links` are those of that record."""

    field: FieldModel
    target: Entity
    selection: Selection
    links: "Links"


@dataclass(frozen=True, eq=False)
class ToMany:
    """Each row has a page of the records that point to it with their link `by`; `alias` names it in the answer."""

    field: FieldModel
    alias: str
    target: Entity
    by: FieldModel
    tree: Tree
    order: Order
    count: int
    after: str | None
    selection: Selection
    links: "Links"

    @property
    def rows(self) -> Selection:
        """What is selected of the rows."""
        return rows_of(self.selection)

    def of_parents(self, live: LiveSource, references: Sequence[str]) -> Tree:
        """The filter, for what points to these rows of a connection."""
        kind = entity_named(self.by.type).type
        ids = tuple(RecordId(kind, str(live.connection.id), reference).encode() for reference in references)
        return And((self.tree, Condition(self.by.name, Operator.IN, ids)))


@dataclass(frozen=True, eq=False)
class InTree:
    """Each row tells its place in the tree of its kind: the names of all that lies above it, by the link `by`."""

    field: FieldModel
    target: Entity
    by: FieldModel

    @property
    def selection(self) -> Selection:
        """What has to be known of each record above."""
        return {"displayName": None, self.by.name: None}


@dataclass(frozen=True, eq=False)
class OfChildren:
    """The child rows of each row have links."""

    field: FieldModel
    links: "Links"


Links = tuple[ToOne | ToMany | InTree | OfChildren, ...]
"""The links to fill of rows; empty where none is selected."""


def plan_links(fields: Mapping[str, FieldModel], selection: Selection) -> Links:
    """Every selected link of rows with these fields; a wrong argument anywhere below is an error."""
    for use in uses(selection, "raw").values():
        chosen_parts(given(use.arguments.get("paths")))
    found: list[ToOne | ToMany | InTree | OfChildren] = []
    for name in selection:
        model = fields.get(name)
        match model.kind if model is not None else None:
            case Kind.LINK:
                target, inner = entity_named(fields[name].type), below(selection, name)
                found.append(ToOne(fields[name], target, inner, plan_links(target.fields, inner)))
            case Kind.LINKS:
                found += [_to_many(fields[name], alias, use) for alias, use in uses(selection, name).items()]
            case Kind.TRAIL:
                target = entity_named(str(fields[name].marker.target))
                found.append(InTree(fields[name], target, target.fields[str(fields[name].marker.by)]))
            case Kind.CHILDREN:
                links = plan_links(fields_of(fields[name].type), rows_of(below(selection, name)))
                if links:
                    found.append(OfChildren(fields[name], links))
    return tuple(found)


def _to_many(model: FieldModel, alias: str, use: Use) -> ToMany:
    target = entity_named(model.type)
    arguments = {name: given(value) for name, value in use.arguments.items()}
    return ToMany(
        field=model,
        alias=alias,
        target=target,
        by=target.fields[model.marker.by or ""],
        tree=parse(shape_of(target), arguments.get("filter"), f"{model.name}.filter"),
        order=parse_order(target, arguments.get("order_by")),
        count=checked_first(arguments.get("first", 50)),
        after=arguments.get("after"),
        selection=use.selection,
        links=plan_links(target.fields, rows_of(use.selection)),
    )
