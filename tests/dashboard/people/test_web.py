"""Every answer bears the headers; a page gives a browser its name, once."""

from __future__ import annotations

import asyncio
import re

import pytest

from dashboard.people.web import HEADERS, WebHeaders


def answered(cookie: bytes = b"", kind: bytes = b"text/html; charset=utf-8", scheme: str = "http") -> list:
    async def app(scope, receive, send):
        given = [(b"content-type", kind), (b"X-Frame-Options", b"ALLOWALL")]
        await send({"type": "http.response.start", "status": 200, "headers": given})

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "scheme": scheme, "headers": [(b"cookie", cookie)] if cookie else []}
    asyncio.run(WebHeaders(app)(scope, None, send))
    return [(key.decode().lower(), value.decode()) for key, value in sent[0]["headers"]]


def test_every_answer_bears_each_header_once():
    given = answered(kind=b"image/png")
    for name, value in HEADERS.items():
        assert [found for key, found in given if key == name] == [value]
    assert "set-cookie" not in dict(given)


@pytest.mark.parametrize("cookie", [b"", b"a=b", b"lightbox_person=short", b"x_lightbox_person=" + b"0" * 32])
def test_a_browser_without_a_name_gets_one(cookie):
    first, second = (dict(answered(cookie))["set-cookie"] for _ in range(2))
    assert re.fullmatch(r"lightbox_person=[0-9a-f]{32}; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax", first)
    assert first != second
    assert dict(answered(cookie, scheme="https"))["set-cookie"].endswith("; Secure")


def test_a_browser_with_a_name_stays_who_it_is():
    assert "set-cookie" not in dict(answered(b"a=b; lightbox_person=" + b"0" * 32))
