"""What is sealed of a connection is read again as it was, also what earlier versions wrote."""

import json

import pytest

from gateway.keys.sealed import Sealed

ANSWERS = {"url": "https://erp.example.com", "password": "s3cret"}
WHOLE = Sealed(ANSWERS, "a key", {"X-Gate": "s3cret"}, "user:s3cret")


@pytest.mark.parametrize("sealed", [WHOLE, Sealed(ANSWERS), Sealed()])
def test_what_was_written_is_read(sealed: Sealed) -> None:
    assert Sealed.read(sealed.written()) == sealed


def test_answers_alone_are_read() -> None:
    for answers in (ANSWERS, {**ANSWERS, "answers": "a field of this name"}):
        assert Sealed.read(json.dumps(answers).encode()) == Sealed(answers)


def test_nothing_of_it_is_shown() -> None:
    assert "s3cret" not in repr(WHOLE)
    assert "a key" not in repr(WHOLE)
