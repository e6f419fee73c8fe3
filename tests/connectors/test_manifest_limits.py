"""Manifests name the limits of their systems, as data."""

from pathlib import Path

import pytest

from connectors.protection.limits import UNPUBLISHED, Limits, Rate, Share
from tests.connectors.test_manifest_reading import _FIELDS, _HEAD, _mistakes, _read


def test_limits_are_data(tmp_path: Path) -> None:
    limits = """
[limits]
share = "user"
at_once = 5
rates = [
  { calls = 100, seconds = 60, share = "user" },
  { calls = 500, seconds = 60 },
  { calls = 60, seconds = 60, methods = ["DELETE"] },
]
"""
    assert _read(tmp_path / "a", _HEAD + _FIELDS).system.limits == UNPUBLISHED
    assert _read(tmp_path / "b", _HEAD + _FIELDS + limits).system.limits == Limits(
        Share.USER,
        5,
        (Rate(100, 60.0, Share.USER), Rate(500, 60.0), Rate(60, 60.0, methods=("DELETE",))),
    )


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ('share = "planet"', "'connection', 'user', 'account' or 'host'"),
        ("at_once = 0", "greater than 0"),
        ("rates = [{ calls = 0, seconds = 60 }]", "greater than 0"),
        ("rates = [{ calls = 5 }]", "seconds"),
    ],
)
def test_limits_that_cannot_be_are_refused(limits: str, words: str, tmp_path: Path) -> None:
    (mistake,) = _mistakes(tmp_path, f"{_HEAD}{_FIELDS}\n[limits]\n{limits}\n")
    assert words in mistake
