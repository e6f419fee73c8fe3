"""What a connection's system lacks of what its connector maps: that is left out, instead of being refused for ever."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from connectors.composites import Many
from connectors.extras import REFUSALS
from connectors.fields import FieldSpec
from connectors.ports import Reads
from connectors.protocols.shapes import Shape
from connectors.query import compared
from connectors.spec import Resource
from connectors.tally import Tally


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a look into a system has come to: the resource without what is not there, None where everything is."""

    narrower: Resource | None


async def look_for(
    source: Reads, resource: Resource, paths: frozenset[str], tally: Tally, deadline: float
) -> Lacking | None:
    """Look whether a system has these paths of a resource.

    None where it does not tell, or lacks even what makes a row a record of this kind.
    """
    essential = frozenset({resource.key, *(compare.path for compare in compared(resource.where))})
    missing = None
    with suppress(*REFUSALS):
        missing = await _missing(source, resource.source, paths | essential, tally, deadline)
    if missing is None or missing & essential:
        return None
    return Lacking(_without(resource, missing) if missing else None)


async def _missing(
    source: Reads, collection: str, paths: Iterable[str], tally: Tally, deadline: float
) -> frozenset[str] | None:
    """The paths that a system says it does not have, asked anew; None where it does not tell of the collection."""
    shape = await source.shape(collection, tally, deadline, is_fresh=True)
    if shape is None or not shape.fields:
        return None
    return frozenset([path for path in paths if await _is_missing(source, shape, path, tally, deadline)])


async def _is_missing(source: Reads, shape: Shape, path: str, tally: Tally, deadline: float) -> bool:
    """Whether a path ends on its way, as far as the system tells what is behind links."""
    step, _, rest = path.partition(".")
    found = shape.fields.get(step)
    if found is None or not rest or found.target is None:
        return found is None
    behind = await source.shape(found.target, tally, deadline)
    return behind is not None and await _is_missing(source, behind, rest, tally, deadline)


def _without(resource: Resource, gone: frozenset[str]) -> Resource:
    """The resource as it is where the system lacks some paths: it does not fill what is made of them."""
    fields: dict[str, FieldSpec] = {}
    for name, spec in resource.fields.items():
        if isinstance(spec, Many) and gone.isdisjoint(f"{spec.path}.{path}" for path in spec.key_paths):
            fields[name] = _children_without(spec, gone)
        elif gone.isdisjoint(spec.paths()):
            fields[name] = spec
    lost = resource.fields.keys() - fields.keys()
    return replace(resource, fields=fields, unsupported=(*resource.unsupported, *sorted(lost)))


def _children_without(spec: Many, gone: frozenset[str]) -> Many:
    fields = {
        name: word
        for name, word in spec.fields.items()
        if gone.isdisjoint(f"{spec.path}.{path}" for path in word.paths())
    }
    lost = spec.fields.keys() - fields.keys()
    return replace(spec, fields=fields, unsupported=(*spec.unsupported, *sorted(lost)))
