"""Where systems come from: built in, from packages, and from folders; what is broken is left out."""

import logging
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.registry import GROUP, all_systems, find_system, system_keys, use_manifests
from connectors.systems.tryton.spec import tryton
from tests.connectors.workshop_bench import EXAMPLE

not_a_system = "text"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    use_manifests([])


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let packages offer systems; what is remembered of them is forgotten before and after."""

    def forget() -> None:
        registry._offered.cache_clear()
        registry._packaged.cache_clear()

    def offered(**entries: str) -> None:
        points = [EntryPoint(name, value, GROUP) for name, value in entries.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: points if group == GROUP else [])
        forget()

    yield offered
    monkeypatch.undo()
    forget()


def _manifest(folder: Path, key: str = "workshop", more: str = "") -> Path:
    folder.mkdir(parents=True)
    text = (EXAMPLE / "system.toml").read_text("utf-8").replace('key = "workshop"', f'key = "{key}"\n{more}', 1)
    (folder / "system.toml").write_text(text, "utf-8")
    return folder


class TestFolders:
    def test_a_manifest_is_a_system_like_others(self) -> None:
        assert use_manifests([EXAMPLE]) == []
        assert system_keys() == ("odoo", "sap_s4hana", "tryton", "workshop")
        found = find_system("workshop")
        assert found is not None
        assert found.title == "Workshop"
        assert found in all_systems()

    def test_a_folder_may_hold_several(self, tmp_path: Path) -> None:
        _manifest(tmp_path / "a", "mill")
        _manifest(tmp_path / "b", "kiln")
        assert use_manifests([tmp_path]) == []
        assert {"mill", "kiln"} <= set(system_keys())

    def test_a_broken_one_is_reported_and_the_rest_works(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        _manifest(tmp_path / "a", "mill", more="titel = 3")
        _manifest(tmp_path / "b", "kiln")
        with caplog.at_level(logging.ERROR):
            (error,) = use_manifests([tmp_path])
        assert str(tmp_path / "a") in str(error)
        assert "did you mean 'title'?" in caplog.text
        assert "kiln" in system_keys()
        assert "mill" not in system_keys()

    @pytest.mark.parametrize("key", ["tryton", "kiln"])
    def test_a_key_that_is_taken_stays_with_its_owner(self, tmp_path: Path, key: str) -> None:
        _manifest(tmp_path / "a", "kiln")
        _manifest(tmp_path / "b", key)
        (error,) = use_manifests([tmp_path])
        assert [str(item) for item in error.mistakes] == [f"system.toml:3: the key {key!r} is taken by another system"]
        assert find_system("tryton") is tryton
        assert find_system("kiln") is not None

    def test_a_folder_without_any_is_a_mistake(self, tmp_path: Path) -> None:
        (error,) = use_manifests([tmp_path / "nowhere"])
        assert "nowhere does not describe a system" in str(error)

    def test_a_later_call_replaces_an_earlier_one(self) -> None:
        use_manifests([EXAMPLE])
        use_manifests([])
        assert find_system("workshop") is None


class TestPackages:
    def test_a_package_offers_a_system_by_an_entry_point(self, offer: Any) -> None:
        offer(tryton="tests.connectors.test_registry:not_a_system", other="tests.connectors.registered:other")
        assert system_keys() == ("odoo", "other", "sap_s4hana", "tryton")
        found = find_system("other")
        assert found is not None
        assert found.title == "Other"
        assert find_system("tryton") is tryton

    @pytest.mark.parametrize(
        "value",
        [
            "tests.connectors.no_such_module:system",
            "tests.connectors.test_registry:no_such_name",
            "tests.connectors.test_registry:not_a_system",
            "connectors.systems.tryton.spec:tryton",
        ],
    )
    def test_a_broken_package_is_left_out(self, offer: Any, value: str, caplog: pytest.LogCaptureFixture) -> None:
        offer(broken=value)
        assert find_system("broken") is None
        assert [system.key for system in all_systems()] == ["odoo", "sap_s4hana", "tryton"]
        assert "broken" in caplog.text

    def test_there_is_none_by_an_unknown_key(self) -> None:
        assert find_system("unknown") is None
