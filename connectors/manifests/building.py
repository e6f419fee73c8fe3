"""Builds the words of a connector from the entries of a manifest, and collects what cannot be built."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any

from connectors.composites import EachChild, Many, OverChildren, Parts, money, quantity
from connectors.decisions import Always, Case, Codes, First, Flagged
from connectors.fields import At, Can, FieldSpec, FirstText, Joined, Lookup, Ref
from connectors.keys import NUMBER, TEXT, KeyForm, padded
from connectors.manifests.mistakes import Keys, suggest_or_list
from connectors.manifests.words import (
    AlwaysEntry,
    AtEntry,
    CaseEntry,
    CodesEntry,
    CountEntry,
    EachEntry,
    Entry,
    FirstEntry,
    FirstTextEntry,
    FlagEntry,
    JoinedEntry,
    KeyFormEntry,
    LookupEntry,
    ManyEntry,
    MoneyEntry,
    Padded,
    PartsEntry,
    QuantityEntry,
    RefEntry,
)
from schema.model import FieldModel, Kind, fields_of

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OWN_NAMES = frozenset({"id"})

GUID = KeyForm(str, lambda text: text if _GUID.fullmatch(text) else None, str)
"""Keys are GUIDs in small letters."""

_FORMS: Mapping[str, KeyForm] = {"text": TEXT, "number": NUMBER, "guid": GUID}


def key_form(entry: KeyFormEntry) -> KeyForm:
    """How keys are written."""
    return padded(entry.padded) if isinstance(entry, Padded) else _FORMS[entry]


def abilities(names: Iterable[str]) -> Can:
    """What the source can do with a field."""
    found = Can.NOTHING
    for name in names:
        found |= Can[name.upper()]
    return found


def rest_of(given: list[str] | str, named: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    """The names of an `unmapped` list; "others" are all that are named nowhere else."""
    return tuple(given) if isinstance(given, list) else tuple(name for name in known if name not in named)


class WordBuilder:
    """Builds words; `mistakes` are those that the entries alone do not show, each with its keys."""

    def __init__(self) -> None:
        self.mistakes: list[tuple[Keys, str]] = []

    def fields(
        self, entries: Mapping[str, Entry], models: Mapping[str, FieldModel], keys: Keys
    ) -> dict[str, FieldSpec]:
        """The words of an entity or a child row; a name that it does not have is a mistake of its own."""
        return {name: self.word(entry, models.get(name), (*keys, name)) for name, entry in entries.items()}

    def word(self, entry: Entry, model: FieldModel | None, keys: Keys) -> FieldSpec:
        """One word, for a field that may not exist."""
        match entry:
            case AtEntry():
                return At(
                    entry.at,
                    abilities(entry.filter),
                    entry.sort,
                    entry.required,
                    entry.finds_more,
                    None if entry.resolution is None else timedelta(**{entry.resolution: 1}),
                )
            case CodesEntry():
                return self._codes(entry, model, keys)
            case FirstEntry():
                cases = [self._case(case, model, (*keys, "first", place)) for place, case in enumerate(entry.first)]
                return First(tuple(case for case in cases if case is not None), abilities(entry.filter))
            case FlagEntry():
                return Flagged(entry.flag, entry.is_, abilities(entry.filter))
            case RefEntry():
                return Ref(entry.ref, abilities(entry.filter), key_form(entry.form))
            case AlwaysEntry(always=given) if model is not None and model.is_enum:
                return Always(self._member(given, model, (*keys, "always")) or next(iter(model.type)))
            case AlwaysEntry():
                return Always(entry.always)
            case JoinedEntry():
                return Joined(tuple(entry.joined))
            case FirstTextEntry():
                return FirstText(tuple(entry.first_text))
            case LookupEntry():
                return Lookup(entry.lookup, entry.table)
            case CountEntry():
                return OverChildren(entry.count, len, {"key": (entry.key, str)})
            case _:
                return self._composite(entry, model, keys)

    def _composite(self, entry: Entry, model: FieldModel | None, keys: Keys) -> FieldSpec:
        models = _models_within(model)
        match entry:
            case MoneyEntry():
                amount, currency = (entry.money.amount, entry.money.currency)
                return money(self.word(amount, None, keys), self.word(currency, None, keys))
            case QuantityEntry():
                given = entry.quantity
                unit = None if given.unit is None else self.word(given.unit, models.get("unit"), keys)
                return quantity(self.word(given.value, None, keys), self.word(given.source_unit, None, keys), unit)
            case PartsEntry():
                return Parts(self.fields(entry.parts, models, (*keys, "parts")))
            case EachEntry():
                return EachChild(entry.each, Parts(self.fields(entry.parts, models, (*keys, "parts"))))
            case ManyEntry():
                return self._many(entry, models, keys)
            case _:
                raise TypeError(f"{type(entry).__name__} is no word")

    def _many(self, entry: ManyEntry, models: Mapping[str, FieldModel], keys: Keys) -> Many:
        named = [*entry.fields, *entry.unsupported]
        return Many(
            entry.many,
            entry.key,
            self.fields(entry.fields, models, (*keys, "fields")),
            tuple(entry.unsupported),
            rest_of(entry.unmapped, named, (name for name in models if name not in _OWN_NAMES)),
            None if entry.key_form is None else key_form(entry.key_form),
        )

    def _codes(self, entry: CodesEntry, model: FieldModel | None, keys: Keys) -> Codes:
        found: dict[Any, Enum] = {}
        for code, name in entry.values.items():
            place = (*keys, "values", code)
            member = self._member(name, model, place)
            if entry.numbers and not code.lstrip("-").isdigit():
                self.mistakes.append((place, f"{code!r} is no number, as `numbers` says that codes are"))
            elif member is not None:
                found[int(code) if entry.numbers else code] = member
        return Codes(entry.codes, found, abilities(entry.filter))

    def _case(self, entry: CaseEntry, model: FieldModel | None, keys: Keys) -> Case | None:
        member = self._member(entry.gives, model, (*keys, "gives"))
        return None if member is None else Case(entry.path, entry.is_, member)

    def _member(self, name: str, model: FieldModel | None, keys: Keys) -> Enum | None:
        """A value of the field's enum; that a field is none is said where words are checked."""
        if model is None or not model.is_enum:
            return None
        found: Enum | None = model.type.__members__.get(name)
        if found is None:
            hint = suggest_or_list(name, model.type.__members__)
            self.mistakes.append((keys, f"{model.type.__name__} has no value {name!r}{hint}"))
        return found


def _models_within(model: FieldModel | None) -> Mapping[str, FieldModel]:
    has_parts = model is not None and model.kind in (Kind.VALUE, Kind.VALUES, Kind.CHILDREN)
    return fields_of(model.type) if model is not None and has_parts else {}


def kinds_of(word: FieldSpec, model: FieldModel) -> Iterator[tuple[str, type[Any]]]:
    """The paths of a word with the Python type that is read from each, as far as one is."""
    match word:
        case At(path):
            yield path, model.plain_type
        case Ref(path):
            yield path, str
        case Joined(sources) | FirstText(sources):
            yield from ((path, str) for path in sources)
        case Parts(fields):
            models = _models_within(model)
            for name, inner in fields.items():
                if name in models:
                    yield from kinds_of(inner, models[name])
        case EachChild(path, parts):
            yield from ((f"{path}.{inner}", kind) for inner, kind in kinds_of(parts, model))
        case Many(path, _, fields):
            models = _models_within(model)
            for name, inner in fields.items():
                if name in models:
                    yield from ((f"{path}.{place}", kind) for place, kind in kinds_of(inner, models[name]))
