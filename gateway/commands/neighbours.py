"""Notices when a second server works on the same data folder, which is allowed but is rarely meant."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

LOCK_FILE = "serve.lock"


@contextmanager
def marked(folder: Path) -> Iterator[str | None]:
    """Mark a data folder as served while the block lasts; gives the process id of whoever has marked it before.

    The mark is a lock of the operating system, so it ends with its process, however that ends. Where a folder cannot be
    marked, nobody is noticed.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context((folder / LOCK_FILE).open("a+", encoding="ascii"))
        except OSError:
            yield None
        else:
            yield _lock(file)


def _lock(file: TextIO) -> str | None:
    try:
        import fcntl
    except ImportError:  # there are no such locks on this system
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        return file.read().strip() or "unknown"
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return None
