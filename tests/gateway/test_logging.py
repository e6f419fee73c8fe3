import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.keys import tokens
from gateway.keys.tokens import TokenKind
from gateway.logging import configure, redact, request_id
from gateway.telemetry.tracing import received

TOKEN = tokens.mint(TokenKind.CONNECTION).secret.get_secret_value()


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, library = logging.getLogger(), logging.getLogger("httpx")
    handlers, levels = root.handlers[:], (root.level, library.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    library.setLevel(levels[1])


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_message_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    logging.getLogger("gateway.test").info("two\nlines of %s", "Süd")
    (line,) = lines(capsys)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "INFO", "logger": "gateway.test", "message": "two\nlines of Süd"}


def test_a_line_names_the_trace_that_it_belongs_to(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    with received({"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}):
        logging.getLogger("gateway").info("inside")
    logging.getLogger("gateway").info("outside")
    inside, outside = lines(capsys)
    assert inside["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert "trace_id" not in outside


def test_the_level_counts(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING")
    logging.getLogger("gateway").info("no")
    logging.getLogger("gateway").warning("yes")
    assert [line["message"] for line in lines(capsys)] == ["yes"]


def test_configuring_again_does_not_double_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    configure("INFO")
    logging.getLogger("gateway").info("once")
    assert len(lines(capsys)) == 1


def test_the_request_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    token = request_id.set("req_1")
    logging.getLogger("gateway").info("hello")
    request_id.reset(token)
    assert lines(capsys)[0]["request_id"] == "req_1"


def test_only_known_fields_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    extra = {"connection_id": "con_1", "duration_ms": 1.5, "variables": {"x": 1}, "body": "all of it", "reason": TOKEN}
    logging.getLogger("gateway").info("asked", extra=extra)
    (line,) = lines(capsys)
    assert (line["connection_id"], line["duration_ms"], line["reason"]) == ("con_1", 1.5, "[redacted]")
    assert not {"variables", "body"} & line.keys()


def test_calls_are_not_logged_with_their_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    logging.getLogger("httpx").info("HTTP Request: GET https://erp.example/?session=abc")
    assert lines(capsys) == []


def test_tracebacks_are_redacted_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    try:
        raise ValueError(f"bad token {TOKEN}")
    except ValueError:
        logging.getLogger("gateway").exception("failed")
    (line,) = lines(capsys)
    assert "ValueError: bad token [redacted]" in line["exception"]
    assert TOKEN not in json.dumps(line)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: Bearer hunter2hunter2", "Authorization: [redacted]"),
        ("authorization: Basic dXNlcjpodW50ZXIy", "authorization: [redacted]"),
        ("{'authorization': 'Bearer hunter2', 'accept': '*/*'}", "{'authorization': [redacted], 'accept': '*/*'}"),
        ("Proxy-Authorization: Negotiate hunter2==", "Proxy-Authorization: [redacted]"),
        ("sent Bearer hunter2hunter2 to it", "sent Bearer [redacted] to it"),
        ("Cookie: a=hunter2; b=hunter2\nAccept: */*", "Cookie: [redacted]\nAccept: */*"),
        ('{"password": "hunter2 and more", "user": "u"}', '{"password": [redacted], "user": "u"}'),
        (r"{\"password\": \"hunter2\"}", r"{\"password\": [redacted]}"),
        ("password=hunter2&user=u", "password=[redacted]&user=u"),
        ("client_secret='hunter2'", "client_secret=[redacted]"),
        ("x-api-key: hunter2", "x-api-key: [redacted]"),
        ("postgresql://user:hunter2@host/db", "postgresql://user:[redacted]@host/db"),
        ("postgresql://user:hun@ter2@host/db", "postgresql://user:[redacted]@host/db"),
    ],
)
def test_secrets_are_replaced(text: str, kept: str) -> None:
    assert redact(text) == kept


def test_tokens_are_replaced() -> None:
    assert redact(f"token {TOKEN} was used") == "token [redacted] was used"


@pytest.mark.parametrize(
    "text",
    [
        "https://host:8000/path",
        "a token was revoked",
        "the password is wrong",
        "sgk_…abcd",
        "connection con_0V3kQh: ok",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text
