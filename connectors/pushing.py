"""Says a filter in a source's terms: as much of it as the source can apply, and whether that decides."""

from typing import Any

from connectors.fields import Pushed
from connectors.query import ALWAYS, NEVER, Compare, Comparison, Where, all_of, any_of, opposite
from connectors.spec import Resource
from schema.filters import REFERENCE, And, Condition, Not, Operator, Or, Tree


def push(resource: Resource, tree: Tree) -> Pushed | None:
    """A tree in the source's terms; None where the source cannot apply any useful part of it."""
    match tree:
        case Condition():
            return _push_condition(resource, tree)
        case And(terms):
            found = [push(resource, term) for term in terms]
            useful = [item for item in found if item is not None]
            if not useful and terms:
                return None
            is_exact = len(useful) == len(found) and all(item.is_exact for item in useful)
            return Pushed(all_of(*(item.where for item in useful)), is_exact)
        case Or(terms):
            each = [push(resource, term) for term in terms]
            if any(item is None for item in each):
                return None
            known = [item for item in each if item is not None]
            return Pushed(any_of(*(item.where for item in known)), all(item.is_exact for item in known))
        case Not(term):
            inner = push(resource, term)
            return None if inner is None or not inner.is_exact else _complement(inner.where)


def _complement(where: Where) -> Pushed | None:
    """Negation needs an exact complement; a range has none that would find null as well."""
    try:
        return Pushed(opposite(where))
    except KeyError:
        return None


def _push_condition(resource: Resource, condition: Condition) -> Pushed | None:
    path, operator, value = condition.path, condition.operator, condition.value
    if path == "remoteId":
        return _push_key(resource, operator, value)
    if path == REFERENCE:
        return _push_reference(resource, operator, value)
    found = resource.find(path)
    if found is None:
        is_true = operator is Operator.IS_NULL and value is True
        return Pushed(ALWAYS if is_true else NEVER)
    word, model = found
    return word.push(operator, value, model)


def _push_reference(resource: Resource, operator: Operator, value: tuple[str, ...]) -> Pushed | None:
    """References name the collection; those to another one of the system are to no row of this one."""
    own = tuple(resource.own_key(text) for text in value if resource.owns(text))
    return _push_key(resource, operator, own)


def _push_key(resource: Resource, operator: Operator, value: Any) -> Pushed | None:
    """Every row has a key; text that cannot be one of this source equals none."""
    if operator is Operator.IS_NULL:
        return Pushed(NEVER if value else ALWAYS)
    if operator not in (Operator.EQ, Operator.IN, Operator.NE, Operator.NOT_IN):
        return None
    texts = value if isinstance(value, tuple) else (value,)
    keys = tuple(key for text in texts if (key := resource.key_form.read(text)) is not None)
    is_equal = operator in (Operator.EQ, Operator.IN)
    if not keys:
        return Pushed(NEVER if is_equal else ALWAYS)
    comparison = Comparison.IN if is_equal else Comparison.NOT_IN
    return Pushed(Compare(resource.key, comparison, keys, resource.key_form.kind))
