"""No secret in anything that may be printed: objects, errors, and whatever is logged while reading and failing."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from connectors.errors import Trouble
from connectors.testing.bench import Bench, Misfortune
from connectors.testing.registry import check
from connectors.testing.walks import walk


@check
async def no_secret_is_printed(bench: Bench) -> None:
    """Neither the password nor what is sent in its place shows while reading and failing, at any level of logging."""
    resource = bench.system.resources[0]
    printed: list[str] = []
    secrets = set(bench.secrets)
    with _logged(printed):
        for misfortune in (None, Misfortune.REFUSED_CREDENTIALS, Misfortune.MISSING_RIGHT, Misfortune.NOBODY_LISTENS):
            async with bench.open() as opened:
                await walk(opened, resource)
                if misfortune is not None:
                    with bench.suffer(misfortune, opened):
                        try:
                            await walk(opened, resource)
                        except Trouble as trouble:
                            printed += [repr(trouble), str(trouble), repr(vars(trouble))]
                            printed += traceback.format_exception(trouble)
                things = (opened.source, opened.source.auth, opened.source.http, bench.system, *opened.source.reads)
                printed += [text for thing in things for text in (repr(thing), str(thing))]
                secrets.update(_sent_secrets(opened.wire.asked))
    shown = "\n".join(printed)
    assert secrets, "nothing secret was sent"
    for secret in secrets:
        assert secret not in shown, f"a secret of {len(secret)} signs is printed"


def _sent_secrets(asked: list[httpx.Request]) -> Iterator[str]:
    for request in asked:
        value = request.headers.get("authorization", "").partition(" ")[2]
        if value:
            yield value


@contextmanager
def _logged(printed: list[str]) -> Iterator[None]:
    """Collect every log record, at any level, with its traceback."""

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            printed.append(self.format(record))

    root, collector = logging.getLogger(), Collector()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(collector)
    try:
        yield
    finally:
        root.removeHandler(collector)
        root.setLevel(level)
