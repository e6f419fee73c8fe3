"""From a token to a caller: who is asking, and what their key reaches and may do."""

from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.keys import tokens
from gateway.logging import request_id
from gateway.stores.rows import Actor, ApiKey
from schema.errors import MEANINGS, ErrorCode, failure

_ADMIN_TENANT = "*"


@dataclass(frozen=True)
class Caller:
    """Whoever sent a valid token."""

    key: ApiKey

    @property
    def tenant(self) -> str:
        """The customer whose data the caller reads; an operator reads everyone's."""
        return self.key.customer_id or _ADMIN_TENANT

    @property
    def actor(self) -> Actor:
        """Whom events and the audit log name: the key, in the request that is being served."""
        return Actor(id=self.key.id, kind=self.key.kind.name, request_id=request_id.get() or None)

    def sees(self, customer_id: str | None, connection_id: str | None = None) -> bool:
        """Whether the key reaches a customer, or one connection of it."""
        if self.key.kind is tokens.TokenKind.ADMIN:
            return True
        if self.key.customer_id != customer_id:
            return False
        return self.key.kind is tokens.TokenKind.CUSTOMER or self.key.connection_id == connection_id

    def has(self, scope: str) -> bool:
        """Whether the key carries a scope."""
        return scope in self.key.scopes

    def require(self, scope: str) -> None:
        """Raise SCOPE_MISSING unless the key carries the scope."""
        if not self.has(scope):
            raise failure(ErrorCode.SCOPE_MISSING, f"This key lacks the scope {scope}.")


class TokenRefused(Exception):
    """The token opens nothing; `code` says why, as far as its holder may know."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def advice(self) -> str:
        """Why, and what to do."""
        return f"{self.message} {MEANINGS[self.code].remediation}"


def bearer(authorization: str | None) -> str:
    """The token in an Authorization header."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise TokenRefused(ErrorCode.UNAUTHENTICATED, "No token was sent.")
    return token


def check_key(key: ApiKey | None) -> Caller:
    """The caller of a key that is in force."""
    if key is None:
        raise TokenRefused(ErrorCode.UNAUTHENTICATED, "This token is not valid.")
    if key.revoked_at is not None:
        raise TokenRefused(ErrorCode.TOKEN_REVOKED, "This token was revoked.")
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
        raise TokenRefused(ErrorCode.TOKEN_EXPIRED, "This token has expired.")
    return Caller(key)
