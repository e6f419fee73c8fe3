"""Errors: every code has one meaning, and each is used somewhere."""

import pytest

from resolvers.roots import build_schema
from schema.errors import (
    MEANINGS,
    MUTATION_ERRORS,
    ErrorCode,
    ValidationFailed,
    failure,
    problem,
    refusal,
)

PRINTED = build_schema()


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.name)
def test_every_code_says_whose_fault_it_is_and_what_to_do(code: ErrorCode) -> None:
    meaning = MEANINGS[code]
    assert meaning.remediation.endswith(".")
    told = problem(code, "What happened.")
    assert (told.category, told.retryable, told.remediation) == (
        meaning.category,
        meaning.retryable,
        meaning.remediation,
    )
    extensions = failure(code, "What happened.").extensions
    assert extensions is not None
    assert (extensions["code"], extensions["category"]) == (code.name, meaning.category.name)


def test_no_meaning_is_without_its_code() -> None:
    assert set(MEANINGS) == set(ErrorCode)


def test_an_error_s_own_details_win_and_absent_ones_are_left_out() -> None:
    assert problem(ErrorCode.INTERNAL, "x", remediation="Do this.").remediation == "Do this."
    extensions = failure(ErrorCode.VALIDATION_FAILED, "x", field="first", retryAfterMs=None).extensions
    assert extensions is not None
    assert extensions["field"] == "first"
    assert "retryAfterMs" not in extensions


def test_a_refusal_of_a_mutation_carries_the_same_meaning() -> None:
    error = refusal(ValidationFailed, ErrorCode.VALIDATION_FAILED, "x", field="name", value=1)
    assert (error.code, error.field, error.value) == (ErrorCode.VALIDATION_FAILED, "name", 1)
    assert error.remediation == MEANINGS[ErrorCode.VALIDATION_FAILED].remediation


def test_every_concrete_error_is_printed_and_implements_the_interface() -> None:
    for kind in MUTATION_ERRORS:
        printed = PRINTED._schema.type_map[kind.__name__]
        assert [interface.name for interface in printed.interfaces] == ["MutationError"]  # type: ignore[attr-defined]
