"""Reads a manifest's folder, and says everything that is wrong with it at once."""

import copy
import re
import tomllib
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from connectors.manifests.facts import Facts
from connectors.manifests.form import MANIFESTS, AnyManifest, manifest_for
from connectors.manifests.mistakes import Keys, ManifestError, Mistake, find_line, placed, suggest, suggest_or_list
from connectors.manifests.systems import Found, build_system
from connectors.manifests.words import WORDS
from connectors.spec import System

SYSTEM_FILE = "system.toml"
FACTS_FILE = "facts.toml"
_LARGEST_FILE = 1024 * 1024
_QUOTED = re.compile(r"'([\w-]+)'")
_PLACE = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(frozen=True, eq=False)
class Described:
    """A folder that describes a system; `text` is that of its system.toml."""

    folder: Path
    manifest: AnyManifest
    system: System
    facts: Facts | None
    text: str


def read_folder(folder: Path) -> Described:
    """Read a manifest; ManifestError lists all mistakes."""
    text = _read_text(folder, SYSTEM_FILE)
    data = _parse(folder, SYSTEM_FILE, text)
    form = manifest_for(data)
    if form is None:
        message = f"`protocol.kind` has to be one of {', '.join(MANIFESTS)}"
        raise ManifestError(str(folder), [Mistake(SYSTEM_FILE, find_line(text, ("protocol", "kind")), message)])
    try:
        manifest = _validate(folder, SYSTEM_FILE, text, data, form)
    except ManifestError as error:
        further = _build(text, rest) if (rest := _without_misshapen(form, data)) is not None else []
        raise ManifestError(str(folder), sorted({*error.mistakes, *further}, key=_line)) from None
    system, found = build_system(manifest)
    if system is None:
        raise ManifestError(str(folder), sorted(_placed(text, found), key=_line))
    return Described(folder, manifest, system, _read_facts(folder), text)


def _placed(text: str, found: Found) -> list[Mistake]:
    return [Mistake(SYSTEM_FILE, find_line(text, keys), message) for keys, message in found]


def _build(text: str, rest: AnyManifest) -> list[Mistake]:
    """What else is wrong with the fields of a manifest whose misshapen parts are left out."""
    _, found = build_system(rest)
    return _placed(text, [(keys, message) for keys, message in found if len(keys) > 2 and keys[2] != "read"])


def _without_misshapen(form: type[AnyManifest], data: dict[str, Any]) -> AnyManifest | None:
    """The manifest without the fields and names that its form refuses; None where more than those is wrong.

    A field that is left out counts as unmapped, so that nothing is said of it twice.
    """
    rest = copy.deepcopy(data)
    try:
        form.model_validate(data)
    except ValidationError as error:
        for item in error.errors():
            match item["loc"]:
                case ("resources", entity, "fields", name, *_):
                    resource = rest["resources"][entity]
                    if resource["fields"].pop(name, None) is not None and isinstance(resource.get("unmapped"), list):
                        resource["unmapped"].append(name)
                case (*way, last) if item["type"] == "extra_forbidden":
                    _leave_out(rest, _keys_in(rest, tuple(way)), last)
    try:
        return form.model_validate(rest)
    except ValidationError:
        return None


def _leave_out(data: Any, way: Keys, name: int | str) -> None:
    for step in way:
        data = data[step]
    if isinstance(data, dict):
        data.pop(name, None)


def _read_facts(folder: Path) -> Facts | None:
    if not (folder / FACTS_FILE).exists():
        return None
    text = _read_text(folder, FACTS_FILE)
    return _validate(folder, FACTS_FILE, text, _parse(folder, FACTS_FILE, text), Facts)


def _read_text(folder: Path, name: str) -> str:
    try:
        with (folder / name).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror or 'no such file'}"
        raise ManifestError(str(folder), [Mistake(name, None, message)]) from None
    if len(content) > _LARGEST_FILE:
        raise ManifestError(str(folder), [Mistake(name, None, f"is larger than {_LARGEST_FILE} bytes")])
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ManifestError(str(folder), [Mistake(name, None, "is not written in UTF-8")]) from None


