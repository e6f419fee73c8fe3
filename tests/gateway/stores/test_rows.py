import re

import pytest

from gateway.keys import base62
from gateway.stores import rows


def test_ids_have_their_prefix_and_never_meet() -> None:
    made = {rows.new_id("cus") for _ in range(10_000)}
    assert len(made) == 10_000
    assert all(re.fullmatch(r"cus_[0-9A-Za-z]{20}", one) for one in made)


def test_later_ids_sort_later(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [0, 61, 62, 3_843, 3_844, 1_900_000_000_000, 1_900_000_000_001, 62**8 - 1]
    made = []
    for moment in moments:
        monkeypatch.setattr("time.time_ns", lambda moment=moment: moment * 1_000_000)
        made.append(rows.new_id("key"))
    assert made == sorted(made)


def test_a_number_that_does_not_fit_is_refused() -> None:
    assert base62.encode(62**2 - 1, 2) == "zz"
    with pytest.raises(ValueError, match="fit"):
        base62.encode(62**2, 2)
