"""The ways that the printed schema offers to each of its types, so that tests can ask all of it."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_leaf_type,
)

from resolvers.roots import build_schema as build

SCHEMA = build_schema(build().as_str())


def abstract(kind: Any) -> bool:
    return isinstance(kind, GraphQLInterfaceType | GraphQLUnionType)


def needs(wanted: GraphQLField) -> list[str]:
    return [name for name, item in wanted.args.items() if isinstance(item.type, GraphQLNonNull)]


@dataclass(frozen=True)
class Way:
    """How an object type is reached from a root."""

    steps: tuple[str, ...]
    kind: GraphQLObjectType

    def asked(self) -> str:
        """All fields of the type, each with its plain values."""
        inner = " ".join(self._fields())
        for step in reversed(self.steps):
            inner = f"{step} {{ {inner} }}"
        return f"{{ {inner} }}"

    def _fields(self) -> Iterator[str]:
        yield "__typename"
        for name, wanted in self.kind.fields.items():
            inner = get_named_type(wanted.type)
            if needs(wanted):
                continue
            if is_leaf_type(inner):
                yield name
            else:
                yield f"{name} {{ __typename {' '.join(plain(inner))} }}"


def plain(kind: Any) -> Iterator[str]:
    if isinstance(kind, GraphQLUnionType):
        return
    for name, wanted in kind.fields.items():
        if is_leaf_type(get_named_type(wanted.type)) and not needs(wanted):
            yield name


def ways() -> Iterator[Way]:
    """The shortest way to each object type that a query leads to."""
    query = SCHEMA.query_type
    assert query is not None
    seen: set[str] = set()
    waiting: deque[tuple[tuple[str, ...], Any]] = deque([((), query)])
    while waiting:
        steps, kind = waiting.popleft()
        if kind.name in seen:
            continue
        seen.add(kind.name)
        if kind is not query:
            yield Way(steps, kind)
        for name, wanted in kind.fields.items():
            inner = get_named_type(wanted.type)
            if is_leaf_type(inner) or abstract(inner) or needs(wanted):
                continue
            first = 30 if name == "events" else 4
            step = f"{name}(first: {first})" if "first" in wanted.args else name
            waiting.append(((*steps, step), inner))


def within(kind: Any) -> Iterator[str]:
    """What can be selected of a type, whatever it turns out to be."""
    if isinstance(kind, GraphQLInterfaceType):
        for each in SCHEMA.get_possible_types(kind):
            names = " ".join(f"{each.name}_{name}: {name}" for name in plain(each))
            yield f"... on {each.name} {{ {names} }}"
        return
    yield from plain(kind)
    for name in ("nodes", "edges", "reads", "sources"):
        if name in kind.fields:
            yield f"{name} {{ {' '.join(plain(get_named_type(kind.fields[name].type)))} }}"