def _parse(folder: Path, name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        line = int(place[1]) if place else len(text.splitlines())
        message = _PLACE.sub("", str(error)).removesuffix("(at end of document)").strip()
        raise ManifestError(str(folder), [Mistake(name, line, f"is no TOML: {message}")]) from None
    except RecursionError:
        raise ManifestError(str(folder), [Mistake(name, None, "is nested too deeply")]) from None


_Form = typing.TypeVar("_Form", bound=BaseModel)


def _validate(folder: Path, name: str, text: str, data: dict[str, Any], form: type[_Form]) -> _Form:
    try:
        return form.model_validate(data)
    except ValidationError as error:
        found = [_read_error(name, text, data, form, item) for item in error.errors()]
        raise ManifestError(str(folder), sorted(dict.fromkeys(found), key=_line)) from None


def _line(mistake: Mistake) -> int:
    return mistake.line or 0


def _read_error(name: str, text: str, data: Any, form: type[BaseModel], error: Any) -> Mistake:
    """One mistake that the form has found, in the words of somebody who writes TOML."""
    loc = tuple(step for step in error["loc"] if step != "[key]")
    keys = _keys_in(data, loc)
    line = find_line(text, keys)
    last, given, context = str(loc[-1]), error["input"], error.get("ctx", {})
    known = _QUOTED.findall(context.get("expected_tags") or str(context.get("expected", "")))
    match error["type"]:
        case "missing":
            message = f"{last!r} is missing"
        case "extra_forbidden":
            message = f"there is no {last!r} here{suggest_or_list(last, _names_at(form, loc[:-1]))}"
            keys = keys[:-1]
        case "no_word":
            message = error["msg"] + "".join(suggest(key, WORDS) for key in (given if isinstance(given, dict) else {}))
        case "literal_error" if error["loc"][-1] == "[key]":
            message = f"there is no {last!r} here{suggest(last, known)}"
            keys = keys[:-1]
        case "literal_error":
            message = error["msg"] + suggest(str(given), known)
        case "union_tag_invalid":
            tag = str(context["tag"])
            message = f"`kind` is {tag!r}, and has to be one of {', '.join(known)}{suggest(tag, known)}"
        case _:
            message = error["msg"]
    return Mistake(name, line, placed(keys, message))


def _keys_in(data: Any, loc: tuple[int | str, ...]) -> Keys:
    """The keys that really stand in the data; the others of a location are names of alternatives."""
    keys: list[int | str] = []
    for index, step in enumerate(loc):
        is_last = index == len(loc) - 1
        found = data[step] if _has(data, step) else None
        if found is None or not (is_last or isinstance(found, dict | list)):
            continue
        keys.append(step)
        data = found
    return tuple(keys)


def _has(data: Any, step: int | str) -> bool:
    if isinstance(data, dict):
        return step in data
    return isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data)


def _names_at(form: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The names that are known where a location leads to."""
    forms = [form]
    for step in loc:
        inner = [
            found
            for item in forms
            for name, field in item.model_fields.items()
            if step in (name, field.alias)
            for found in _forms_in(field.annotation)
        ]
        chosen = [item for item in forms if step in _tags(item)]
        forms = [*inner, *chosen] or forms
    return [field.alias or name for item in forms for name, field in item.model_fields.items()]


def _forms_in(annotation: Any) -> list[type[BaseModel]]:
    """Every form within a type such as a list, a dictionary or an alternative."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [found for inner in typing.get_args(annotation) for found in _forms_in(inner)]


def _tags(form: type[BaseModel]) -> tuple[str, ...]:
    """The names under which a form is an alternative."""
    kind = form.model_fields.get("kind")
    return (
        *(name for name, word in WORDS.items() if word is form),
        *(typing.get_args(kind.annotation) if kind else ()),
    )
