"""Reading a manifest's folder: what it becomes, and what is said of mistakes."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.composites import EachChild, Many, OverChildren, Parts
from connectors.decisions import Always, Codes, First, Flagged
from connectors.fields import At, Can, FirstText, Joined, Lookup, Pushed, Ref
from connectors.manifests.mistakes import ManifestError, find_line
from connectors.manifests.reading import Described, read_folder
from connectors.plan import NarrowResource
from connectors.protocols.odata_v4 import ODataV4
from connectors.protocols.walking import Walk
from connectors.query import ALWAYS, NEVER, Compare, Comparison
from schema.filters import Operator
from schema.model import fields_of
from schema.purchasing import PurchaseOrder, PurchaseOrderStatus
from schema.vendors import Vendor, VendorStatus, VendorType

_HEAD = """format = 1
key = "mill"
title = "Mill"
vendor = "Somebody"
category = "erp"
deployments = ["cloud", "on-premises"]

[protocol]
kind = "rest"
several = "comma"
filters = { eq = "{path}" }

[[logins]]
key = "key"
title = "Key"
kind = "header"

[resources.Vendor]
source = "partners"
key = "id"
title = "name"
unmapped = "others"
"""
_FIELDS = """
[resources.Vendor.fields]
name = "name"
"""


def _folder(place: Path, text: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / "system.toml").write_text(text, "utf-8")
    return place


def _read(place: Path, text: str) -> Described:
    return read_folder(_folder(place, text))


def _mistakes(place: Path, text: str) -> list[str]:
    with pytest.raises(ManifestError) as found:
        _read(place, text)
    return [str(mistake) for mistake in found.value.mistakes]


def _vendor(place: Path, fields: str) -> NarrowResource:
    resource = _read(place, f"{_HEAD}[resources.Vendor.fields]\nname = 'name'\n{fields}").system.resource(Vendor)
    assert isinstance(resource, NarrowResource)
    return resource


class TestWords:
    """Each word of a manifest is the word of the same name in Python."""

    def test_plain_words(self, tmp_path: Path) -> None:
        fields = _vendor(
            tmp_path,
            """
            number = { at = "no", filter = ["eq", "null"], required = true }
            createdAt = { at = "made", resolution = "milliseconds" }
            legalName = { joined = ["first", "last"] }
            email = { first_text = ["mail", "mail2"] }
            phone = { lookup = "phone", table = { a = "b" } }
            isBlockedForPayment = { flag = "pay", is = "X" }
            status = { codes = "state", values = { a = "ACTIVE", b = "BLOCKED" }, filter = ["eq"] }
            """,
        ).fields
        created: Any = fields["createdAt"]
        assert created.resolution == timedelta(milliseconds=1)
        number, legal_name, email, phone = (fields[name] for name in ("number", "legalName", "email", "phone"))
        assert isinstance(number, At)
        assert (number.path, number.filter, number.required) == ("no", Can.EQ | Can.NULL, True)
        assert isinstance(legal_name, Joined)
        assert legal_name.sources == ("first", "last")
        assert isinstance(email, FirstText)
        assert email.sources == ("mail", "mail2")
        assert isinstance(phone, Lookup)
        assert phone.table == {"a": "b"}
        flag, status = fields["isBlockedForPayment"], fields["status"]
        assert isinstance(flag, Flagged)
        assert (flag.path, flag.value) == ("pay", "X")
        assert isinstance(status, Codes)
        assert status.codes == {"a": VendorStatus.ACTIVE, "b": VendorStatus.BLOCKED}
        assert status.filter is Can.EQ

    def test_a_value_may_always_be_the_same(self, tmp_path: Path) -> None:
        fields = _vendor(tmp_path, 'type = { always = "COMPANY" }\ntaxNumber = { always = "none" }').fields
        kind, number = fields["type"], fields["taxNumber"]
        assert isinstance(kind, Always)
        assert isinstance(number, Always)
        assert (kind.gives, number.gives) == (VendorType.COMPANY, "none")
        model = fields_of(Vendor)["taxNumber"]
        assert number.push(Operator.IN, ("none", "x"), model) == Pushed(ALWAYS)
        assert number.push(Operator.EQ, "x", model) == Pushed(NEVER)
        assert number.push(Operator.CONTAINS, "on", model) is None

    def test_what_is_always_the_same_fits_its_field(self, tmp_path: Path) -> None:
        fields = 'type = { always = "FIRM" }\ncreatedAt = { always = "2026" }'
        said = "\n".join(_mistakes(tmp_path, f"{_HEAD}[resources.Vendor.fields]\nname = 'name'\n{fields}"))
        assert "VendorType has no value 'FIRM'; there are: " in said
        assert "Vendor.createdAt is no text, so it is not always '2026'" in said

    def test_codes_may_be_numbers(self, tmp_path: Path) -> None:
        fields = _vendor(tmp_path, 'status = { codes = "state", values = { 97 = "ACTIVE" }, numbers = true }').fields
        status: Any = fields["status"]
        assert status.codes == {97: VendorStatus.ACTIVE}

    def test_value_objects(self, tmp_path: Path) -> None:
        fields = _vendor(
            tmp_path,
            """
            address = { each = "addresses", parts = { line1 = "street" } }
            addresses = { each = "addresses", parts = { city = { at = "town" } } }
            category = { parts = { code = "group" } }
            """,
        ).fields
        address, category = fields["address"], fields["category"]
        assert isinstance(address, EachChild)
        assert list(address.paths()) == ["addresses.street"]
        assert isinstance(category, Parts)
        assert list(category.paths()) == ["group"]

    def test_orders_with_their_lines(self, tmp_path: Path) -> None:
        text = _HEAD.replace("resources.Vendor", "resources.PurchaseOrder").replace('"name"', '"number"')
        described = _read(
            tmp_path,
            f"""{text}
            [resources.PurchaseOrder.fields]
            number = "no"
            vendor = {{ ref = "partner", form = "number", filter = ["eq"] }}
            total = {{ money = {{ amount = "sum", currency = "unit" }} }}
            lineCount = {{ count = "rows", key = "id" }}
            status = {{ first = [{{ path = "open", is = true, gives = "ISSUED" }}] }}
            [resources.PurchaseOrder.fields.lines]
            many = "rows"
            key = "id"
            key_form = "number"
            unmapped = "others"
            unsupported = ["status"]
            [resources.PurchaseOrder.fields.lines.fields]
            quantityOrdered = {{ quantity = {{ value = "n", source_unit = "u", unit = "c" }} }}
            """,
        )
        resource = described.system.resource(PurchaseOrder)
        assert resource is not None
        fields = resource.fields
        assert isinstance(fields["vendor"], Ref)
        assert fields["vendor"].form.kind is int
        assert list(fields["total"].paths()) == ["sum", "unit"]
        assert isinstance(fields["lineCount"], OverChildren)
        assert isinstance(fields["status"], First)
        assert fields["status"].cases[0].gives is PurchaseOrderStatus.ISSUED
        lines = fields["lines"]
        assert isinstance(lines, Many)
        assert lines.unsupported == ("status",)
        assert "lineNumber" in lines.unmapped
        assert "id" not in lines.unmapped
        assert lines.key_form is not None

    def test_the_form_of_keys(self, tmp_path: Path) -> None:
        forms = {'"number"': ("007", None), '"text"': ("007", "007"), "{ padded = 4 }": ("12345", None)}
        for form, (text, expected) in forms.items():
            head = _HEAD.replace('key = "id"', f'key = "id"\nkey_form = {form}')
            resource = _read(tmp_path, head + _FIELDS).system.resources[0]
            assert resource.key_form.read(text) == expected


class TestSystems:
    def test_what_a_system_says_of_itself(self, tmp_path: Path) -> None:
        system = _read(tmp_path, f'{_HEAD}{_FIELDS}\n[address]\npath = "/api/v1/"\n').system
        assert (system.key, system.title, system.vendor, system.tier) == ("mill", "Mill", "Somebody", 3)
        assert [item.name for item in system.deployments] == ["CLOUD", "ON_PREMISES"]
        assert system.address({"url": "https://mill.test/"}) == "https://mill.test/api/v1/"
        (method,) = system.auth_methods
        assert [(item.name, item.is_secret) for item in method.fields] == [("url", False), ("api_key", True)]

    @pytest.mark.parametrize(
        ("paging", "walk"),
        [
            ('{ kind = "none" }', Walk.WHOLE),
            ('{ kind = "offset", offset = "o", limit = "l" }', Walk.ROWS),
            ('{ kind = "page-number", page = "p", limit = "l", first = 0 }', Walk.ROWS),
            ('{ kind = "cursor", cursor = "c", next = "n" }', Walk.LINKS),
            ('{ kind = "link", next = "n" }', Walk.LINKS),
            ('{ kind = "link-header" }', Walk.LINKS),
            ('{ kind = "after-key", after = "a", limit = "l" }', Walk.KEYS),
        ],
    )
    def test_how_a_collection_is_walked(self, tmp_path: Path, paging: str, walk: Walk) -> None:
        described = _read(tmp_path, f"{_HEAD}{_FIELDS}\n[resources.Vendor.read]\npaging = {paging}\n")
        resource = described.system.resources[0]
        assert isinstance(resource, NarrowResource)
        assert resource.walk is walk

    def test_a_source_that_takes_one_value_is_asked_for_one_key(self, tmp_path: Path) -> None:
        assert _read(tmp_path, _HEAD + _FIELDS).system.resources[0].max_keys == 50
        head = _HEAD.replace('several = "comma"\n', "")
        assert _read(tmp_path, head + _FIELDS).system.resources[0].max_keys == 1

    def test_keys_in_paths_cannot_lead_elsewhere(self, tmp_path: Path) -> None:
        text = f'{_HEAD}{_FIELDS}\n[resources.Vendor.read]\none = "partners/{{key}}"\n'
        resource = _read(tmp_path, text).system.resources[0]
        assert isinstance(resource, NarrowResource)
        assert resource.has_own_paths
        assert [resource.key_form.read(key) for key in (".", "..", "a/b", "a\\b", "", "a.b")] == [None] * 5 + ["a.b"]

    def test_an_odata_service(self, tmp_path: Path) -> None:
        head = _HEAD.replace('"rest"\nseveral = "comma"\nfilters = { eq = "{path}" }', '"odata-v4"\nsupports_in = true')
        head = head.replace('key = "id"', 'key = "id"\nkey_form = "guid"\nwhere = [{ path = "kind", is = "V" }]')
        system = _read(tmp_path, head + _FIELDS).system
        assert isinstance(system.protocol, ODataV4)
        resource = system.resources[0]
        assert isinstance(resource, NarrowResource)
        assert (resource.source, resource.walk) == ("partners", Walk.KEYS)
        assert resource.where == Compare("kind", Comparison.EQ, "V", str)
        key = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
        assert resource.key_form.read(key) == key
        assert resource.key_form.read(key.upper()) is None


class TestMistakes:
    def test_all_are_listed_at_once_with_their_lines(self, tmp_path: Path) -> None:
        text = _HEAD.replace("title", "titel", 1).replace('"erp"', '"erp"\ntier = 9') + "\n[resources.Vendor.fields]\n"
        text += 'name = { att = "name" }\nnumber = { at = "no", filtre = ["eq"] }\nemail = { at = 7 }\n'
        text += 'status = { codes = "s", values = 3 }\n'
        assert _mistakes(tmp_path, text) == [
            "system.toml:1: 'title' is missing",
            "system.toml:3: there is no 'titel' here; did you mean 'title'?",
            "system.toml:6: tier: Input should be less than or equal to 3",
            "system.toml:26: resources.Vendor.fields.name: needs one of the words at, codes, first, flag, ref, always, "
            "joined, first_text, lookup, money, quantity, each, parts, count, many; did you mean 'at'?",
            "system.toml:27: resources.Vendor.fields.number: there is no 'filtre' here; did you mean 'filter'?",
            "system.toml:28: resources.Vendor.fields.email.at: Input should be a valid string",
            "system.toml:29: resources.Vendor.fields.status.values: Input should be a valid dictionary",
        ]

    def test_choices_are_suggested(self, tmp_path: Path) -> None:
        text = _HEAD.replace("eq =", "eqq =").replace('"comma"', '"coma"').replace('"header"', '"heder"')
        paging = '[resources.Vendor.read]\npaging = { kind = "ofset", offset = "o", limit = "l" }\n'
        assert _mistakes(tmp_path, text + _FIELDS + paging) == [
            "system.toml:10: protocol.several: Input should be 'repeated' or 'comma'; did you mean 'comma'?",
            "system.toml:11: protocol.filters: there is no 'eqq' here; did you mean 'eq'?",
            "system.toml:13: logins.0: `kind` is 'heder', and has to be one of none, header, query, basic, "
            "client-credentials, refresh-token; did you mean 'header'?",
            "system.toml:27: resources.Vendor.read.paging: `kind` is 'ofset', and has to be one of none, offset, "
            "page-number, cursor, link, link-header, after-key; did you mean 'offset'?",
        ]

    def test_names_of_the_model_are_checked(self, tmp_path: Path) -> None:
        text = (
            _HEAD.replace('category = "erp"', 'category = "epr"')
            + """
