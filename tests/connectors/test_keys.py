"""Which text is a key, and in which order keys come."""

import pytest

from connectors.keys import NUMBER, TEXT, KeyForm, padded

ALPHA = padded(10)


@pytest.mark.parametrize(
    ("form", "text", "key"),
    [
        (TEXT, "O'Brien", "O'Brien"),
        (TEXT, "", None),
        (TEXT, " V-1", None),
        (TEXT, "V-1 ", None),
        (TEXT, "V\x001", None),
        (TEXT, "V\ud800", None),
        (NUMBER, "0", 0),
        (NUMBER, "13", 13),
        (NUMBER, "013", None),
        (NUMBER, "-1", None),
        (NUMBER, "1.0", None),
        (NUMBER, "²", None),
        (NUMBER, "", None),
        (NUMBER, str(2**63 - 1), 2**63 - 1),
        (NUMBER, str(2**63), None),
        (NUMBER, "9" * 5_000, None),
        (ALPHA, "9", "9"),
        (ALPHA, "0", "0"),
        (ALPHA, "09", None),
        (ALPHA, "EXT-009", "EXT-009"),
        (ALPHA, "0EXT", "0EXT"),
        (ALPHA, "12345678901", None),
        (ALPHA, "", None),
    ],
)
def test_text_that_no_record_shows_is_no_key(form: KeyForm, text: str, key: str | int | None) -> None:
    assert form.read(text) == key


@pytest.mark.parametrize(
    ("form", "ordered"),
    [(TEXT, ["10", "9", "A"]), (NUMBER, ["9", "10", "100"]), (ALPHA, ["9", "10", "4500000001", "EXT-9"])],
)
def test_keys_come_in_the_order_of_their_source(form: KeyForm, ordered: list[str]) -> None:
    backwards = ordered[::-1]
    assert sorted(backwards, key=form.order) == ordered
