"""Logging: JSON lines on standard error, each with the request's id and none with a secret.

Only the fields named here leave the process besides the message, and every text is redacted at the last
moment, when the line is written, so that tracebacks and other libraries' messages are covered too.
"""

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from gateway.keys import tokens
from gateway.telemetry.tracing import trace_id

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being served; empty outside of one."""

FIELDS = (
    "actor",
    "code",
    "connection_id",
    "customer_id",
    "duration_ms",
    "entity",
    "key_id",
    "method",
    "operation",
    "path",
    "reason",
    "sources",
    "status",
    "system",
)
"""What a message may carry in `extra`; anything else stays out of the line."""

_HIDDEN = "[redacted]"
_IS = r"""\\*['"]?\s*[:=]\s*"""
_HEADER = rf"""(\b(?:authorization|cookie){_IS})(?:"[^"]*"|'[^']*'|[^\n"']+)"""
_NAMED = rf"""((?:password|passwd|secret|token|api[-_]?key){_IS})(?:\\*"[^"\\]*\\*"|'[^']*'|[^\s,;&'"}})]+)"""
_RULES = (
    (tokens.PATTERN, _HIDDEN),
    (re.compile(_HEADER, re.IGNORECASE), rf"\1{_HIDDEN}"),
    (re.compile(r"\b([Bb]asic|[Bb]earer)\s+[\w.~+/=-]{6,}"), rf"\1 {_HIDDEN}"),
    (re.compile(r"(://[^\s/:@]*:)[^\s/]+@"), rf"\1{_HIDDEN}@"),
    (re.compile(_NAMED, re.IGNORECASE), rf"\1{_HIDDEN}"),
)
"""What is replaced, in this order: our tokens, whole headers, credentials by scheme, in URLs and by name."""


def configure(level: str) -> None:
    """Send every logger's messages from `level` up to standard error, one JSON object to a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # At INFO the HTTP client writes the whole address of every call, with its query.
    logging.getLogger("httpx").setLevel(max(logging.WARNING, logging.getLogger().level))
    # At DEBUG the database's driver writes every statement with its values.
    logging.getLogger("aiosqlite").setLevel(max(logging.INFO, logging.getLogger().level))


def redact(text: str) -> str:
    """Replace tokens, authorization values and passwords in a text."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON: time in UTC, level, logger, message, request and known fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line: dict[str, str | int | float | bool] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if current := request_id.get():
            line["request_id"] = current
        if trace := trace_id():
            line["trace_id"] = trace
        for field in FIELDS:
            value = getattr(record, field, None)
            if value is not None:
                line[field] = value if isinstance(value, int | float) else redact(str(value))
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)
