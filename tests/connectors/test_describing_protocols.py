"""How systems are asked for their fields and for whole rows, and what is read of their answers."""

from typing import Any
from urllib.parse import parse_qsl

import pytest

from connectors.effective import AddedField, AddedObject, EffectiveSystem
from connectors.errors import BadAnswer, NoSuchRecords
from connectors.extras import plain_json
from connectors.protocols.base import read_json
from connectors.protocols.edmx import read_shapes
from connectors.protocols.odata_v2 import ODataV2
from connectors.protocols.odata_v4 import EntitySet, ODataV4
from connectors.protocols.shapes import EVERYTHING, Form, Shape
from connectors.query import Answer, Read
from connectors.systems.sap_s4hana.spec import purchase_orders, sap_s4hana
from schema.custom import CustomFieldType
from schema.model import EntityType

V4 = b"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="NS" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="Base" Abstract="true"><Key><PropertyRef Name="id"/></Key>
  <Property Name="id" Type="Edm.Guid" Nullable="false"/></EntityType>
<EntityType Name="Order" BaseType="NS.Base"><Property Name="number" Type="Edm.String"/>
  <Property Name="due" Type="Edm.Date"/><Property Name="weight" Type="Edm.Double"/>
  <Property Name="photo" Type="Edm.Stream"/><Property Name="address" Type="NS.Address"/>
  <NavigationProperty Name="vendor" Type="NS.Vendor"/>
  <NavigationProperty Name="lines" Type="Collection(NS.Line)" ContainsTarget="true"/></EntityType>
<EntityType Name="Vendor" BaseType="NS.Base"><Property Name="name" Type="Edm.String"/></EntityType>
<EntityContainer Name="Default"><EntitySet Name="orders" EntityType="NS.Order">
  <NavigationPropertyBinding Path="vendor" Target="vendors"/></EntitySet>
  <EntitySet Name="vendors" EntityType="NS.Vendor"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def answer(body: bytes, status: int = 200) -> Answer:
    return Answer(status, {"content-type": "application/xml"}, body)


def test_a_v4_service_describes_its_sets() -> None:
    shapes = read_shapes("orders", answer(V4))
    assert set(shapes) == {"orders", "vendors"}
    shape = shapes["orders"]
    assert shape.key == ("id",)
    assert {name: found.form for name, found in shape.fields.items() if found.is_plain} == {
        "id": Form.GUID,
        "number": Form.TEXT,
        "due": Form.DAY,
        "weight": Form.FLOAT,
        "address": Form.OTHER,
    }
    vendor, lines = shape.fields["vendor"], shape.fields["lines"]
    assert (vendor.target, vendor.is_many, vendor.is_pure) == ("vendors", False, True)
    assert (lines.target, lines.is_many) == (None, True)
    assert set(read_shapes("v1/orders", answer(V4))) == {"v1/orders", "v1/vendors"}


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b"<html>log in</html",
        b"",
    ],
)
def test_what_is_no_harmless_xml_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_shapes("orders", answer(body))


@pytest.mark.parametrize(
    ("paths", "select", "expand"),
    [
        ({EVERYTHING}, "*", None),
        ({EVERYTHING, "number", "address.city", "vendor.name"}, "*", "vendor($select=name)"),
        ({"number"}, "number", None),
    ],
)
def test_v4_asks_for_a_whole_row_and_parts_of_others(paths: set[str], select: str, expand: str | None) -> None:
    protocol = ODataV4({"orders": EntitySet(complex=frozenset({"address"}))})
    query = dict(parse_qsl(protocol.request(Read("orders", frozenset(paths)), {}).query))
    assert query["$select"] == select
    assert query.get("$expand") == expand


def test_v2_asks_for_a_whole_row_without_a_choice() -> None:
    read = Read("S/Set", frozenset({EVERYTHING, "Name", "to_Items.Name"}))
    query = ODataV2().request(read, {}).query
    assert "$select" not in query
    assert "$expand=to_Items" in query


def test_a_refusal_in_xml_says_the_same_as_one_in_json() -> None:
    """Metadata is asked for as XML, and so are its refusals."""
    body = b'<?xml version="1.0"?><error><code>/IWFND/MED/170</code><message xml:lang="en">No service</message></error>'
    assert isinstance(ODataV2().trouble(answer(body, 403)), NoSuchRecords)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"12.50", 12.5),
        (b"0.1", 0.1),
        (b"9007199254740993", "9007199254740993"),
        (b"-9007199254740992", -9007199254740992),
        (b"0.12345678901234567890123", "0.12345678901234567890123"),
        (b"1e400", "1E+400"),
        (b'{"a": [1.5, null, "x", true]}', {"a": [1.5, None, "x", True]}),
    ],
)
def test_no_digit_is_lost(sent: bytes, shown: Any) -> None:
    assert plain_json(read_json(answer(sent))) == shown


def test_a_system_with_settings_has_a_digest_of_its_own() -> None:
    zone = AddedField(EntityType.PURCHASE_ORDER, "zone", "YY1_Zone", CustomFieldType.TEXT)
    permits = AddedObject("permits", "S/P", Shape(("id",)), ("a",))
    systems = [
        EffectiveSystem(sap_s4hana),
        EffectiveSystem(sap_s4hana, (zone,)),
        EffectiveSystem(sap_s4hana, (), (permits,)),
        EffectiveSystem(sap_s4hana, (), (AddedObject("permits", "S/P", Shape(("id", "part")), ("a",)),)),
    ]
    assert len({system.digest for system in systems}) == len(systems)
    assert EffectiveSystem(sap_s4hana, (zone,)).digest == systems[1].digest
    assert systems[1].fields_of(purchase_orders) == (zone,)
    assert systems[2].object_named("permits") is permits
    assert systems[2].object_named("S/P") is None
