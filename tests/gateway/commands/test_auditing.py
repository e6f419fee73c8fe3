"""The audit log from the command line."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.stores.rows import Actor
from tests.gateway.stores.samples import opened

OPERATOR = Actor(id="key_1", kind="ADMIN", request_id="req-1")


@pytest.fixture
def customers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of three customers, the latest first."""
    made: list[str] = []

    async def write() -> None:
        async with opened(f"sqlite:///{tmp_path / 'switchgear.db'}") as store:
            for name in ("Mill", "Plant", "Yard"):
                made.insert(0, (await store.create_customer(name=name, by=OPERATOR)).id)
                await asyncio.sleep(0.002)  # ids of one millisecond have no order

    monkeypatch.setenv("SWITCHGEAR_DATA_DIRECTORY", str(tmp_path))
    asyncio.run(write())
    return made


def printed(*arguments: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(main, ["audit", *arguments])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_line_says_who_did_what_the_latest_first(customers: list[str]) -> None:
    lines = printed()
    assert [line["customerId"] for line in lines] == customers
    (line,) = printed("--first", "1")
    assert line == {
        "id": lines[0]["id"],
        "at": lines[0]["at"],
        "action": "customer.create",
        "actor": {"id": "key_1", "kind": "ADMIN"},
        "customerId": customers[0],
        "connectionId": None,
        "requestId": "req-1",
        "details": None,
    }


def test_lines_are_chosen_by_customer_connection_and_time(customers: list[str]) -> None:
    lines = printed("--all")
    assert printed("--customer", customers[1]) == [lines[1]]
    assert printed("--connection", "con_1") == []
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    assert printed("--since", tomorrow) == []
    assert printed("--since", "2026-01-01") == lines


def test_more_lines_than_are_read_at_once(customers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed("--all")
    monkeypatch.setattr("gateway.commands.auditing._PAGE", 1)
    assert printed("--all") == lines


def test_a_database_that_cannot_be_opened_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    result = CliRunner().invoke(main, ["audit"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be reached" in result.stderr
