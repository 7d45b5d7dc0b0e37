"""What every answer of the server carries: a browser's random name, and the headers that bound what a page may do."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from dashboard.people.identity import COOKIE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

YEAR = 365 * 24 * 3600
# Streamlit's page needs inline styles and scripts, evaluates chart specifications, and makes workers of its own text.
CONTENT = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class WebHeaders:
    """ASGI middleware: adds :data:`HEADERS` to every answer, and to a page the browser's name where it has none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        cookies = b"; ".join(value for key, value in scope["headers"] if key == b"cookie").decode("latin-1")
        named = re.search(rf"(?:^|;\s*){COOKIE}=[0-9a-f]{{32}}(?:;|$)", cookies) is not None

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    pair for pair in message.get("headers", []) if pair[0].decode("latin-1").lower() not in HEADERS
                ]
                headers += [(key.encode(), value.encode()) for key, value in HEADERS.items()]
                if not named and _is_page(headers):
                    headers.append((b"set-cookie", _cookie(scope["scheme"] == "https").encode()))
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, answer)


def _is_page(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(key.lower() == b"content-type" and value.startswith(b"text/html") for key, value in headers)


def _cookie(encrypted: bool) -> str:
    secure = "; Secure" if encrypted else ""
    return f"{COOKIE}={secrets.token_hex(16)}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}"
