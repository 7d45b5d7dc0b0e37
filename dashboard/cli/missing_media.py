"""Pictures and downloads that Streamlit forgets for a moment while another person's page is drawn."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

RETRY_SECONDS = 10.0
"""Seconds in which a page that is being drawn has come to each of its media files again."""
_PAUSE = 0.2


class RetryMissingMedia:
    """ASGI middleware: asks again for a media file that is not there.

    When a page begins to be drawn again, Streamlit takes its media files for unused until the page has come to them,
    and each time that anybody's page is done it deletes all unused ones. A browser that asks just then is told 404 and
    does not ask again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or "/media/" not in scope["path"]:
            await self.app(scope, receive, send)
            return
        until = time.monotonic() + RETRY_SECONDS
        while not await self._answered(scope, receive, send, last=time.monotonic() >= until):
            await asyncio.sleep(_PAUSE)

    async def _answered(self, scope: Scope, receive: Receive, send: Send, last: bool) -> bool:
        """Pass one answer on, unless it is "not found" and not the last; return whether it was."""
        missing = False

        async def answer(message: Message) -> None:
            nonlocal missing
            if message["type"] == "http.response.start":
                missing = message["status"] == 404 and not last
            if not missing:
                await send(message)

        await self.app(scope, receive, answer)
        return not missing
