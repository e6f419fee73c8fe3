"""How much a question can hold where it is part of an address, which servers take no longer than so."""

from dataclasses import dataclass
from typing import Any

from connectors.spec import Resource
from schema.filters import REFERENCE, Condition, Tree, conditions
from schema.model import Kind

MOST_IN_ADDRESS = 80
"""How much conditions may list beside keys: so many short values, or fewer long ones.

With as many keys, 60 of up to 30 signs, the query of SAP's address stays below the 8,000 signs that servers take.
"""
_SHORT_VALUE = 50


@dataclass(eq=False)
class Room:
    """What a question to a resource can still hold; a resource that is not asked by address has room for all."""

    resource: Resource
    left: int = MOST_IN_ADDRESS

    def has_some_for(self, term: Tree) -> bool:
        """Whether a term can be asked too; if so, it takes its room. As many keys as the source takes need none."""
        if not self.resource.is_asked_by_address:
            return True
        needed = sum(self._needs(condition) for condition in conditions(term))
        if needed > self.left:
            return False
        self.left -= needed
        return True

    def _needs(self, condition: Condition) -> int:
        size, path = _size(condition.value), condition.path
        is_key = path in ("remoteId", REFERENCE) or self._is_link(path)
        return 0 if is_key and size <= self.resource.max_keys else size

    def _is_link(self, path: str) -> bool:
        model = self.resource.model.fields.get(path)
        return model is not None and model.kind is Kind.LINK


def _size(value: Any) -> int:
    """How many short values there is room for instead of this one, or of these."""
    return sum(1 + len(str(item)) // _SHORT_VALUE for item in (value if isinstance(value, tuple) else (value,)))
