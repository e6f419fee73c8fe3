"""R6: bad bytes never become data or a crash: they are a typed outcome, and cost little memory."""

import gzip
import json
import resource
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.plant import Plant, plant
from tests.faults.proxy import Fault, answer_bytes

BAD = ("ERROR", "UPSTREAM_BAD_RESPONSE")
OUT_OF_REACH = ("ERROR", "UPSTREAM_UNREACHABLE")
MEGABYTE = 1024 * 1024


def rows(**values: Any) -> bytes:
    """A good answer with one order, and these values in it."""
    return json.dumps({"d": {"results": [{"PurchaseOrder": "4500000001", **values}]}}).encode()


def bomb(megabytes: int) -> bytes:
    """So many megabytes of blanks, compressed piece by piece, so that making it costs little memory itself."""
    pressing = zlib.compressobj(9, wbits=31)
    pieces = [pressing.compress(b" " * MEGABYTE) for _ in range(megabytes)]
    return b"".join([*pieces, pressing.flush()])


ANSWERS: dict[str, Callable[[], bytes]] = {
    "malformed": lambda: answer_bytes(200, b'{"d": {"results": [{'),
    "nothing": lambda: answer_bytes(200, b""),
    "login page": lambda: answer_bytes(200, b"<html><title>Log on</title></html>", kind="text/html"),
    "wrong charset": lambda: answer_bytes(200, rows(Supplier="M\xfcller").decode().encode("utf-8")[:-1] + b"\xff}"),
    "not a number": lambda: answer_bytes(200, b'{"d": {"results": [{"PurchaseOrder": NaN}]}}'),
    "infinity": lambda: answer_bytes(200, b'{"d": {"results": [{"PurchaseOrder": 1, "x": -Infinity}]}}'),
    "a name twice": lambda: answer_bytes(200, b'{"d": {"results": [{"PurchaseOrder": "1", "PurchaseOrder": "2"}]}}'),
    "an endless number": lambda: answer_bytes(200, b'{"d": {"results": [{"PurchaseOrder": ' + b"9" * 5_000 + b"}]}}"),
    "deeply nested": lambda: answer_bytes(200, b"[" * 100_000 + b"]" * 100_000),
    "another shape": lambda: answer_bytes(200, b'{"d": {"results": {"0": {}}}}'),
    "not compressed as it says": lambda: answer_bytes(200, rows(), "Content-Encoding: gzip"),
    "compressed twice": lambda: answer_bytes(200, gzip.compress(bomb(1)), "Content-Encoding: gzip, gzip"),
    "a compressed bomb": lambda: answer_bytes(200, bomb(200), "Content-Encoding: gzip"),
    "longer than may be": lambda: answer_bytes(200, b" " * (5 * MEGABYTE)),
}


async def troubled(place: Plant, answer: bytes) -> tuple[str, str | None]:
    place.proxy.answer(answer)
    told = await place.ask(timeout_ms=20_000)
    assert place.healthy_rows_are_there(told)
    assert told.source()["count"] == 0
    assert "<" not in str(told.source()["error"]), "a page is passed on"
    return told.outcome()


async def test_bad_bytes_are_an_outcome_and_neither_data_nor_a_crash(tmp_path: Path) -> None:
    async with plant(tmp_path, max_response_bytes=4 * MEGABYTE, breaker_failures=1_000) as place:
        found = {name: await troubled(place, make()) for name, make in ANSWERS.items()}
        assert found == dict.fromkeys(ANSWERS, BAD)
        place.proxy.fault = Fault.NONE
        assert (await place.ask()).page["isComplete"] is True


async def test_an_answer_that_ends_too_early_is_a_connection_that_broke_off(tmp_path: Path) -> None:
    async with plant(tmp_path) as place:
        place.proxy.fault = Fault.TRUNCATION
        assert (await place.ask("troubled")).outcome() == OUT_OF_REACH


async def test_what_is_no_http_at_all_is_a_connection_that_broke_off(tmp_path: Path) -> None:
    async with plant(tmp_path) as place:
        assert await troubled(place, b"SSH-2.0-OpenSSH_9.6\r\n\r\n") == OUT_OF_REACH


async def test_what_is_odd_but_clear_is_read_as_it_is_meant(tmp_path: Path) -> None:
    """A byte order mark says nothing, and a whole number of any size is exact."""
    async with plant(tmp_path) as place:
        number = 2**53 + 1
        for body in (b"\xef\xbb\xbf" + rows(), rows(PurchaseOrder=number)):
            place.proxy.answer(answer_bytes(200, body))
            page = (await place.ask("troubled")).page
            assert [node["number"] for node in page["nodes"]] in (["4500000001"], [str(number)])


@pytest.mark.faults
async def test_a_gigabyte_costs_little_memory(tmp_path: Path) -> None:
    async with plant(tmp_path, max_response_bytes=32 * MEGABYTE, breaker_failures=1_000) as place:
        compressed = answer_bytes(200, bomb(1024), "Content-Encoding: gzip")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert await troubled(place, compressed) == BAD
        place.proxy.fault = Fault.FLOOD
        assert (await place.ask("troubled", timeout_ms=20_000)).outcome() == BAD
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown * 1024 < 200 * MEGABYTE
