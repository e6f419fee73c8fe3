"""Checks a manifest's folder without its system: the mapping against the facts, and the samples through the mapping."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.composites import Parts
from connectors.errors import BadAnswer
from connectors.fields import At, Can, FieldSpec
from connectors.manifests.building import kinds_of
from connectors.manifests.facts import READABLE_AS, Facts, FieldFacts
from connectors.manifests.mistakes import Keys, ManifestError, Mistake, find_line, placed, suggest
from connectors.manifests.reading import SYSTEM_FILE, Described, read_folder
from connectors.query import Answer, Read
from connectors.reading import RecordReader
from connectors.spec import Resource
from connectors.testing.golden import as_json
from connectors.testing.walks import whole
from schema.model import Kind
from schema.records import FieldGapReason

SAMPLES = "samples"
_CONNECTION = "con_check"


@dataclass(eq=False)
class Report:
    """What a check has found: mistakes, notes on what deserves a look, and the records of the samples by entity."""

    folder: Path
    described: Described | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.mistakes


def check(folder: Path) -> Report:
    """Check a folder; mistakes do not end the check where anything can still be looked at."""
    report = Report(folder)
    try:
        report.described = read_folder(folder)
    except ManifestError as error:
        report.mistakes += error.mistakes
        return report
    for resource in report.described.system.resources:
        _check_facts(report, report.described, resource)
        _check_samples(report, report.described, resource)
    if report.described.facts is None:
        report.notes.append(
            "There is no facts.toml, so nothing tells whether the source has the fields that are mapped."
        )
    return report


def facts_of(described: Described, resource: Resource) -> dict[str, FieldFacts] | None:
    """What is known of a resource's fields, by path; None where nothing is."""
    facts: Facts | None = described.facts
    return None if facts is None else facts.fields.get(described.manifest.resources[resource.model.name].source)


def _check_facts(report: Report, described: Described, resource: Resource) -> None:
    if described.facts is None:
        return
    name = resource.model.name
    known = facts_of(described, resource)
    if known is None:
        source = described.manifest.resources[name].source
        hint = suggest(source, described.facts.fields)
        report.mistakes.append(_at(described, ("resources", name, "source"), f"the facts do not know {source!r}{hint}"))
        return
    for keys, path, word in _paths(resource):
        place = ("resources", name, *keys)
        if path not in known:
            report.mistakes.append(_at(described, place, f"the source has no field {path!r}{suggest(path, known)}"))
            continue
        report.mistakes += [_at(described, place, message) for message in _disagreements(path, word, known[path])]
    for field_name, spec in resource.fields.items():
        for path, kind in kinds_of(spec, resource.model.fields[field_name]):
            if path in known and kind not in READABLE_AS[known[path].type]:
                message = f"{path!r} is {known[path].type} in the source, which cannot be read as {_plain(kind)}"
                report.mistakes.append(_at(described, ("resources", name, "fields", field_name), message))


def _paths(resource: Resource) -> Iterator[tuple[Keys, str, FieldSpec | None]]:
    """Every path with the keys that lead to its word; the key's own comes first."""
    yield ("key",), resource.key, None
    for name, word in resource.fields.items():
        for inner in _words_within(word):
            for path in inner.paths():
                yield ("fields", name), path, inner


def _words_within(word: FieldSpec) -> Iterator[FieldSpec]:
    """A word, or those that it is made of where they stand in the same row."""
    if isinstance(word, Parts):
        yield from word.fields.values()
    else:
        yield word


def _disagreements(path: str, word: FieldSpec | None, facts: FieldFacts) -> Iterator[str]:
    if getattr(word, "filter", Can.NOTHING) and not facts.filterable:
        yield f"the source cannot filter by {path!r}"
    if isinstance(word, At) and word.sort and not facts.sortable:
        yield f"the source cannot sort by {path!r}"
    if isinstance(word, At) and word.required and not facts.required:
        yield f"the source does not say that {path!r} always has a value"


