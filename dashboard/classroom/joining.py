"""How a class comes in: the link and its QR code."""

from __future__ import annotations

import io
import socket
from functools import lru_cache
from urllib.parse import quote, urlsplit, urlunsplit

import segno
import streamlit as st

from dashboard.people.identity import LOCAL

ROOM = "room"
"""Key of the address: the code of a room."""


def link_to(code: str, page: str, listens_at: str) -> tuple[str, str]:
    """The link by which students join, and a warning where their devices cannot reach it.

    Args:
        code: of the room. page: address of the page that the teacher sees. listens_at: the server's own address.
    """
    parts = urlsplit(page)
    host = parts.hostname or ""
    warning = ""
    if host in LOCAL and listens_at not in LOCAL:
        host = own_address() or host
    if host in LOCAL:
        warning = (
            "This server is reached from this computer only, so no other device can join. Start it with "
            "lightbox run-dashboard --address 0.0.0.0 --open-to-network, or behind sign-in (docs/deployment.md)."
        )
    shown = f"[{host}]" if ":" in host else host
    place = f"{shown}:{parts.port}" if parts.port else shown
    folder = parts.path.rsplit("/", 1)[0]
    return urlunsplit((parts.scheme or "http", place, f"{folder}/class", f"{ROOM}={quote(code)}", "")), warning


def own_address() -> str:
    """Address of this computer in its network; "" where it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


@lru_cache(maxsize=16)
def qr_png(link: str) -> bytes:
    """The link as a QR code: black on white, with its quiet zone."""
    buffer = io.BytesIO()
    segno.make(link, error="m").save(buffer, kind="png", scale=10, border=4)
    return buffer.getvalue()


def draw_way_in(code: str) -> None:
    """Draw the code, the link and the QR code."""
    link, warning = link_to(code, str(st.context.url or ""), str(st.get_option("server.address") or ""))
    st.markdown(f"Open **{urlsplit(link).netloc}/class** and type the code")
    st.markdown(f"## {code[:3]} {code[3:]}")
    st.image(qr_png(link), width=320, alt=f"QR code of {link}")
    if warning:
        st.warning(warning, icon=":material/wifi_off:")
