"""A media file that is missing for a moment is waited for; all else is answered as it is."""

from __future__ import annotations

import asyncio

import pytest

from dashboard.cli import missing_media


def statuses(path: str, missing: int) -> list[int]:
    """Status codes that a browser gets of a server that says 404 so many times first."""
    asked, sent = 0, []

    async def app(scope, receive, send):
        nonlocal asked
        asked += 1
        await send({"type": "http.response.start", "status": 404 if asked <= missing else 200, "headers": []})
        await send({"type": "http.response.body", "body": b"missing" if asked <= missing else b"film"})

    async def send(message):
        sent.append(message)

    asyncio.run(missing_media.RetryMissingMedia(app)({"type": "http", "path": path, "headers": []}, None, send))
    bodies = [message["body"] for message in sent if "body" in message]
    codes = [message["status"] for message in sent if "status" in message]
    assert bodies == [b"film" if codes == [200] else b"missing"]
    return codes


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_a_picture_that_comes_back_is_sent(missing, monkeypatch):
    monkeypatch.setattr(missing_media, "_PAUSE", 0.001)
    assert statuses("/media/abc.png", missing) == [200]


def test_a_picture_that_never_comes_is_not_found(monkeypatch):
    monkeypatch.setattr(missing_media, "_PAUSE", 0.001)
    monkeypatch.setattr(missing_media, "RETRY_SECONDS", 0.05)
    assert statuses("/media/abc.png", 10**9) == [404]


def test_other_addresses_are_not_waited_for():
    assert statuses("/_stcore/health", 1) == [404]
