"""Faults that people make in connectors, planted in sound ones; the contract suite has to catch each of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.composites import Calculated, OverChildren
from connectors.decisions import First
from connectors.errors import PermissionDenied, Reauthorize, Trouble
from connectors.fields import At, Can, FieldSpec, Pushed
from connectors.protocols.base import Decoder, Getter, Row, WireProtocol
from connectors.query import (
    ALWAYS,
    AllOf,
    Answer,
    AnyOf,
    Compare,
    Comparison,
    Page,
    Read,
    Request,
    Where,
    all_of,
    any_of,
)
from connectors.spec import System
from connectors.systems.sap_s4hana.amounts import order_amount
from schema.filters import Operator
from schema.model import FieldModel
from schema.purchasing import PurchaseOrder

Plant = Callable[[System], System]


@dataclass(frozen=True)
class Fault:
    """One fault in one system: how it is planted, and by which checks it has to be caught.

    `caught_by` is empty where the description of the system refuses the fault itself, with a SpecError.
    """

    name: str
    system: str
    plant: Plant
    caught_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Altered(WireProtocol):
    """A protocol with something wrong in it."""

    sound: WireProtocol
    where: Callable[[Where], Where] = lambda where: where
    more_paths: frozenset[str] = frozenset()
    asked: Callable[[Request], Request] = lambda request: request
    answered: Callable[[Page], Page] = lambda page: page
    meant: Callable[[Trouble | None], Trouble | None] = lambda trouble: trouble
    wrong_decoders: Mapping[type[Any], Callable[[Any], Any]] = field(default_factory=dict)

    @property
    def version_path(self) -> str:  # type: ignore[override]
        return self.sound.version_path

    @property
    def decoders(self) -> Mapping[type[Any], Decoder]:  # type: ignore[override]
        sound = self.sound.decoders
        wrong = {kind: _after(sound[kind], spoil) for kind, spoil in self.wrong_decoders.items()}
        return {**sound, **wrong}

    def request(self, read: Read, options: Mapping[str, str]) -> Request:
        changed = replace(read, where=self.where(read.where), paths=read.paths | self.more_paths)
        return self.asked(self.sound.request(changed, options))

    def page(self, read: Read, answer: Answer) -> Page:
        return self.answered(self.sound.page(read, answer))

    def trouble(self, answer: Answer) -> Trouble | None:
        return self.meant(self.sound.trouble(answer))

    def getter(self, path: str) -> Getter:
        return self.sound.getter(path)

    def children(self, path: str) -> Callable[[Row], list[Row] | None]:
        return self.sound.children(path)


def _after(decode: Decoder, spoil: Callable[[Any], Any]) -> Decoder:
    return lambda value: spoil(decode(value))


def speaking(**wrong: Any) -> Plant:
    """Plant something wrong in the protocol."""
    return lambda system: replace(system, protocol=Altered(system.protocol, **wrong))


def mapping(**words: FieldSpec | None) -> Plant:
    """Plant other words for fields of purchase orders; None forgets the field."""

    def plant(system: System) -> System:
        orders = system.resource(PurchaseOrder)
        assert orders is not None
        fields = {name: word for name, word in {**orders.fields, **words}.items() if word is not None}
        others = tuple(item for item in system.resources if item is not orders)
        return replace(system, resources=(replace(orders, fields=fields), *others))

    return plant


def _compared(change: Callable[[Compare], Where]) -> Callable[[Where], Where]:
    """Change every comparison of a question."""

    def rewrite(where: Where) -> Where:
        match where:
            case AllOf(terms):
                return all_of(*map(rewrite, terms))
            case AnyOf(terms):
                return any_of(*map(rewrite, terms))
            case Compare():
                return change(where)

    return rewrite


def _less_instead_of_at_most(compare: Compare) -> Where:
    return replace(compare, comparison=Comparison.LT) if compare.comparison is Comparison.LTE else compare


def _at_the_key(key: str, change: Callable[[Compare], Where]) -> Callable[[Where], Where]:
    """Change what places a page behind a key."""
    return _compared(
        lambda compare: change(compare) if (compare.path, compare.comparison) == (key, Comparison.GT) else compare
    )


def _from_the_key_on(compare: Compare) -> Where:
    return replace(compare, comparison=Comparison.GTE)


def _wall_clock(compare: Compare) -> Where:
    is_moment = isinstance(compare.value, datetime)
    return replace(compare, value=compare.value.replace(tzinfo=UTC)) if is_moment else compare


def _without_brackets(where: Where) -> Where:
    """What `a and (b or c)` means once its brackets are gone."""
    if not isinstance(where, AllOf) or not any(isinstance(term, AnyOf) for term in where.terms):
        return where
    first, *rest = sorted(where.terms, key=lambda term: isinstance(term, AnyOf))
    last = rest.pop()
    assert isinstance(last, AnyOf)
    return any_of(all_of(first, *rest, last.terms[0]), *last.terms[1:])


def _harmful(request: Request) -> Request:
    return replace(request, is_read=False)


def _single_quotes(request: Request) -> Request:
    """An apostrophe inside a text that is not doubled; the empty text keeps its two quotes."""
    parts = request.query.split("%27%27")
    joined = parts[0]
    for part in parts[1:]:
        joined += ("%27" if joined[-1:].isalnum() and part[:1].isalnum() else "%27%27") + part
    return replace(request, query=joined)


def _wild_patterns(request: Request) -> Request:
    return replace(request, body=request.body.replace(b"\\\\%", b"%").replace(b"\\\\_", b"_"))


def _alike_letters(request: Request) -> Request:
    return replace(request, body=request.body.replace(b',"in",["', b',"ilike",["').replace(b',"=","', b',"ilike","'))


def _refused(trouble: Trouble | None) -> Trouble | None:
    return Reauthorize(trouble.message) if isinstance(trouble, PermissionDenied) else trouble


def _through_float(value: Any) -> Any:
    return None if value is None else Decimal(str(float(value)))


def _without_zone(value: Any) -> Any:
    return None if value is None else value.replace(tzinfo=None)


def _first_of_month(path: str) -> FieldSpec:
    return Calculated(lambda day: day.replace(day=1), {"day": (path, date)})


def _reversed_cases(system: System, name: str) -> System:
    orders = system.resource(PurchaseOrder)
    assert orders is not None
    word = orders.fields[name]
    assert isinstance(word, First)
    return mapping(**{name: replace(word, cases=word.cases[::-1])})(system)


def _sum_of_everything(system: System) -> System:
    orders = system.resource(PurchaseOrder)
    assert orders is not None
    total = orders.fields["total"]
    assert isinstance(total, OverChildren)

    def amount(lines: list[dict[str, Any]]) -> Any:
        return order_amount([line | {"deleted": None} for line in lines])

    return mapping(total=replace(total, function=amount))(system)


class _Promising(At):
    """Says that the source decides, and asks it for everything."""

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        return Pushed(ALWAYS)


class _Silent(At):
    """Says that the source decides, and asks it nothing."""

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        return None


def _silent(path: str) -> FieldSpec:
    return _Silent(path, filter=Can.EQ)


_FILTERS = "every_filter_finds_the_same_as_here"
_AGAIN = "a_question_whose_connection_broke_is_asked_again"
_COMBINED = "combined_filters_find_the_same_as_here"
_KEPT = "records_are_the_rows_that_are_kept"
_KNOWN = "records_say_what_is_known_otherwise"
_PAGES = "pages_of_any_size_cover_every_row_once"
_PIECES = "answers_in_pieces_are_read_whole"
_PATHS = "every_path_is_in_the_facts"
_EMPTY = "a_value_that_is_not_there_is_null_and_empty"
_MEANING = "every_trouble_has_one_meaning"
_DIGITS = "numbers_keep_every_digit"
_PUSHED = "declared_filters_are_pushed_down"
_NEEDED = "only_needed_fields_are_asked_for"
_ZONES = "no_value_is_a_float_or_without_its_zone"

_S4, _TRYTON, _ODOO = "sap_s4hana", "tryton", "odoo"

FAULTS: tuple[Fault, ...] = (
    Fault("wrong path", _S4, mapping(orderDate=At("PurchaseOrderDay")), (_PATHS, _KEPT)),
    Fault("wrong path", _TRYTON, mapping(orderDate=At("purchase_day")), (_PATHS, _KEPT)),
    Fault("wrong path", _ODOO, mapping(orderDate=At("date_ordered")), (_PATHS, _KEPT)),
    Fault("missing escape", _S4, speaking(asked=_single_quotes), (_FILTERS,)),
    Fault("no word that reading is harmless", _TRYTON, speaking(asked=_harmful), (_AGAIN,)),
    Fault("no word that reading is harmless", _ODOO, speaking(asked=_harmful), (_AGAIN,)),
    Fault("missing escape", _TRYTON, speaking(asked=_wild_patterns), (_FILTERS,)),
    Fault("wrong operator", _S4, speaking(where=_compared(_less_instead_of_at_most)), (_FILTERS,)),
    Fault("wrong operator", _TRYTON, speaking(where=_compared(_less_instead_of_at_most)), (_FILTERS,)),
    Fault("wrong operator", _ODOO, speaking(where=_compared(_less_instead_of_at_most)), (_FILTERS,)),
    Fault("lost case", _S4, mapping(reference=At("CorrespncExternalReference", filter=Can.TEXT)), (_FILTERS,)),
    Fault("lost case", _TRYTON, speaking(asked=_alike_letters), (_FILTERS,)),
    Fault("lost case", _ODOO, speaking(asked=_alike_letters), (_FILTERS,)),
    Fault("cases in another order", _S4, lambda system: _reversed_cases(system, "status"), (_KEPT, _KNOWN)),
    Fault("cases in another order", _TRYTON, lambda system: _reversed_cases(system, "receiptStatus"), (_KEPT, _KNOWN)),
    Fault("cases in another order", _ODOO, lambda system: _reversed_cases(system, "receiptStatus"), (_KEPT, _KNOWN)),
    Fault("lost brackets", _S4, speaking(where=_without_brackets), (_FILTERS, _COMBINED)),
    Fault("lost brackets", _TRYTON, speaking(where=_without_brackets), (_COMBINED,)),
    Fault("lost brackets", _ODOO, speaking(where=_without_brackets), (_FILTERS,)),
    Fault("next page ignored", _S4, speaking(answered=lambda page: replace(page, next=None)), (_PIECES,)),
    Fault("next page ignored", _TRYTON, speaking(where=_at_the_key("id", lambda compare: ALWAYS)), (_PAGES, _PIECES)),
    Fault("next page ignored", _ODOO, speaking(where=_at_the_key("id", lambda compare: ALWAYS)), (_PAGES, _PIECES)),
    Fault("border row twice", _S4, speaking(where=_at_the_key("PurchaseOrder", _from_the_key_on)), (_PAGES, _PIECES)),
    Fault("border row twice", _TRYTON, speaking(where=_at_the_key("id", _from_the_key_on)), (_PAGES, _PIECES)),
    Fault("border row twice", _ODOO, speaking(where=_at_the_key("id", _from_the_key_on)), (_PAGES, _PIECES)),
    Fault("missing right taken for a bad login", _S4, speaking(meant=_refused), (_MEANING,)),
    Fault("missing right taken for a bad login", _TRYTON, speaking(meant=_refused), (_MEANING,)),
    Fault("missing right taken for a bad login", _ODOO, speaking(meant=_refused), (_MEANING,)),
    Fault("crash on null", _S4, mapping(orderDate=_first_of_month("PurchaseOrderDate")), (_EMPTY, _KEPT)),
    Fault("crash on null", _TRYTON, mapping(orderDate=_first_of_month("purchase_date")), (_EMPTY, _KEPT)),
    Fault("crash on null", _ODOO, mapping(requiredDate=_first_of_month("date_planned")), (_EMPTY, _KEPT)),
    Fault("typo in a name", _S4, mapping(numbr=At("PurchaseOrder"))),
    Fault("typo in a name", _TRYTON, mapping(numbr=At("number"))),
    Fault("typo in a name", _ODOO, mapping(numbr=At("name"))),
    Fault("forgotten field", _S4, mapping(orderDate=None)),
    Fault("forgotten field", _TRYTON, mapping(orderDate=None)),
    Fault("forgotten field", _ODOO, mapping(orderDate=None)),
    Fault("sum over deleted lines", _S4, _sum_of_everything, (_KEPT, _KNOWN)),
    Fault("number through a float", _S4, speaking(wrong_decoders={Decimal: _through_float}), (_DIGITS, _KEPT)),
    Fault("number through a float", _TRYTON, speaking(wrong_decoders={Decimal: _through_float}), (_DIGITS, _KEPT)),
    Fault("number through a float", _ODOO, speaking(wrong_decoders={Decimal: _through_float}), (_DIGITS,)),
    Fault("zone dropped in questions", _S4, speaking(where=_compared(_wall_clock)), (_FILTERS,)),
    Fault("zone dropped in questions", _TRYTON, speaking(where=_compared(_wall_clock)), (_FILTERS,)),
    Fault("zone dropped in questions", _ODOO, speaking(where=_compared(_wall_clock)), (_FILTERS,)),
    Fault("zone dropped in answers", _S4, speaking(wrong_decoders={datetime: _without_zone}), (_ZONES, _KEPT)),
    Fault("zone dropped in answers", _TRYTON, speaking(wrong_decoders={datetime: _without_zone}), (_ZONES, _KEPT)),
    Fault("zone dropped in answers", _ODOO, speaking(wrong_decoders={datetime: _without_zone}), (_ZONES, _KEPT)),
    Fault("filter promised, not applied", _S4, mapping(updatedAt=_Promising("LastChangeDateTime")), (_FILTERS,)),
    Fault("filter promised, not applied", _TRYTON, mapping(createdAt=_Promising("create_date")), (_FILTERS,)),
    Fault("filter promised, not applied", _ODOO, mapping(createdAt=_Promising("create_date")), (_FILTERS,)),
    Fault("filter declared, not pushed", _S4, mapping(currency=_silent("DocumentCurrency")), (_PUSHED,)),
    Fault("filter declared, not pushed", _TRYTON, mapping(currency=_silent("currency.code")), (_PUSHED,)),
    Fault("filter declared, not pushed", _ODOO, mapping(currency=_silent("currency_id.name")), (_PUSHED,)),
    Fault("more fields than needed", _S4, speaking(more_paths=frozenset({"CreationDate"})), (_NEEDED,)),
    Fault("more fields than needed", _TRYTON, speaking(more_paths=frozenset({"rec_name"})), (_NEEDED,)),
    Fault("more fields than needed", _ODOO, speaking(more_paths=frozenset({"display_name"})), (_NEEDED,)),
)
"""Each kind of fault in each protocol, where it makes sense: only orders in SAP have deleted lines.

Odoo writes what it keeps as floats: a number that goes through one once more is told by its digits alone. What its
search in text finds is looked at again, so that a missing escape costs rows and not answers.
"""
