"""GraphQL over server-sent events: each operation is a stream of its own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from starlette.responses import StreamingResponse

from gateway.serving.auth import TokenRefused
from gateway.serving.sharing import BrokenOff, Encoded

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE_SECONDS = 12.0
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


def event_stream(
    results: AsyncGenerator[Encoded, None], keep_alive_seconds: float = KEEP_ALIVE_SECONDS
) -> StreamingResponse:
    """The answer that sends results as they come, and a comment where nothing comes for a while."""
    return StreamingResponse(_events(results, keep_alive_seconds), headers=_HEADERS, media_type=MEDIA_TYPE)


async def _events(results: AsyncGenerator[Encoded, None], keep_alive_seconds: float) -> AsyncIterator[bytes]:
    following = asyncio.ensure_future(anext(results, None))
    try:
        while True:
            done, _ = await asyncio.wait({following}, timeout=keep_alive_seconds)
            if not done:
                yield b":\n\n"
                continue
            try:
                encoded = following.result()
            except (BrokenOff, TokenRefused):
                return  # without `complete`: the client comes again and goes on with `after`
            if encoded is None:
                yield b"event: complete\ndata:\n\n"
                return
            payload = b'{"errors":%b}' % encoded.payload if encoded.is_refused else encoded.payload
            yield b"event: next\ndata: %b\n\n" % payload
            following = asyncio.ensure_future(anext(results, None))
    finally:
        following.cancel()
        await asyncio.wait({following})
        await results.aclose()
