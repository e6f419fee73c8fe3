"""What a check says of a folder: the example is good, and each kind of mistake is found."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from connectors.client import Source
from connectors.manifests.checking import Report, check
from connectors.manifests.live import check_live
from connectors.testing.in_process import in_process_client
from schema.vendors import VendorStatus
from tests.connectors.json_server import JsonServer, refusal
from tests.connectors.workshop_bench import EXAMPLE, KEY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example that a test can spoil."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "workshop"))


def _change(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
    (folder / name).write_text(text.replace(old, new), "utf-8")


def _line(folder: Path, start: str, name: str = "system.toml") -> int:
    lines = (folder / name).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(start))


def _mistakes(folder: Path) -> list[str]:
    return [str(mistake) for mistake in check(folder).mistakes]


class TestFolders:
    def test_the_example_is_good(self) -> None:
        report = check(EXAMPLE)
        assert report.is_good
        assert report.notes == ["samples/Vendor.json: Vendor 11: status is UNKNOWN."]
        first = report.rows["PurchaseOrder"][0]
        assert (first["status"], first["total"]) == ("ISSUED", {"amount": "1234.5", "currency": "GBP"})
        assert len(report.rows["Vendor"]) == 5

    def test_the_samples_of_the_example_are_its_rows(self) -> None:
        data = json.loads((EXAMPLE / "db.json").read_text("utf-8"))
        for entity, name in (("Vendor", "vendors"), ("PurchaseOrder", "orders")):
            assert json.loads((EXAMPLE / "samples" / f"{entity}.json").read_text("utf-8")) == data[name]

    def test_what_is_no_manifest_is_reported(self, folder: Path) -> None:
        _change(folder, "system.toml", "format = 1", "format = 2")
        assert _mistakes(folder) == ["system.toml:2: format: Input should be 1"]

    def test_a_path_that_the_source_does_not_have(self, folder: Path) -> None:
        _change(folder, "system.toml", 'email = "contact.email"', 'email = "contact.e-mail"')
        line = _line(folder, "email = ")
        assert _mistakes(folder) == [
            f"system.toml:{line}: resources.Vendor.fields.email: the source has no field 'contact.e-mail'; "
            "did you mean 'contact.email'?"
        ]

    def test_a_path_within_parts_and_children(self, folder: Path) -> None:
        _change(folder, "system.toml", 'line1 = "street"', 'line1 = "steet"')
        _change(folder, "system.toml", 'itemNumber = "part"', 'itemNumber = "prt"')
        first, second = _mistakes(folder)
        assert f":{_line(folder, 'address = ')}: " in first
        assert "'steet'; did you mean 'street'?" in first
        assert f":{_line(folder, '[resources.PurchaseOrder.fields.lines]')}: " in second
        assert "'lines.prt'; did you mean 'lines.part'?" in second

    def test_mistakes_of_form_and_of_meaning_are_told_together(self, folder: Path) -> None:
        _change(folder, "system.toml", 'email = "contact.email"', 'email = { att = "contact.email" }')
        _change(folder, "system.toml", 'phone = "contact.phone"', 'fone = "contact.phone"')
        _change(folder, "system.toml", 'closed = "ARCHIVED"', 'closed = "SHUT"')
        values, form, name = _mistakes(folder)
        assert "resources.Vendor.fields.email: needs one of the words" in form
        assert form.endswith("did you mean 'at'?")
        assert name.endswith("Vendor has no field 'fone'; did you mean 'phone'?")
        assert values.endswith("VendorStatus has no value 'SHUT'; there are: " + ", ".join(VendorStatus.__members__))

    def test_a_path_that_stands_in_no_row_is_noted(self, folder: Path) -> None:
        (folder / "facts.toml").unlink()
        assert not [note for note in check(folder).notes if "no row has" in note]
        _change(folder, "system.toml", 'email = "contact.email"', 'email = "contact.post"')
        assert "samples/Vendor.json: no row has 'contact.post', which Vendor.email reads." in check(folder).notes

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            (
                'createdAt = "since"',
                'createdAt = { at = "since", filter = ["eq"] }',
                "resources.Vendor.fields.createdAt: the source cannot filter by 'since'",
            ),
            (
                'memo = "note"',
                'memo = { at = "note", required = true }',
                "resources.PurchaseOrder.fields.memo: the source does not say that 'note' always has a value",
            ),
            (
                'memo = "note"',
                'memo = "held"',
                "resources.PurchaseOrder.fields.memo: 'held' is bool in the source, which cannot be read as text",
            ),
            (
                'orderDate = "ordered"',
                'orderDate = "number"',
                "resources.PurchaseOrder.fields.orderDate: 'number' is text in the source, "
                "which cannot be read as a date",
            ),
        ],
    )
    def test_more_than_the_facts_allow(self, folder: Path, old: str, new: str, message: str) -> None:
        _change(folder, "system.toml", old, new)
        name = old.partition(" ")[0]
        assert f"system.toml:{_line(folder, name)}: {message}" in _mistakes(folder)

    def test_a_source_without_facts(self, folder: Path) -> None:
        _change(folder, "facts.toml", "[fields.orders]", "[fields.order]")
        line = _line(folder, 'source = "orders"')
        assert _mistakes(folder) == [
            f"system.toml:{line}: resources.PurchaseOrder.source: the facts do not know 'orders'; did you mean 'order'?"
        ]

    def test_values_that_cannot_be_read(self, folder: Path) -> None:
        _change(folder, "samples/PurchaseOrder.json", '"2026-09-01"', '"last week"')
        assert _mistakes(folder) == ["samples/PurchaseOrder.json: PurchaseOrder 3: orderDate cannot be read as a date"]

    def test_samples_that_are_no_answers(self, folder: Path) -> None:
        (folder / "samples" / "Vendor.json").write_text('{"rows": []}')
        (folder / "samples" / "PurchaseOrder.json").write_text("[{")
        first, second = _mistakes(folder)
        assert first == "samples/Vendor.json: The answer holds no rows where they should be."
        assert second.startswith("samples/PurchaseOrder.json: The system answered with something that is not JSON")

    def test_further_samples_are_read_too(self, folder: Path) -> None:
        (folder / "samples" / "Vendor-new.json").write_text('[{"id": 99, "name": "N", "state": "active", "new": {}}]')
        report = check(folder)
        assert [row["remoteId"] for row in report.rows["Vendor"]][-1] == "99"
        assert "samples/Vendor-new.json: 'new' is not in the facts." in report.notes

    def test_what_is_missing_is_noted(self, folder: Path) -> None:
        shutil.rmtree(folder / "samples")
        (folder / "facts.toml").unlink()
        report = check(folder)
        assert report.is_good
        assert [note.partition(":")[0] for note in report.notes] == [
            "No sample shows records of Vendor",
            "No sample shows records of PurchaseOrder",
            "There is no facts.toml, so nothing tells whether the source has the fields that are mapped.",
        ]


class TestLiveSystems:
    async def _visit(self, folder: Path, server: JsonServer) -> Report:
        report = check(folder)
        described = report.described
        assert described is not None
        method = described.system.auth_method("api-key")
        assert method is not None
        async with in_process_client(server.application, "http://workshop.test/") as client:
            source = Source("con_check", described.system, client, method.flow({"api_key": KEY}))
            await check_live(report, described, source, asyncio.get_running_loop().time() + 10)
        return report

    def _server(self, data: Any = None) -> JsonServer:
        return JsonServer(data or json.loads((EXAMPLE / "db.json").read_text("utf-8")), KEY)

    async def test_the_example_fits_its_program(self, folder: Path) -> None:
        report = await self._visit(folder, self._server())
        assert report.is_good, report.mistakes
        assert [row["remoteId"] for row in report.rows["Vendor"]] == ["1", "2", "9", "10", "11"]

    async def test_a_filter_that_the_program_does_not_know(self, folder: Path) -> None:
        """json-server leaves a parameter out of account that fits no row, and answers with every row."""
        fields = "[resources.Vendor.fields]"
        _change(folder, "system.toml", fields, f'[resources.Vendor.read.filters]\nname = {{ eq = "nam" }}\n\n{fields}')
        report = await self._visit(folder, self._server())
        line = _line(folder, "name = { at")
        assert [str(mistake) for mistake in report.mistakes] == [
            f"system.toml:{line}: Vendor: filtered by name the source gives others, such as '2'"
        ]

    async def test_keys_that_the_program_does_not_find(self, folder: Path) -> None:
        fields = "[resources.Vendor.fields]"
        _change(folder, "system.toml", fields, f'[resources.Vendor.read.filters]\nid = {{ eq = "key" }}\n\n{fields}')
        (mistake,) = (await self._visit(folder, self._server())).mistakes
        assert mistake.message == "Vendor: asked for the record with the key '11', the source gives others"
        assert mistake.line == _line(folder, "[resources.Vendor.read]")

    async def test_a_program_that_cuts_its_pages_short(self, folder: Path) -> None:
        class Short(JsonServer):
            async def _list(self, request: Any) -> Any:
                request.query_params._dict["_limit"] = "2"
                return await super()._list(request)

        server = Short(json.loads((EXAMPLE / "db.json").read_text("utf-8")), KEY)
        report = await self._visit(folder, server)
        assert "Vendor: the source gives 2 rows at once: `page_size` must not be greater" in [
            mistake.message for mistake in report.mistakes
        ]

    async def test_values_that_are_not_as_in_the_samples(self, folder: Path) -> None:
        server = self._server()
        server.data["vendors"][0] |= {"since": "long ago", "state": "asleep", "colour": "red"}
        report = await self._visit(folder, server)
        assert [mistake.message for mistake in report.mistakes] == ["Vendor 1: createdAt cannot be read as a moment"]
        assert {"Vendor 1: status is UNKNOWN.", "Vendor: 'colour' is not in the facts."} <= set(report.notes)

    async def test_a_refusal_is_reported_and_the_rest_goes_on(self, folder: Path) -> None:
        server = self._server()
        del server.data["vendors"]
        report = await self._visit(folder, server)
        assert [mistake.message for mistake in report.mistakes] == [
            "Vendor: WrongSystem: The address is not known to the system."
        ]
        assert report.rows["PurchaseOrder"]
        server.refusal = refusal(403, "Not for you")
        assert [mistake.message.partition(":")[0] for mistake in (await self._visit(folder, server)).mistakes] == [
            "Vendor",
            "PurchaseOrder",
        ]
