"""A spec names only what the system has, and asks of it only what it can do."""

from collections.abc import Iterator

from connectors.beside import PLACE
from connectors.composites import Parts
from connectors.decisions import Codes, First, Flagged
from connectors.fields import At, Can, FieldSpec
from connectors.query import compared
from connectors.spec import Beside, Resource
from connectors.testing.bench import Bench, PathFacts
from connectors.testing.registry import check


@check
async def every_path_is_in_the_facts(bench: Bench) -> None:
    """No path of any field is unknown to the system."""
    for resource in bench.system.resources:
        paths = {resource.key, *(path for word in resource.fields.values() for path in word.paths())}
        paths.update(condition.path for condition in compared(resource.where))
        for name, beside in resource.beside.items():
            conditions = (condition.path for condition in compared(beside.where))
            paths.update(f"@{name}.{path}" for path in (beside.key, *beside.order_paths, *conditions))
        unknown = sorted(path for path in paths if bench.facts_at(resource, path) is None)
        assert not unknown, f"{resource.model.name} names paths that {resource.source} does not have: {unknown}"


@check
async def sources_can_do_what_is_declared(bench: Bench) -> None:
    """Where a field declares a filter or a sort, the system can filter or sort by its paths."""
    for resource in bench.system.resources:
        key = _facts(bench, resource, resource.key)
        assert key.is_filterable, f"{resource.source} cannot be walked by {resource.key}"
        assert key.is_sortable, f"{resource.source} cannot be walked by {resource.key}"
        for condition in compared(resource.where):
            assert _facts(bench, resource, condition.path).is_filterable, condition.path
        for name, beside in resource.beside.items():
            _check_beside(bench, resource, name, beside)
        for name, word in _words(resource):
            if getattr(word, "filter", Can.NOTHING):
                for path in word.paths():
                    assert _facts(bench, resource, path).is_filterable, f"{name} declares a filter by {path}"
            if isinstance(word, At) and word.sort:
                assert _facts(bench, resource, word.path).is_sortable, f"{name} declares a sort by {word.path}"


def _check_beside(bench: Bench, resource: Resource, name: str, beside: Beside) -> None:
    """Its rows are asked for by key, and come in an order; so do the places where they are worked out."""
    if beside.places is not None:
        for condition in compared(beside.places.where):
            assert _facts(bench, resource, f"@{name}.{PLACE}{condition.path}").is_filterable, condition.path
        assert _facts(bench, resource, f"@{name}.{PLACE}{beside.places.key}").is_sortable, beside.places.source
    for path in (beside.key, *(condition.path for condition in compared(beside.where))):
        assert _facts(bench, resource, f"@{name}.{path}").is_filterable, f"{beside.source}: {path}"
    for path in (beside.key, *beside.order_paths):
        assert _facts(bench, resource, f"@{name}.{path}").is_sortable, f"{beside.source}: {path}"


@check
async def paths_that_are_always_filled_are_known_to_be(bench: Bench) -> None:
    """Codes and cases decide every row only if they are never null; a required value is never empty either."""
    for resource in bench.system.resources:
        for name, word in _words(resource):
            if isinstance(word, Codes | First | Flagged) and word.filter:
                for path in word.paths():
                    is_known = _facts(bench, resource, path).is_never_null or path in bench.always_filled
                    assert is_known, f"{name} takes {path} to be told in every row"
            if isinstance(word, At) and word.required:
                is_known = _facts(bench, resource, word.path).is_never_empty or word.path in bench.always_filled
                assert is_known, f"{name} takes {word.path} to be filled in every row"


def _words(resource: Resource) -> Iterator[tuple[str, FieldSpec]]:
    for name, word in resource.fields.items():
        if isinstance(word, Parts):
            yield from ((f"{resource.model.name}.{name}.{part}", inner) for part, inner in word.fields.items())
        else:
            yield f"{resource.model.name}.{name}", word


def _facts(bench: Bench, resource: Resource, path: str) -> PathFacts:
    found = bench.facts_at(resource, path)
    assert found is not None, f"{resource.source} has no {path}"
    return found
