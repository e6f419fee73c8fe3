"""A system that is described wrongly is refused at import, with every mistake at once and a suggestion for each."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.composites import Calculated, EachChild, Many, Parts, money
from connectors.decisions import Always, Case, Codes, First, Flagged
from connectors.fields import At, Can, FieldSpec, FirstText, Joined, Lookup, Ref
from connectors.registry import all_systems
from connectors.spec import Resource, SpecError, System
from connectors.systems.tryton.purchasing import parties, purchases
from connectors.systems.tryton.spec import tryton
from schema.model import Kind, entity_of, fields_of
from schema.purchasing import ApprovalStatus, PurchaseOrder, PurchaseOrderStatus
from schema.records import Record
from schema.vendors import Vendor

_DRAFT = PurchaseOrderStatus.DRAFT


def described(resource: Resource = purchases, **changes: Any) -> System:
    """Tryton with something else in the description of one resource."""
    return replace(tryton, resources=(replace(resource, **changes),))


def mapped(words: Mapping[str, FieldSpec], resource: Resource = purchases) -> System:
    return described(resource, fields={**resource.fields, **words})


def lines(**changes: Any) -> dict[str, FieldSpec]:
    word = purchases.fields["lines"]
    assert isinstance(word, Many)
    return {"lines": replace(word, **changes)}


def unfilled(words: list[Resource] | list[Many]) -> set[str]:
    """What some name, but none fills."""
    named = {name for word in words for name in (*word.fields, *word.unsupported, *word.unmapped)}
    return named - {name for word in words for name in word.fields}


def test_no_field_is_promised_that_no_system_fills() -> None:
    by_entity: dict[type[Any], list[Resource]] = {}
    for system in all_systems():
        for resource in system.resources:
            by_entity.setdefault(resource.entity, []).append(resource)
    shared = set(fields_of(Record))
    promised = {entity.__name__: unfilled(resources) - shared for entity, resources in by_entity.items()}
    for entity, resources in by_entity.items():
        for name, model in entity_of(entity).fields.items():
            if model.kind is Kind.CHILDREN:
                words = [resource.fields[name] for resource in resources if name in resource.fields]
                promised[f"{entity.__name__}.{name}"] = unfilled([word for word in words if isinstance(word, Many)])
    assert {name: missing for name, missing in promised.items() if missing} == {}


def test_what_is_shipped_is_described_rightly() -> None:
    assert {"sap_s4hana", "tryton"} <= {system.key for system in all_systems()}


def test_every_mistake_is_listed_at_once() -> None:
    fields = {name: word for name, word in purchases.fields.items() if name not in ("status", "memo")}
    with pytest.raises(SpecError) as refused:
        described(fields={**fields, "statos": At("state"), "currency": First(())}, title="nmber", key="")
    assert refused.value.mistakes == [
        "PurchaseOrder has no field 'statos'; did you mean 'status'?",
        "PurchaseOrder.status is forgotten: map it, or name it in `unsupported` or `unmapped`",
        "PurchaseOrder.memo is forgotten: map it, or name it in `unsupported` or `unmapped`",
        "PurchaseOrder.currency is no enum",
        "PurchaseOrder: `title` names 'nmber', which is not mapped",
        "PurchaseOrder: `key` is empty",
    ]
    assert str(refused.value).startswith("tryton is described wrongly:\n  - PurchaseOrder has no field 'statos'")


def test_mistakes_of_all_resources_are_listed() -> None:
    with pytest.raises(SpecError) as refused:
        replace(tryton, resources=(replace(purchases, key=""), replace(parties, key="")))
    assert refused.value.mistakes == ["PurchaseOrder: `key` is empty", "Vendor: `key` is empty"]


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        ({"numbr": At("number")}, "PurchaseOrder has no field 'numbr'; did you mean 'number'?"),
        ({"xyzzy": At("number")}, "PurchaseOrder has no field 'xyzzy'"),
        ({"id": At("id")}, "PurchaseOrder has no field 'id'"),
        ({"incoterm": At("incoterm")}, "PurchaseOrder.incoterm is named more than once"),
        (
            {"status": At("state")},
            "PurchaseOrder.status is an enum: name its codes with Codes, or its cases with First",
        ),
        ({"total": At("total_amount")}, "PurchaseOrder.total holds one value object, such as money, which no"),
        ({"vendor": At("party")}, "PurchaseOrder.vendor holds a record of another entity, which no"),
        ({"lines": At("lines")}, "PurchaseOrder.lines holds a paged list of child rows, which no"),
        ({"orderDate": At("day", filter=Can.TEXT)}, "PurchaseOrder.orderDate declares a search in text"),
        ({"number": At("number", filter=Can.RANGE)}, "PurchaseOrder.number declares a range"),
        ({"orderDate": At("day", resolution=timedelta(1))}, "PurchaseOrder.orderDate has a resolution"),
        ({"memo": At("comment", filter=Can.EQ)}, "PurchaseOrder.memo declares a filter, which the contract does not"),
        ({"memo": At("comment", sort=True)}, "PurchaseOrder.memo declares a sort, which the contract does not offer"),
        ({"orderDate": Ref("day")}, "PurchaseOrder.orderDate is neither a link nor text, so it holds no key"),
        ({"orderDate": Joined(("a", "b"))}, "PurchaseOrder.orderDate is no text, which is all that Joined makes"),
        ({"orderDate": FirstText(("a",))}, "PurchaseOrder.orderDate is no text, which is all that FirstText makes"),
        ({"orderDate": Lookup("a", {})}, "PurchaseOrder.orderDate is no text, which is all that Lookup makes"),
        ({"number": Flagged("a", "X")}, "PurchaseOrder.number is not true or false, so it is no flag"),
        ({"number": Codes("state", {"a": _DRAFT})}, "PurchaseOrder.number is no enum"),
        (
            {"approvalStatus": Codes("state", {"a": _DRAFT})},
            "PurchaseOrder.approvalStatus gives PurchaseOrderStatus.DR",
        ),
        (
            {"status": First((Case("a", "b", ApprovalStatus.PENDING),))},
            "PurchaseOrder.status gives ApprovalStatus.PEND",
        ),
        ({"memo": money("a", "b")}, "PurchaseOrder.memo has no parts"),
        ({"total": Parts({"amuont": At("a")})}, "PurchaseOrder.total has no part 'amuont'; did you mean 'amount'?"),
        ({"total": Parts({"currency": At("a")})}, "PurchaseOrder.total lacks its part 'amount'"),
        ({"total": Parts({"amount": First(())})}, "PurchaseOrder.total.amount is no enum"),
        ({"memo": Many("lines", "id", {})}, "PurchaseOrder.memo holds no child rows"),
        (lines(unmapped=("quantityReceived",)), "PurchaseOrder.lines.isDeliveryComplete is forgotten"),
        (lines(unsupported=("lineNumer",)), "PurchaseOrder.lines has no field 'lineNumer'; did you mean 'lineNumber'?"),
        (lines(fields={"type": At("type")}), "PurchaseOrder.lines.type is an enum"),
        (lines(fields={"itemNumber": At("a", filter=Can.EQ)}), "PurchaseOrder.lines.itemNumber declares a filter or"),
        (
            lines(fields={"unitPrice": money(At("a", sort=True), "b")}),
            "PurchaseOrder.lines.unitPrice declares a filter",
        ),
    ],
)
def test_a_wrong_word_is_refused(words: dict[str, FieldSpec], mistake: str) -> None:
    _expect(lambda: mapped(words), mistake)


def test_a_filter_on_what_stands_in_child_rows_is_refused() -> None:
    address = EachChild("addresses", Parts({"country": At("country.code", filter=Can.EQ)}))
    _expect(lambda: mapped({"address": address}, parties), "Vendor.address.country declares a filter or a sort")


def test_a_part_that_the_contract_filters_may_declare_it() -> None:
    amount = At("total_amount_cache", filter=Can.EQ | Can.RANGE, sort=True)
    assert mapped({"total": money(amount, "currency.code")}).resource(PurchaseOrder) is not None


def test_a_calculation_may_fill_any_field() -> None:
    word = Calculated(lambda code: code, {"code": ("code", Decimal)})
    assert mapped({"taxNumber": word}, parties).resource(Vendor) is not None


def _expect(describe: Any, mistake: str) -> None:
    with pytest.raises(SpecError) as refused:
        describe()
    assert any(item.startswith(mistake) for item in refused.value.mistakes), refused.value.mistakes


def test_resources_of_one_entity_need_prefixes_that_tell_them_apart() -> None:
    def described_with(*prefixes: str) -> System:
        return replace(tryton, resources=tuple(replace(parties, prefix=prefix) for prefix in prefixes))

    mistake = "Vendor: `prefix` does not tell the keys of party.party and party.party apart"
    for prefixes in (("", ""), ("", "B-"), ("A-", "A-B-")):
        _expect(lambda prefixes=prefixes: described_with(*prefixes), mistake)
    assert len(described_with("A-", "B-").resources_of(Vendor)) == 2


def test_what_every_row_is_has_to_be_of_the_fields_own_enum() -> None:
    _expect(lambda: mapped({"status": Always(ApprovalStatus.PENDING)}), "PurchaseOrder.status gives ApprovalStatus.PEN")


def test_a_login_expires_on_a_day_that_its_form_asks_for() -> None:
    (login, *_) = tryton.auth_methods
    with pytest.raises(SpecError, match="`expiry` names 'expiresOn', which its form does not ask for"):
        replace(tryton, auth_methods=(replace(login, expiry="expiresOn"),))
