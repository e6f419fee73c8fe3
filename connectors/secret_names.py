"""Tells from a field's name that it holds a secret, such as the token of a public link or a password."""

import re
from itertools import pairwise

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SECRETS = frozenset({"apikey", "credential", "credentials", "passphrase", "passwd", "password", "secret", "token"})
_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("signup", "url")})


def says_secret(path: str) -> bool:
    """Whether a name in a dotted path says that there is a secret: access_token, apiKey, signup_url."""
    return any(_is_secret([word.lower() for word in _WORDS.findall(name)]) for name in path.split("."))


def _is_secret(words: list[str]) -> bool:
    return not _SECRETS.isdisjoint(words) or any(pair in _PAIRS for pair in pairwise(words))