def _check_samples(report: Report, described: Described, resource: Resource) -> None:
    """Read every answer that is kept for an entity."""
    name = resource.model.name
    folder = described.folder / SAMPLES
    files = sorted(folder.glob(f"{name}.json")) + sorted(folder.glob(f"{name}-*.json"))
    if not files:
        report.notes.append(f"No sample shows records of {name}: keep an answer as {SAMPLES}/{name}.json.")
    rows = report.rows.setdefault(name, [])
    known = facts_of(described, resource)
    for file in files:
        where = f"{SAMPLES}/{file.name}"
        try:
            raw = described.system.protocol.page(
                Read(resource.source, frozenset()), Answer(200, {}, file.read_bytes())
            ).rows
            found = records_of(described, resource, raw)
        except (BadAnswer, OSError) as error:
            report.mistakes.append(Mistake(where, None, str(error)))
            continue
        rows += found
        report.mistakes += [Mistake(where, None, message) for row in found for _, message in unreadable(resource, row)]
        report.notes += [f"{where}: {message}" for row in found for message in unknown_words(name, row)]
        if known is None:
            report.notes += [f"{where}: {message}" for message in unseen(resource, raw)]
        else:
            report.notes += [f"{where}: {path!r} is not in the facts." for path in strangers(raw, known)]
    report.notes[:] = list(dict.fromkeys(report.notes))


def records_of(described: Described, resource: Resource, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a source as unified records, ready to be printed."""
    reader = RecordReader(resource, described.system.protocol, _CONNECTION, whole(resource.model))
    return [as_json(record, resource.model, reader) for record in reader.read(rows)]


def unreadable(resource: Resource, record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What could not be read in a record: the field, and the words for it."""
    entity = resource.model
    for path, reason in record["missing"].items():
        if reason == FieldGapReason.UNPARSABLE.name:
            name = path.partition(".")[0]
            item = entity.fields[name]
            kind = f" as {_plain(item.plain_type)}" if item.kind is Kind.SCALAR and not item.is_enum else ""
            yield name, f"{entity.name} {record['remoteId']}: {path} cannot be read{kind}"


def unseen(resource: Resource, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The paths of the mapping that stand in no row, as a constant does that is taken for a path."""
    for (_, *names), path, _ in _paths(resource):
        stands = {_stands_in(row, re.split(r"[./]", path)) for row in rows}
        if False in stands and True not in stands:
            yield f"no row has {path!r}, which {resource.model.name}.{''.join(map(str, names)) or 'key'} reads."


def _stands_in(found: Any, steps: Sequence[str]) -> bool | None:
    """Whether a path leads to something in a row; None where a null or an empty list ends it before."""
    for place, step in enumerate(steps):
        if isinstance(found, list):
            inner = {_stands_in(item, steps[place:]) for item in found}
            return True if True in inner else False if False in inner else None
        if found is None:
            return None
        if not isinstance(found, dict) or step not in found:
            return False
        found = found[step]
    return True


def unknown_words(entity: str, record: dict[str, Any]) -> Iterator[str]:
    """Where a record has a word that no case or code knows."""
    for path, value in record.items():
        if value == "UNKNOWN":
            yield f"{entity} {record['remoteId']}: {path} is UNKNOWN."


def strangers(found: Any, known: dict[str, FieldFacts], prefix: str = "") -> list[str]:
    """The paths of a sample that the facts do not know."""
    unknown: list[str] = []
    for item in found if isinstance(found, list) else [found]:
        for name, value in item.items() if isinstance(item, dict) else ():
            path = f"{prefix}{name}"
            if path not in known:
                unknown.append(path)
            elif isinstance(value, dict | list):
                unknown += strangers(value, known, f"{path}.")
    return list(dict.fromkeys(unknown))


def _plain(kind: type[Any]) -> str:
    return {str: "text", bool: "true or false", datetime: "a moment"}.get(kind, f"a {kind.__name__.lower()}")


def _at(described: Described, keys: Keys, message: str) -> Mistake:
    return Mistake(SYSTEM_FILE, find_line(described.text, keys), placed(keys, message))
