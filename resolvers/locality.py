"""Makes a filter local to one connection: ids name their connection, so elsewhere they decide at once."""

from schema.filters import (
    EVERYTHING,
    NOT_DELETED,
    NOTHING,
    REFERENCE,
    And,
    Condition,
    Not,
    Operator,
    Or,
    Tree,
    conditions,
    simplify,
)
from schema.ids import read_record_id
from schema.matching import can_match
from schema.model import ENTITIES, Entity, EntityType, Kind

_POSITIVE = (Operator.EQ, Operator.IN)


def localize(tree: Tree, entity: Entity, connection_id: str) -> Tree:
    """The same filter as it applies to the rows of one connection."""
    match tree:
        case Condition("connectionId", operator, value):
            return EVERYTHING if _holds(operator, value, connection_id) else NOTHING
        case Condition("id", operator, value):
            return _local_keys(Condition(REFERENCE, operator, value), entity.type, connection_id)
        case Condition(path) if path in entity.fields and entity.fields[path].kind is Kind.LINK:
            return _local_keys(tree, _target(entity, path), connection_id)
        case Not(term):
            return Not(localize(term, entity, connection_id))
        case And(terms):
            return And(tuple(localize(term, entity, connection_id) for term in terms))
        case Or(terms):
            return Or(tuple(localize(term, entity, connection_id) for term in terms))
        case _:
            return tree


def hide_deleted(tree: Tree, entity: Entity) -> Tree:
    """Leave flagged rows out, unless the filter speaks of the flag or of a status that they have."""
    looked_at = {condition.path for condition in conditions(tree)}
    wants_deleted = (
        "status" in looked_at and entity.deleted_as is not None and can_match(tree, "status", entity.deleted_as)
    )
    if "isDeleted" in looked_at or wants_deleted:
        return tree
    return simplify(And((tree, NOT_DELETED)))


def _target(entity: Entity, path: str) -> EntityType:
    name = entity.fields[path].type
    return next(item.type for item in ENTITIES.values() if item.name == name)


def _holds(operator: Operator, value: object, connection_id: str) -> bool:
    if operator is Operator.IS_NULL:
        return value is False
    is_among = connection_id in (value if isinstance(value, tuple) else (value,))
    return is_among if operator in _POSITIVE else not is_among


def _local_keys(condition: Condition, target: EntityType, connection_id: str) -> Tree:
    """Compare keys of this connection; ids of other connections or kinds equal none of its rows."""
    is_own = condition.path == REFERENCE
    if condition.operator is Operator.IS_NULL:
        return condition if not is_own else NOTHING if condition.value else EVERYTHING
    texts = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    read = [read_record_id(text) for text in texts]
    keys = tuple(
        item.key
        for item in read
        if item and item.child is None and item.entity is target and item.connection_id == connection_id
    )
    if condition.operator in _POSITIVE:
        return Condition(condition.path, Operator.IN, keys) if keys else NOTHING
    if not keys:
        return EVERYTHING if is_own else Condition(condition.path, Operator.IS_NULL, False)
    return Condition(condition.path, Operator.NOT_IN, keys)
