"""Makes a system of a manifest: the same objects as a connector in Python has."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from hashlib import sha256
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

import schema
from connectors.keys import KeyForm
from connectors.manifests.building import WordBuilder, key_form, rest_of
from connectors.manifests.form import (
    AfterKeyPaging,
    AnyManifest,
    ComparisonName,
    CursorPaging,
    LimitsEntry,
    LinkHeaderPaging,
    LinkPaging,
    NoPaging,
    ODataManifest,
    ODataResourceEntry,
    OffsetPaging,
    PageNumberPaging,
    PagingEntry,
    ResourceEntry,
    RestManifest,
    RestResourceEntry,
)
from connectors.manifests.logins import auth_method, fields_of_login
from connectors.manifests.mistakes import Keys, placed, suggest, suggest_or_list
from connectors.manifests.words import AtEntry, CodesEntry, FirstEntry, FlagEntry
from connectors.plan import NarrowResource
from connectors.protection.limits import Limits, Rate, Share
from connectors.protocols.json_values import Moments, Times
from connectors.protocols.odata_v4 import EntitySet, ODataV4
from connectors.protocols.rest import Collection, Pages, Paging, Rest, Several
from connectors.protocols.walking import Walk
from connectors.query import Compare, Comparison, all_of
from connectors.spec import SpecError, System
from schema.model import ENTITIES, Entity
from schema.systems import Deployment, GuideStep, SystemCategory

Found = list[tuple[Keys, str]]
_Member = TypeVar("_Member", bound=Enum)

_COMPARISONS: Mapping[ComparisonName, Comparison] = {
    "eq": Comparison.EQ,
    "ne": Comparison.NOT_EQ,
    "gt": Comparison.GT,
    "gte": Comparison.GTE,
    "lt": Comparison.LT,
    "lte": Comparison.LTE,
    "contains": Comparison.CONTAINS,
    "starts_with": Comparison.STARTS_WITH,
    "is_null": Comparison.MISSING,
    "is_not_null": Comparison.PRESENT,
}


@cache
def entities() -> Mapping[str, Entity]:
    """Every entity by name; each enters itself when its module is imported."""
    for module in iter_modules(schema.__path__):
        import_module(f"schema.{module.name}")
    return {entity.name: entity for entity in ENTITIES.values()}


def build_system(manifest: AnyManifest) -> tuple[System | None, Found]:
    """The system, or None and every mistake, in words that say where, with the keys that lead there."""
    maker = _Maker(manifest)
    system = maker.make()
    return (None if maker.mistakes else system), maker.mistakes


class _Maker:
    """Makes one system; goes on after a mistake, so that all are found at once."""

    def __init__(self, manifest: AnyManifest) -> None:
        self._manifest = manifest
        self._entities = entities()
        self.mistakes: Found = []

    def make(self) -> System | None:
        """The system; None where words of its fields are wrong."""
        manifest = self._manifest
        protocol, grasp = self._protocol()
        category = self._member(SystemCategory, manifest.category, ("category",))
        deployments = [
            self._member(Deployment, name, ("deployments", place)) for place, name in enumerate(manifest.deployments)
        ]
        resources = [
            self._resource(name, entry, grasp) for name, entry in manifest.resources.items() if self._knows_entity(name)
        ]
        self._check_logins()
        try:
            return System(
                key=manifest.key,
                title=manifest.title,
                vendor=manifest.vendor,
                category=category or SystemCategory.OTHER,
                tier=manifest.tier,
                deployments=tuple(item for item in deployments if item is not None),
                protocol=protocol,
                resources=tuple(resources),
                auth_methods=tuple(auth_method(login, manifest.address) for login in manifest.logins),
                guide=tuple(GuideStep(title=step.title, body=step.body) for step in manifest.guide),
                address=_address(manifest.address.field, manifest.address.path),
                revision=sha256(repr(manifest).encode()).hexdigest(),
                limits=_limits(manifest.limits),
            )
        except SpecError as error:
            self.mistakes += [(self._keys_of(mistake), mistake) for mistake in error.mistakes]
            return None

    def _note(self, keys: Keys, message: str) -> None:
        self.mistakes.append((keys, placed(keys, message)))

    def _knows_entity(self, name: str) -> bool:
        if name in self._entities:
            return True
        self._note(("resources", name), f"there is no entity {name!r}{suggest_or_list(name, self._entities)}")
        return False

    def _member(self, enum: type[_Member], name: str, keys: Keys) -> _Member | None:
        found = enum.__members__.get(name.upper().replace("-", "_"))
        if found is None:
            known = [member.lower().replace("_", "-") for member in enum.__members__]
            self._note(keys, f"{name!r} is none of {', '.join(known)}{suggest(name, known)}")
        return found

    def _check_logins(self) -> None:
        """Every answer that the address and a login use has to be asked for."""
        for place, login in enumerate(self._manifest.logins):
            if login.fields is None:
                continue
            asked = [item.name for item in login.fields]
            for name in (self._manifest.address.field, *fields_of_login(login)):
                if name not in asked:
                    self._note(("logins", place, "fields"), f"the form does not ask for {name!r}")

    def _resource(self, name: str, entry: ResourceEntry, grasp: Callable[[str], Any]) -> NarrowResource:
        entity = self._entities[name]
        keys: Keys = ("resources", name)
        builder = WordBuilder()
        fields = builder.fields(entry.fields, entity.fields, (*keys, "fields"))
        for place, message in builder.mistakes:
            self._note(place, message)
        known = [item.name for item in entity.mapped_fields()]
        # Two entities may read one REST collection in different ways, so there it goes by the entity's name.
        source = name if isinstance(entry, RestResourceEntry) else entry.source
        resource = NarrowResource(
            entity=entity.cls,
            source=source,
            key=entry.key,
            fields=fields,
            unsupported=tuple(entry.unsupported),
            unmapped=rest_of(entry.unmapped, [*entry.fields, *entry.unsupported], known),
            key_form=_key_form(entry),
            title=entry.title,
            max_keys=_max_keys(entry, self._manifest),
            page_size=entry.page_size,
            is_asked_by_address=True,
            where=all_of(*(Compare(item.path, Comparison.EQ, item.is_, type(item.is_)) for item in _fixed(entry))),
            grasp=grasp(source),
            walk=_walk(entry),
            has_own_paths=isinstance(entry, RestResourceEntry) and bool(entry.read.one),
        )
        if isinstance(entry, RestResourceEntry) and isinstance(self._manifest, RestManifest):
            self._check_rest(keys, entry, self._manifest)
        return resource

    def _check_rest(self, keys: Keys, entry: RestResourceEntry, manifest: RestManifest) -> None:
        """What is needed to read a collection whole, and a record by its key."""
        paging, own = entry.read.paging, entry.read.filters.get(entry.key, manifest.protocol.filters)
        if not entry.read.one and "eq" not in own and not isinstance(paging, NoPaging):
            message = "a record cannot be read by its key: give `one`, the path of a record, or a filter `eq`"
            self._note((*keys, "read"), message)
        if isinstance(paging, OffsetPaging | PageNumberPaging) and entry.max_keys >= entry.page_size:
            message = "`max_keys` has to be less than `page_size`, so that one page holds all of them"
            self._note(keys, message)
        for name, word in entry.fields.items():
            if getattr(word, "sort", False):
                message = "`sort` is of no use here: rows of a REST source are sorted by the gateway"
                self._note((*keys, "fields", name, "sort"), message)

    def _protocol(self) -> tuple[Rest | ODataV4, Callable[[str], Any]]:
        manifest = self._manifest
        protocol: Rest | ODataV4 = _rest(manifest) if isinstance(manifest, RestManifest) else _odata(manifest)
        return protocol, protocol.grasp

    def _keys_of(self, mistake: str) -> Keys:
        """Where in the manifest a mistake of the described system is, as far as its words tell."""
        place, *_ = mistake.split(" ")
        name, *steps = place.rstrip(":").split(".")
        quoted = re.findall(r"['`](\w+)['`]", mistake)
        if name not in self._entities:
            return ()
        entry = self._manifest.resources.get(name)
        known = bool(steps) and entry is not None and steps[0] in entry.fields
        inner = ("fields", *steps) if known else ()
        return ("resources", name, *inner, *quoted[:1])


def _limits(entry: LimitsEntry) -> Limits:
    rates = [Rate(rate.calls, rate.seconds, Share[rate.share.upper()], tuple(rate.methods)) for rate in entry.rates]
    return Limits(Share[entry.share.upper()], entry.at_once, tuple(rates))


def _fixed(entry: ResourceEntry) -> Iterable[Any]:
    return entry.where if isinstance(entry, ODataResourceEntry) else ()


def _max_keys(entry: ResourceEntry, manifest: AnyManifest) -> int:
    """A REST source that takes no several values is asked for one key at a time."""
    is_single = isinstance(manifest, RestManifest) and manifest.protocol.several is None
    return 1 if is_single and not (isinstance(entry, RestResourceEntry) and entry.read.one) else entry.max_keys


def _key_form(entry: ResourceEntry) -> KeyForm:
    """Keys that become a part of a path must not be able to lead elsewhere."""
    form = key_form(entry.key_form)
    if not isinstance(entry, RestResourceEntry) or not entry.read.one:
        return form

    def read(text: str) -> str | int | None:
        return None if text in (".", "..") or "/" in text or "\\" in text else form.read(text)

    return KeyForm(form.kind, read, form.order)


def _address(field: str, path: str) -> Callable[[Mapping[str, str]], str]:
    below = f"{path.strip('/')}/" if path.strip("/") else ""
    return lambda answers: f"{answers[field].rstrip('/')}/{below}"


def _walk(entry: ResourceEntry) -> Walk:
    if not isinstance(entry, RestResourceEntry):
        return Walk.KEYS
    match entry.read.paging:
        case AfterKeyPaging():
            return Walk.KEYS
        case OffsetPaging() | PageNumberPaging():
            return Walk.ROWS
        case NoPaging():
            return Walk.WHOLE
        case _:
            return Walk.LINKS


def _rest(manifest: RestManifest) -> Rest:
    given = manifest.protocol
    return Rest(
        {name: _collection(entry, manifest) for name, entry in manifest.resources.items()},
        headers=given.headers,
        times=Times(Moments(given.moments), given.zone),
        message=given.error.message,
        code=given.error.code,
        version=given.version,
    )


def _collection(entry: RestResourceEntry, manifest: RestManifest) -> Collection:
    read, several = entry.read, manifest.protocol.several
    return Collection(
        path=entry.source,
        key=entry.key,
        rows=read.rows,
        parameters=read.parameters,
        filters=_by_comparison(manifest.protocol.filters),
        own_filters={path: _by_comparison(names) for path, names in read.filters.items()},
        several=None if several is None else Several(several),
        filled=frozenset({entry.key, *_filled(entry)}),
        pages=_pages(read.paging),
        one=read.one,
        record=read.record,
    )


def _filled(entry: RestResourceEntry) -> Iterator[str]:
    """The paths that always have a value, since a word that decides every row stands on them."""
    for word in entry.fields.values():
        match word:
            case AtEntry(at=path, required=True) | CodesEntry(codes=path, filter=[_, *_]):
                yield path
            case FlagEntry(flag=path, filter=[_, *_]):
                yield path
            case FirstEntry(first=cases, filter=[_, *_]):
                yield from (case.path for case in cases)


def _by_comparison(names: Mapping[ComparisonName, str]) -> dict[Comparison, str]:
    return {_COMPARISONS[name]: parameter for name, parameter in names.items()}


def _pages(entry: PagingEntry) -> Pages:
    match entry:
        case OffsetPaging(offset=offset, limit=limit):
            return Pages(Paging.OFFSET, offset, limit=limit)
        case PageNumberPaging(page=page, first=first, limit=limit):
            return Pages(Paging.PAGE_NUMBER, page, first, limit)
        case CursorPaging(cursor=cursor, next=following, limit=limit):
            return Pages(Paging.CURSOR, cursor, limit=limit, next=following)
        case LinkPaging(next=following, limit=limit):
            return Pages(Paging.LINK, limit=limit, next=following)
        case LinkHeaderPaging(limit=limit):
            return Pages(Paging.LINK_HEADER, limit=limit)
        case AfterKeyPaging(after=after, limit=limit):
            return Pages(Paging.AFTER_KEY, after, limit=limit)
        case _:
            return Pages()


def _odata(manifest: ODataManifest) -> ODataV4:
    given = manifest.protocol
    return ODataV4(
        {
            entry.source: EntitySet({**_key_type(entry), **entry.types}, frozenset(entry.complex))
            for entry in manifest.resources.values()
        },
        supports_in=given.supports_in,
        ignores_case=given.ignores_case,
        page_size=given.page_size,
        parameters=given.parameters,
        headers=given.headers,
    )


def _key_type(entry: ODataResourceEntry) -> dict[str, str]:
    return {entry.key: "guid"} if entry.key_form == "guid" else {}
