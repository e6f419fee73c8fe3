"""What takes long to build for the tests, built once and kept in a cache folder."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path


def kept(name: str, ingredients: Iterable[bytes], build: Callable[[Path], None]) -> Path:
    """The folder that `build` has filled from these ingredients, now or at an earlier time.

    The cache is `~/.cache/switchgear`, or the folder named by SWITCHGEAR_TEST_CACHE. Of two processes that start at
    once, one builds and the other waits; what fails half-way leaves nothing behind.
    """
    digest = hashlib.sha256(b"\0".join(ingredients)).hexdigest()[:16]
    cache = Path(os.environ.get("SWITCHGEAR_TEST_CACHE") or Path.home() / ".cache" / "switchgear")
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{name}-{digest}"
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_suffix(".building")
            shutil.rmtree(unfinished, ignore_errors=True)  # left by a build that was killed
            unfinished.mkdir()
            build(unfinished)
            unfinished.rename(folder)
    return folder