[resources.Vendor.fields]
nmae = "name"
number = { at = "no", filter = ["range"] }
status = { codes = "state", values = { a = "ACTIV" } }
sourceStatus = "state"
isDeleted = { flag = "gone", is = "X" }
total = "sum"

[resources.Vendro]
source = "x"
key = "id"
fields = {}
"""
        )
        assert _mistakes(tmp_path, text) == [
            "system.toml:5: category: 'epr' is none of erp, other; did you mean 'erp'?",
            "system.toml:21: Vendor: `title` names 'name', which is not mapped",
            "system.toml:25: Vendor has no field 'nmae'; did you mean 'name'?",
            "system.toml:26: Vendor.number declares a range, which the contract does not offer for its type",
            "system.toml:27: resources.Vendor.fields.status.values.a: VendorStatus has no value 'ACTIV'; "
            "did you mean 'ACTIVE'?",
            "system.toml:30: Vendor has no field 'total'",
            "system.toml:32: resources.Vendro: there is no entity 'Vendro'; did you mean 'Vendor'?",
        ]

    def test_a_forgotten_field_is_named(self, tmp_path: Path) -> None:
        found = _mistakes(tmp_path, _HEAD.replace('"others"', '["email"]') + _FIELDS)
        assert "system.toml:18: Vendor.phone is forgotten: map it, or name it in `unsupported` or `unmapped`" in found
        assert not any("Vendor.email" in item for item in found)

    def test_what_a_rest_source_needs_is_asked_for(self, tmp_path: Path) -> None:
        offset = '[resources.Vendor.read]\npaging = { kind = "offset", offset = "o", limit = "l" }\n'
        without = _HEAD.replace('filters = { eq = "{path}" }', "")
        found = _mistakes(
            tmp_path, f"{without}max_keys = 300\n[resources.Vendor.fields]\nname={{at='n',sort=true}}\n{offset}"
        )
        assert found == [
            "system.toml:18: resources.Vendor: `max_keys` has to be less than `page_size`, so that one page holds all "
            "of them",
            "system.toml:25: resources.Vendor.fields.name.sort: `sort` is of no use here: rows of a REST source are "
            "sorted by the gateway",
            "system.toml:26: resources.Vendor.read: a record cannot be read by its key: give `one`, the path of a "
            "record, or a filter `eq`",
        ]

    def test_a_form_has_to_ask_for_what_a_login_uses(self, tmp_path: Path) -> None:
        login = 'kind = "header"\nfields = [{ name = "url", label = "Address", kind = "url" }]'
        found = _mistakes(tmp_path, _HEAD.replace('kind = "header"', login) + _FIELDS)
        assert found == ["system.toml:17: logins.0.fields: the form does not ask for 'api_key'"]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a = \n", "system.toml:1: is no TOML: Invalid value"),
            ('key = "x"\nkey = "y"\n', "system.toml:2: is no TOML: Cannot overwrite a value"),
            ('a = """', "system.toml:1: is no TOML: "),
            ("", "system.toml:1: `protocol.kind` has to be one of rest, odata-v4"),
            ('[protocol]\nkind = "soap"\n', "system.toml:2: `protocol.kind` has to be one of rest, odata-v4"),
            ("protocol = 3\n", "system.toml:1: `protocol.kind` has to be one of"),
            ("a = " + "[" * 5_000, "system.toml: is nested too deeply"),
            ("#" * 2_000_000, "system.toml: is larger than 1048576 bytes"),
        ],
    )
    def test_what_is_no_manifest_at_all(self, tmp_path: Path, text: str, expected: str) -> None:
        (found,) = _mistakes(tmp_path, text)
        assert found.startswith(expected)

    def test_a_folder_without_a_manifest(self, tmp_path: Path) -> None:
        with pytest.raises(ManifestError, match=r"system\.toml: cannot be read: No such file"):
            read_folder(tmp_path)

    def test_text_in_another_encoding(self, tmp_path: Path) -> None:
        (tmp_path / "system.toml").write_bytes(b'title = "M\xfchle"')
        with pytest.raises(ManifestError, match="is not written in UTF-8"):
            read_folder(tmp_path)

    def test_mistakes_in_the_facts_are_mistakes_of_the_folder(self, tmp_path: Path) -> None:
        folder = _folder(tmp_path, _HEAD + _FIELDS)
        (folder / "facts.toml").write_text('source = "x"\n[fields.partners]\nid = { typ = "text" }\n')
        with pytest.raises(ManifestError) as found:
            read_folder(folder)
        assert [str(item) for item in found.value.mistakes] == [
            "facts.toml:3: fields.partners.id: 'type' is missing",
            "facts.toml:3: fields.partners.id: there is no 'typ' here; did you mean 'type'?",
        ]


def test_lines_are_found_by_looking_for_each_key_in_turn() -> None:
    text = """[a]
b = { c = 1, key = "d" }
d = 2
[[list]]
d = 3
[[list]]
"d" = 4
[x."y.z"]
w.v = 5
"""
    assert find_line(text, ("a", "b", "c")) == 2
    assert find_line(text, ("a", "d")) == 3
    assert find_line(text, ("list", 0, "d")) == 5
    assert find_line(text, ("list", 1, "d")) == 7
    assert find_line(text, ("x", "y.z", "w", "v")) == 9
    assert find_line(text, ("a", "unknown")) == 1
    assert find_line(text, ()) == 1
