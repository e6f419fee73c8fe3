import re

import pytest

from gateway.keys import base62, tokens
from gateway.keys.tokens import TokenKind


@pytest.mark.parametrize(
    ("kind", "prefix"), [(TokenKind.ADMIN, "sga"), (TokenKind.CUSTOMER, "sgc"), (TokenKind.CONNECTION, "sgk")]
)
def test_a_token_has_its_form_and_says_what_it_reaches(kind: TokenKind, prefix: str) -> None:
    token = tokens.mint(kind)
    text = token.secret.get_secret_value()
    assert re.fullmatch(prefix + "_[0-9A-Za-z]{36}", text)
    assert tokens.checksum_ok(text)
    assert tokens.kind_of(text) is token.kind is kind
    assert token.preview == f"{prefix}_…{text[-4:]}"


def test_tokens_never_meet() -> None:
    made = {tokens.mint(TokenKind.ADMIN).secret.get_secret_value() for _ in range(1000)}
    assert len(made) == 1000


def test_the_secret_is_not_shown() -> None:
    token = tokens.mint(TokenKind.CUSTOMER)
    secret = token.secret.get_secret_value()
    for shown in (repr(token), str(token), f"{token.secret}", repr([token])):
        assert secret not in shown
        assert secret[4:-4] not in shown


def test_every_single_typing_error_is_found() -> None:
    text = tokens.mint(TokenKind.CONNECTION).secret.get_secret_value()
    for position in range(4, len(text)):
        for letter in base62.ALPHABET:
            if letter != text[position]:
                assert not tokens.checksum_ok(text[:position] + letter + text[position + 1 :])


def test_swapped_letters_and_another_prefix_are_found() -> None:
    text = tokens.mint(TokenKind.CONNECTION).secret.get_secret_value()
    for position in range(4, len(text) - 1):
        one, two = text[position], text[position + 1]
        if one != two:
            assert not tokens.checksum_ok(text[:position] + two + one + text[position + 2 :])
    assert not tokens.checksum_ok("sga" + text[3:])


@pytest.mark.parametrize("text", ["", "sgk_", "sgk_" + "a" * 36, "ghp_" + "0" * 36, "sgk_" + "ä" * 36, "Bearer x"])
def test_other_text_is_no_token(text: str) -> None:
    assert not tokens.checksum_ok(text)
    assert tokens.kind_of(text) is None


def test_a_token_with_anything_around_it_is_no_token() -> None:
    text = tokens.mint(TokenKind.ADMIN).secret.get_secret_value()
    for other in (text + "\n", " " + text, text + "0", text[:-1]):
        assert not tokens.checksum_ok(other)


def test_the_digest_depends_on_token_and_pepper() -> None:
    # RFC 4231, test case 2
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert tokens.digest("what do ya want for nothing?", b"Jefe") == expected
    assert len({tokens.digest(text, pepper) for text in ("a", "b") for pepper in (b"1", b"2")}) == 4
