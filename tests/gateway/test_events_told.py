"""Every type of event that clients are told of is one that something here produces."""

from pathlib import Path

import pytest

from schema.events import EventType

SOURCES = "\n".join(path.read_text() for path in (Path(__file__).parents[2] / "gateway").rglob("*.py"))


@pytest.mark.parametrize("name", [type.name for type in EventType])
def test_a_type_of_event_is_produced(name: str) -> None:
    assert f"EventType.{name}" in SOURCES or f'"{name}"' in SOURCES
