"""Tables for the documents, made from the settings, the error codes, the commands and the systems' specs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

import resolvers.roots  # noqa: F401 - declares every entity
from connectors.composites import EachChild, Many, Parts
from connectors.decisions import Codes, First, Flagged
from connectors.fields import FieldSpec
from connectors.filling import filling_of, needs_second_call
from connectors.registry import all_systems, find_system
from connectors.spec import Resource, System
from connectors.tracing import SPANS, Attribute
from gateway.cli import main
from gateway.settings import Settings, variable
from gateway.telemetry.metrics import Metrics
from resolvers.describing import pushes, sorts
from schema.errors import MEANINGS
from schema.filters import Operator, shape_of
from schema.model import ENTITIES, Entity, FieldModel, Kind, fields_of
from schema.records import FieldGapReason, ServedFrom
from schema.sources import PagingGuarantee, SourceStatus
from schema.systems import FormField

GUIDES = Path(__file__).parent / "systems"
_NO_SUCH_FIELD = "no such field"
_NOT_YET = "not yet"
_ENUMS = {enum.__name__: enum for enum in (SourceStatus, ServedFrom, PagingGuarantee, FieldGapReason)}
_PUSHED = {
    "equal": (Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN),
    "range": (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE),
    "text": (Operator.CONTAINS, Operator.STARTS_WITH),
    "empty": (Operator.IS_NULL,),
}


def settings() -> str:
    """Every setting: its variable, what it means and what it is if nobody says."""
    rows = ([f"`{variable(name)}`", _meaning(field), _default(field)] for name, field in Settings.model_fields.items())
    return in_markdown(["Variable", "Meaning", "Default"], rows)


def _meaning(field: FieldInfo) -> str:
    """What a setting means, with the words that it may be where the sentence does not say them."""
    about = field.description or ""
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    unsaid = [choice for choice in choices if f"`{choice}`" not in about]
    return f"{about} One of {_code(unsaid)}." if unsaid else about


def _default(field: FieldInfo) -> str:
    if field.default in (None, ()):
        return "none"
    if isinstance(field.default, SecretStr):
        return f"`{field.default.get_secret_value()}`"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def errors() -> str:
    """Every error code: what it means, whose fault it is, whether to try again, and what to do."""
    rows = (
        [
            f"`{code.name}`",
            code.value,
            f"`{meaning.category.name}`",
            "yes" if meaning.retryable else "no",
            meaning.remediation,
        ]
        for code, meaning in MEANINGS.items()
    )
    return in_markdown(["Code", "Meaning", "Whose fault", "Try again", "What to do"], rows)


def metrics() -> str:
    """Every metric of our own: what it counts, of which kind it is, and its labels."""
    rows = ([f"`{item.name}`", item.about, item.kind, _code(item.labels)] for item in Metrics().declared)
    return in_markdown(["Metric", "What it counts", "Kind", "Labels"], rows)


def spans() -> str:
    """Every kind of span, and what it may carry."""
    rows = ([f"`{form.name}`", form.about, _code(item.value for item in form.attributes)] for form in SPANS)
    return in_markdown(["Span", "Covers", "Attributes"], rows)


def attributes() -> str:
    """What the attributes of spans mean."""
    rows = ([f"`{item.value}`", item.about] for item in sorted(Attribute, key=lambda item: item.value))
    return in_markdown(["Attribute", "Meaning"], rows)


def enum(name: str) -> str:
    """What the values of an enum mean."""
    return in_markdown(["Value", "Meaning"], ([f"`{item.name}`", item.value] for item in _ENUMS[name]))


def commands() -> str:
    """Every command with its options."""
    context = click.Context(main)
    rows = (
        [
            f"`switchgear {name}`",
            command.help or "",
            _code(option for item in command.params for option in item.opts if option.startswith("--")),
        ]
        for name in main.list_commands(context)
        if (command := main.get_command(context, name)) is not None
    )
    return in_markdown(["Command", "What it does", "Options"], rows)


def documented_systems() -> list[System]:
    """The systems that have a guide here; what packages and manifests bring is told by them."""
    return [system for system in all_systems() if (GUIDES / f"{system.key}.md").exists()]


def coverage(type_name: str) -> str:
    """Every field of an entity or of a kind of child row, and how far each system fills it."""
    words = _words_of(type_name)
    offers = _offers(type_name)
    rows = (
        [f"`{name}`", ", ".join(offers.get(name, ())), *(_cell(name, model, word, offers) for word in words.values())]
        for name, model in _models_of(type_name).items()
    )
    return in_markdown(["Field", "Clients may", *words], rows)


def _entity_of(type_name: str) -> tuple[Entity, FieldModel | None]:
    """The entity of a type, and for a kind of child row the field that holds it."""
    for entity in ENTITIES.values():
        if entity.name == type_name:
            return entity, None
        for item in entity.fields.values():
            if item.kind is Kind.CHILDREN and item.type.__name__ == type_name:
                return entity, item
    raise KeyError(type_name)


def _models_of(type_name: str) -> Mapping[str, FieldModel]:
    entity, children = _entity_of(type_name)
    if children is None:
        return {item.name: item for item in entity.mapped_fields()}
    return {name: item for name, item in fields_of(children.type).items() if name != "id"}


def _words_of(type_name: str) -> dict[str, Resource | Many]:
    """What each system that has such records says about a type; with its collection, where there are several."""
    entity, children = _entity_of(type_name)
    found: dict[str, Resource | Many] = {}
    for system in documented_systems():
        resources = system.resources_of(entity.cls)
        for resource in resources:
            word = resource if children is None else resource.fields.get(children.name)
            if isinstance(word, Resource | Many):
                collection = f", {resource.source.rpartition('/')[2]}" if len(resources) > 1 else ""
                found[f"{system.title}{collection}"] = word
    return found


def _offers(type_name: str) -> Mapping[str, Sequence[str]]:
    """What the contract lets clients do with a field beyond reading it."""
    entity, children = _entity_of(type_name)
    if children is not None:
        return {}
    filters = {entry.path.partition(".")[0] for entry in shape_of(entity).entries}
    sorts = {item.name for item in entity.fields.values() if item.marker.sort is not None}
    return {
        name: [word for word, names in (("filter", filters), ("order", sorts)) if name in names]
        for name in entity.fields
    }


def _cell(name: str, model: FieldModel, source: Resource | Many, offers: Mapping[str, Sequence[str]]) -> str:
    if name in source.unsupported:
        return _NO_SUCH_FIELD
    if name in source.unmapped:
        return _NOT_YET
    word = source.fields[name]
    is_beside = needs_second_call(word) or (isinstance(source, Many) and needs_second_call(source))
    way = f"{filling_of(word).name.lower()}{', second call' if is_beside else ''}"
    said = [f"{way}{_parts(model, word)}"]
    if isinstance(source, Resource) and "filter" in offers[name]:
        sent = [word for word, operators in _PUSHED.items() if any(pushes(source, name, item) for item in operators)]
        said.append(f"filter: {', '.join(sent) or 'here'}")
    if isinstance(source, Resource) and "order" in offers[name]:
        said.append(f"order: {'pushed' if sorts(source, name) else 'here'}")
    return "; ".join(said)


def _parts(model: FieldModel, word: FieldSpec) -> str:
    """Which parts of a value object are filled, where it is not all of them."""
    value = word.parts if isinstance(word, EachChild) else word
    if not isinstance(value, Parts) or set(value.fields) == set(fields_of(model.type)):
        return ""
    return f" ({_code(value.fields)})"


def form(system_key: str) -> str:
    """What to enter when a system is connected, by way of logging in, and its options."""
    system = _system(system_key)
    parts = [
        f"Login `{method.key}`: {method.title}. {method.description or ''}".rstrip() + "\n\n" + _fields(method.fields)
        for method in system.auth_methods
    ]
    if system.options:
        parts.append("Options (`settings.options` of `connectSystem`)\n\n" + _fields(system.options))
    return "\n\n".join(parts)


def _fields(fields: Sequence[FormField]) -> str:
    rows = ([f"`{item.name}`", item.label, "yes" if item.is_required else "no", item.help or ""] for item in fields)
    return in_markdown(["Name", "What it is", "Required", "Help"], rows)


def guide(system_key: str) -> str:
    """The steps that prepare a system, as clients get them from `systems`."""
    steps = _system(system_key).guide
    return "\n".join(f"{place}. **{step.title}.** {step.body}" for place, step in enumerate(steps, start=1))


def paths(system_key: str) -> str:
    """Where the fields of every kind of record are read from."""
    return "\n\n".join(
        f"`{resource.model.name}` is `{resource.source}`, with the key `{resource.key}`.\n\n"
        + in_markdown(["Field", "Read from"], _path_rows(resource.fields))
        for resource in _system(system_key).resources
    )


def _path_rows(words: Mapping[str, FieldSpec], prefix: str = "") -> Iterator[list[str]]:
    for name, word in words.items():
        if isinstance(word, Many):
            yield [f"`{prefix}{name}`", _code([word.path])]
            yield from _path_rows(word.fields, f"{prefix}{name}.")
        else:
            yield [f"`{prefix}{name}`", _code(dict.fromkeys(word.paths()))]


def values(system_key: str) -> str:
    """Which values of the system stand for which value of ours, for every field that is decided by them."""
    rows = (
        row
        for resource in _system(system_key).resources
        for row in _value_rows(resource.fields, f"{resource.model.name}.")
    )
    return in_markdown(["Field", "Value", "Where"], rows)


def _value_rows(words: Mapping[str, FieldSpec], prefix: str) -> Iterator[list[str]]:
    for name, word in words.items():
        match word:
            case Codes(path, codes):
                for code, value in codes.items():
                    yield [f"`{prefix}{name}`", f"`{value.name}`", _equals(path, code)]
            case First(cases):
                for case in cases:
                    yield [f"`{prefix}{name}`", f"`{case.gives.name}`", _equals(case.path, case.value)]
            case Flagged(path, flag):
                yield [f"`{prefix}{name}`", "`true`", _equals(path, flag)]
            case Many():
                yield from _value_rows(word.fields, f"{prefix}{name}.")


def _equals(path: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"`{path}` is `{str(value).lower()}`"
    return f"`{path}` is `{value}`" if value else f"`{path}` is empty"


def _system(key: str) -> System:
    system = find_system(key)
    if system is None:
        raise KeyError(key)
    return system


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def in_markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as pages have them."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
