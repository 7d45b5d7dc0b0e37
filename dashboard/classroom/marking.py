"""The film on which a student marks a place, as a component of the page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit import runtime

from dashboard.classroom.rooms import Reply

HERE = Path(__file__).resolve().parent
_component = st.components.v2.component(
    "lightbox_marking",
    html='<div class="mount"></div>',
    css=(HERE / "marking.css").read_text(encoding="utf-8"),
    js=(HERE / "marking.js").read_text(encoding="utf-8"),
)


def marked(key: str, film: bytes, alt: str, reply: Reply | None) -> Reply | None:
    """Draw the film with this student's mark; return what they marked just now, None where they did not.

    Args:
        key: tells films of a page apart. film: JPEG. alt: the film in words. reply: what they marked before.
    """
    url = runtime.get_instance().media_file_mgr.add(film, "image/jpeg", key) if runtime.exists() else ""
    mark = list(reply.mark) if reply is not None and reply.mark is not None else None
    given = _component(key=key, data={"url": url, "alt": alt, "mark": mark}, on_mark_change=_nothing)
    try:
        return Reply.checked({"mark": given.get("mark")})
    except ValueError:
        return None


def _nothing() -> None:
    """A component tells of a change only where somebody listens."""
