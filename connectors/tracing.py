"""What traces are made of: the kinds of spans and the only attributes that they may carry, none of them a value.

A span tells where time went and how it ended; never what was asked for, what was answered, or where a system lives.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode

_TRACER = trace.get_tracer("switchgear")


class Attribute(Enum):
    """Everything that a span may carry; a name of OpenTelemetry's own where it has one."""

    CACHE = "switchgear.cache"
    COMPLETE = "switchgear.complete"
    CONNECTION = "switchgear.connection"
    ENTITY = "switchgear.entity"
    ERRORS = "switchgear.errors"
    ERROR_TYPE = "error.type"
    LOGIN = "switchgear.login"
    METHOD = "http.request.method"
    OPERATION = "switchgear.operation"
    OPERATION_NAME = "graphql.operation.name"
    OPERATION_TYPE = "graphql.operation.type"
    OUTCOME = "switchgear.outcome"
    PURPOSE = "switchgear.purpose"
    REQUESTS = "switchgear.requests"
    REQUEST_ID = "switchgear.request_id"
    RESEND_COUNT = "http.request.resend_count"
    RESOURCE = "switchgear.resource"
    ROWS = "switchgear.rows"
    SOURCES = "switchgear.sources"
    STATUS = "http.response.status_code"
    SYSTEM = "switchgear.system"

    @property
    def about(self) -> str:
        """What it says, for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Attribute.CACHE: "what the cache said: `hit`, `miss`, `stale` or `joined`",
    Attribute.COMPLETE: "whether every source answered in full",
    Attribute.CONNECTION: "the id of the connection",
    Attribute.ENTITY: "the kind of record, such as `PurchaseOrder`",
    Attribute.ERRORS: "the codes of the errors in the answer",
    Attribute.ERROR_TYPE: "the code or the kind of what went wrong",
    Attribute.LOGIN: "whether it was a request of the login",
    Attribute.METHOD: "the HTTP method",
    Attribute.OPERATION: "the root field, or `several`",
    Attribute.OPERATION_NAME: "the operation's name in the document, its first 64 characters",
    Attribute.OPERATION_TYPE: "`query` or `mutation`",
    Attribute.OUTCOME: "how it ended: a source's status, or the meaning of a call's failure",
    Attribute.PURPOSE: "`ROWS` of a list, or what a `LINK` points to",
    Attribute.REQUESTS: "how many HTTP requests it took, logins included",
    Attribute.REQUEST_ID: "the request's id, as in its answer and in the log",
    Attribute.RESEND_COUNT: "how many requests the call had made before this one",
    Attribute.RESOURCE: "the collection in the system, as its connector names it",
    Attribute.ROWS: "how many rows came",
    Attribute.SOURCES: "how many sources were asked",
    Attribute.STATUS: "the HTTP status of the answer",
    Attribute.SYSTEM: "the key of the system, such as `odoo`",
}

Values: TypeAlias = Mapping[Attribute, str | bool | int | Sequence[str]]


@dataclass(frozen=True)
class SpanForm:
    """A kind of span: its name, what it covers, and the attributes that it may carry."""

    name: str
    about: str
    attributes: tuple[Attribute, ...]
    kind: SpanKind = SpanKind.INTERNAL


_ASKED = (Attribute.CONNECTION, Attribute.SYSTEM, Attribute.ENTITY)

REQUEST = SpanForm(
    "request",
    "one GraphQL request whose token is valid",
    (
        Attribute.OPERATION,
        Attribute.OPERATION_TYPE,
        Attribute.OPERATION_NAME,
        Attribute.REQUEST_ID,
        Attribute.OUTCOME,
        Attribute.ERRORS,
        Attribute.STATUS,
        Attribute.ERROR_TYPE,
    ),
    SpanKind.SERVER,
)
FAN_OUT = SpanForm(
    "fan-out",
    "one root field that lists records of many sources",
    (Attribute.ENTITY, Attribute.SOURCES, Attribute.ROWS, Attribute.COMPLETE, Attribute.ERROR_TYPE),
)
SOURCE = SpanForm(
    "source",
    "one question to one source, with everything that it takes",
    (
        *_ASKED,
        Attribute.PURPOSE,
        Attribute.OUTCOME,
        Attribute.ROWS,
        Attribute.REQUESTS,
        Attribute.CACHE,
        Attribute.ERROR_TYPE,
    ),
)
LINKS = SpanForm(
    "links",
    "the records that the rows of a page point to",
    (Attribute.ENTITY, Attribute.ERROR_TYPE),
)
SOURCE_CALL = SpanForm(
    "source call",
    "one call to a system: a page of rows",
    (*_ASKED, Attribute.RESOURCE, Attribute.OUTCOME, Attribute.ROWS, Attribute.REQUESTS, Attribute.ERROR_TYPE),
)
ATTEMPT = SpanForm(
    "attempt",
    "one HTTP request of a call: the request itself, a login, or a repetition",
    (
        *_ASKED[:2],
        Attribute.METHOD,
        Attribute.STATUS,
        Attribute.LOGIN,
        Attribute.RESEND_COUNT,
        Attribute.ERROR_TYPE,
    ),
    SpanKind.CLIENT,
)
SPANS = (REQUEST, FAN_OUT, SOURCE, LINKS, SOURCE_CALL, ATTEMPT)
"""Every kind of span, from the request inwards."""


@contextmanager
def step(form: SpanForm, values: Values) -> Iterator[Span]:
    """A span inside of a request that is traced; anywhere else nothing, at next to no cost.

    An exception ends it with its kind alone: messages and tracebacks may quote what a system sent.
    """
    if not trace.get_current_span().is_recording():
        yield INVALID_SPAN
        return
    with started(form) as span:
        note(span, values)
        yield span


@contextmanager
def started(form: SpanForm) -> Iterator[Span]:
    """A span that begins here, whatever surrounds it."""
    with _TRACER.start_as_current_span(
        form.name, kind=form.kind, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            fail(span, type(error).__name__)
            raise


def note(span: Span, values: Values) -> None:
    """Add what is known by now."""
    for name, value in values.items():
        span.set_attribute(name.value, value)


def fail(span: Span, kind: str) -> None:
    """Mark a span as failed, with the kind of what went wrong."""
    span.set_attribute(Attribute.ERROR_TYPE.value, kind)
    span.set_status(Status(StatusCode.ERROR))
