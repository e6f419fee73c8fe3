"""The generator fills what a page asks for, says what it cannot fill, and shows what is stale."""

from pathlib import Path

import pytest

from docs import generate, tables
from docs.generate import PageBroken, fill

STALE = "before\n<!-- generated: commands -->\nold\n<!-- end -->\nafter\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    found = tmp_path / "docs" / "page.md"
    found.write_text(STALE, "utf-8")
    return found


def test_what_surrounds_a_part_stays() -> None:
    filled = fill(STALE)
    assert filled.startswith("before\n<!-- generated: commands -->\n| Command |")
    assert filled.endswith("|\n<!-- end -->\nafter\n")
    assert "\nold\n" not in filled


def test_filling_twice_changes_nothing() -> None:
    assert fill(fill(STALE)) == fill(STALE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- generated: orders -->\n<!-- end -->", "there is no part `orders`"),
        ("<!-- generated: coverage Vendr -->\n<!-- end -->", "`coverage Vendr` cannot be made"),
        ("<!-- generated: coverage -->\n<!-- end -->", "`coverage` cannot be made"),
        ("<!-- generated: commands -->\n", "the part `commands` has no `<!-- end -->`"),
        (
            "<!-- generated: commands -->\n<!-- generated: errors -->\n<!-- end -->",
            "the part `commands` has no `<!-- end -->`",
        ),
    ],
)
def test_a_part_that_cannot_be_made_is_named(text: str, message: str) -> None:
    with pytest.raises(PageBroken) as broken:
        fill(text)
    assert message in str(broken.value)


def test_a_stale_page_is_shown_and_left_alone(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"], page.parents[1]) == 1
    said = capsys.readouterr()
    assert "\n-old\n" in said.out
    assert "+| `switchgear demo` |" in said.out
    assert said.err == "docs/page.md is stale; `make docs` writes it again.\n"
    assert page.read_text("utf-8") == STALE


def test_a_stale_page_is_written_again(page: Path) -> None:
    assert generate.main([], page.parents[1]) == 0
    assert page.read_text("utf-8") == fill(STALE)
    assert generate.main(["--check"], page.parents[1]) == 0


def test_a_broken_page_is_named(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page.write_text("<!-- generated: nothing -->\n<!-- end -->", "utf-8")
    assert generate.main(["--check"], page.parents[1]) == 1
    assert capsys.readouterr().err.startswith("docs/page.md: there is no part `nothing`; there are: settings,")


def test_other_arguments_are_refused(page: Path) -> None:
    assert generate.main(["--chek"], page.parents[1]) == 2
    assert page.read_text("utf-8") == STALE


def cells(table: str, first: str) -> list[str]:
    (line,) = [line for line in table.splitlines() if line.startswith(f"| `{first}` |")]
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_coverage_tells_mapped_from_unmapped_and_impossible() -> None:
    orders = tables.coverage("PurchaseOrder")
    assert [system.key for system in tables.documented_systems()] == ["odoo", "sap_s4hana", "tryton"]
    assert cells(orders, "incoterm")[2:] == ["mapped", "mapped", "not yet"]
    assert cells(orders, "title")[2:4] == ["no such field", "no such field"]
    assert cells(orders, "total")[1] == "filter, order"
    assert cells(orders, "total")[3] == "computed; filter: here; order: here"
    assert cells(orders, "orderDate")[3] == "mapped; filter: equal, range, empty; order: pushed"
    assert cells(orders, "paymentTerms")[2:] == ["mapped (`label`)", "mapped (`code`)", "mapped (`label`)"]


def test_coverage_of_lines_stands_for_the_rows_within_orders() -> None:
    assert cells(tables.coverage("PurchaseOrderLine"), "isDeliveryComplete") == [
        "`isDeliveryComplete`",
        "",
        "no such field",
        "mapped",
        "not yet",
    ]


def test_values_come_in_the_order_in_which_they_decide() -> None:
    lines = [line for line in tables.values("sap_s4hana").splitlines() if "| `PurchaseOrder.status` |" in line]
    assert lines[0] == "| `PurchaseOrder.status` | `CANCELED` | `PurchasingDocumentDeletionCode` is `L` |"
    assert lines[-1] == "| `PurchaseOrder.status` | `ISSUED` | `ReleaseIsNotCompleted` is `false` |"


def test_settings_say_their_defaults_and_choices() -> None:
    table = tables.settings()
    assert cells(table, "SWITCHGEAR_PORT")[2] == "`8000`"
    assert cells(table, "SWITCHGEAR_DATABASE_URL")[2] == "none"
    assert cells(table, "SWITCHGEAR_INTROSPECTION")[2] == "`true`"
    assert cells(table, "SWITCHGEAR_LOG_LEVEL")[1].endswith("One of `DEBUG`, `INFO`, `WARNING`, `ERROR`.")
    assert "One of" not in cells(table, "SWITCHGEAR_PROFILE")[1]
