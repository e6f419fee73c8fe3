"""What Odoo does not say outright: texts without their format, whom to buy from, what is short, technical data."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.plan import plan_read
from connectors.query import ALWAYS
from connectors.systems.odoo.inventory import products
from connectors.systems.odoo.markup import plain_text
from connectors.systems.odoo.properties import attributes
from connectors.systems.odoo.sellers import lead_time, vendor
from connectors.systems.odoo.values import is_short
from schema.assets import Attribute
from schema.filters import Condition, Operator

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Drips <b>100%_oil</b> \\ onto &quot;skid&quot;</p>", 'Drips 100%_oil \\ onto "skid"'),
        ("<p>One</p><p>Two<br/>Three</p><ul><li>Four</li><li>Five</li></ul>", "One\nTwo\nThree\nFour\nFive"),
        ("plain &lt;text&gt; &amp; more", "plain <text> & more"),
        ("<div>a\n   b&nbsp;c</div><style>p {color: red}</style><script>x()</script>", "a b c"),
        ("<p><br></p>", None),
        ("", None),
        (None, None),
        ("<p>never closed <b>bold", "never closed bold"),
        ("a </script> b", "a b"),
    ],
)
def test_formatted_text_is_told_without_its_format(markup: str | None, text: str | None) -> None:
    assert plain_text(markup) == text


def seller(**values: Any) -> dict[str, Any]:
    known = dict.fromkeys(("product", "first_day", "last_day", "sequence", "least", "price", "delay"))
    return {**known, "partner": "7", "is_active": True, "key": 1, **values}


@pytest.mark.parametrize(
    ("sellers", "partner"),
    [
        ([], None),
        ([seller(), seller(partner="8", key=0)], "8"),
        ([seller(sequence=2), seller(partner="8", sequence=1, price=Decimal(9))], "8"),
        ([seller(least=Decimal(1)), seller(partner="8", least=Decimal(10))], "8"),
        ([seller(price=Decimal(2)), seller(partner="8", key=9, price=Decimal(1))], "8"),
        ([seller(is_active=False), seller(partner="8", sequence=5)], "8"),
        ([seller(product="2"), seller(partner="8", sequence=5, product="1")], "8"),
        ([seller(last_day=date(2026, 11, 19)), seller(partner="8", sequence=5)], "8"),
        ([seller(first_day=date(2026, 11, 21))], None),
        ([seller(first_day=TODAY, last_day=TODAY)], "7"),
    ],
)
def test_the_vendor_to_buy_from_is_the_first_who_sells_it_now(sellers: list[Any], partner: str | None) -> None:
    assert vendor(TODAY, sellers, "1") == partner


def test_a_delivery_takes_as_long_as_that_vendor_says() -> None:
    assert lead_time(TODAY, [seller(delay=0)], "1") == 0
    assert lead_time(TODAY, None, "1") is None


def rule(least: int, place: str = "1/5/") -> dict[str, Any]:
    return {"least": Decimal(least), "place": place}


def quant(amount: str, place: str) -> dict[str, Any]:
    return {"amount": Decimal(amount), "place": place}


def test_a_product_is_short_where_any_rule_is_not_kept() -> None:
    stock = [quant("3", "1/5/6/"), quant("1.5", "1/5/"), quant("100", "1/50/")]
    assert is_short([rule(5)], stock) is True
    assert is_short([rule(4)], stock) is False
    assert is_short([rule(4), rule(4, "1/5/6/")], stock) is True
    assert is_short([rule(1, "1/9/")], stock) is True
    assert is_short([rule(0)], []) is False
    assert is_short([], stock) is None
    assert is_short(None, stock) is None
    assert is_short([rule(1)], None) is None


def test_properties_are_technical_data_in_the_order_of_people() -> None:
    given: list[dict[str, Any]] = [
        {"name": "a", "type": "float", "string": "Power (kW)", "value": Decimal("7.50")},
        {"name": "s", "type": "separator", "string": "Further"},
        {"name": "b", "type": "selection", "string": "Medium", "selection": [["w", "Water"]], "value": "w"},
        {"name": "c", "type": "selection", "string": "Gone", "selection": [["w", "Water"]], "value": "x"},
        {"name": "d", "type": "boolean", "string": "Explosion-proof", "value": False},
        {"name": "e", "type": "boolean", "string": "Never said"},
        {"name": "f", "type": "tags", "string": "Used for", "tags": [["a", "Feed", 1]], "value": ["a", "z"]},
        {"name": "g", "type": "many2one", "string": "Maker", "value": [4, "Halderau"]},
        {"name": "h", "type": "many2many", "string": "Sold by", "value": [[4, "Halderau"], [5, "Cinder Ridge"]]},
        {"name": "i", "type": "char", "string": "", "value": ""},
        {"name": "j", "type": "integer", "string": "Poles", "value": 0},
        {"name": "k", "type": "char", "string": "Empty", "value": False},
    ]
    expected = {
        "Power (kW)": "7.50",
        "Medium": "Water",
        "Gone": "x",
        "Explosion-proof": "no",
        "Never said": None,
        "Used for": "Feed, z",
        "Maker": "Halderau",
        "Sold by": "Halderau, Cinder Ridge",
        "i": None,
        "Poles": "0",
        "Empty": None,
    }
    assert attributes(given) == [Attribute(name=name, value=value, unit=None) for name, value in expected.items()]
    assert attributes([]) is attributes(False) is attributes(None) is None


@pytest.mark.parametrize("wrong", ["text", 7, [{"value": 1}]])
def test_what_are_no_properties_is_not_guessed(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"propert"):
        attributes(wrong)


@pytest.mark.parametrize(
    ("operator", "value", "is_narrowed"),
    [
        (Operator.EQ, True, True),
        (Operator.EQ, False, True),
        (Operator.NE, True, True),
        (Operator.IN, (True, False), True),
        (Operator.IS_NULL, False, True),
        (Operator.IS_NULL, True, False),
    ],
)
def test_only_products_with_a_rule_are_sent_where_no_other_can_be_meant(
    operator: Operator, value: Any, is_narrowed: bool
) -> None:
    condition = Condition("isBelowMinimum", operator, value)
    plan = plan_read(products, condition)
    assert (plan.pushed != ALWAYS) is is_narrowed
    assert plan.left == condition
