"""Names that say that a field holds a secret, and names that only look like it."""

import pytest

from connectors.extras import without_secrets
from connectors.secret_names import says_secret


@pytest.mark.parametrize(
    "name",
    [
        "access_token", "accessToken", "signup_token", "signup_url", "password", "new_password", "Password",
        "api_key", "apiKey", "APIKey", "apikey", "x_api_key_ids", "totp_secret", "client_secret", "passwd", "token",
        "partner_id.signup_token", "to_User.PrivateKey", "oauth_access_token", "YY1_Credentials",
    ],
)  # fmt: skip
def test_secrets(name: str) -> None:
    assert says_secret(name)


@pytest.mark.parametrize(
    "name", ["name", "tokenization", "secretary_id", "access_url", "key", "api", "keyword", "PassengerCount", "*"]
)
def test_no_secrets(name: str) -> None:
    assert not says_secret(name)


def test_secrets_are_taken_out_at_every_depth_and_told_with_their_paths() -> None:
    row = {"id": 1, "user": {"name": "B", "password": "p"}, "keys": [{"n": 1, "api_key": "k"}, {"n": 2}], "token": None}
    found: set[str] = set()
    assert without_secrets(row, found) == {"id": 1, "user": {"name": "B"}, "keys": [{"n": 1}, {"n": 2}]}
    assert found == {"user.password", "keys.api_key", "token"}
