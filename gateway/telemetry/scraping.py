"""The page of metrics: for the scraper's own token, for operators, or for everyone, as the settings say."""

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.keys.tokens import TokenKind
from gateway.serving.auth import Caller, TokenRefused, bearer
from gateway.settings import Settings
from gateway.stores.errors import Unavailable
from gateway.telemetry.metrics import Metrics

Authenticate = Callable[[str], Awaitable[Caller]]


class MetricsPage:
    """Answers a scrape."""

    def __init__(self, metrics: Metrics, settings: Settings, authenticate: Authenticate) -> None:
        self._metrics = metrics
        self._is_open = settings.metrics == "open"
        self._token = settings.metrics_token.get_secret_value() if settings.metrics_token is not None else None
        self._authenticate = authenticate

    async def answer(self, request: Request) -> Response:
        """All metrics, or 401 for whoever may not see them."""
        try:
            may_see = self._is_open or await self._may_see(request.headers.get("authorization"))
        except Unavailable:
            return PlainTextResponse(
                "Admin keys cannot be checked now, because the database is away; SWITCHGEAR_METRICS_TOKEN can.\n",
                503,
                {"Retry-After": "1"},
            )
        if not may_see:
            return PlainTextResponse(
                "Metrics need SWITCHGEAR_METRICS_TOKEN or an admin key as a bearer token.\n",
                401,
                {"WWW-Authenticate": "Bearer"},
            )
        content, media_type = self._metrics.page(request.headers.get("accept", ""))
        return Response(content, media_type=media_type, headers={"Cache-Control": "no-store"})

    async def _may_see(self, authorization: str | None) -> bool:
        try:
            token = bearer(authorization)
            if self._token is not None and hmac.compare_digest(token.encode(), self._token.encode()):
                return True
            return (await self._authenticate(token)).key.kind is TokenKind.ADMIN
        except TokenRefused:
            return False
