"""The viewer as a component of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from streamlit import runtime

from dashboard.shared.display import View
from dashboard.viewer.pictures import MapPicture, colours

HERE = Path(__file__).resolve().parent
HTML = '<div class="mount"></div>'


@dataclass(frozen=True, eq=False)
class PanelGiven:
    """One panel as the page gives it.

    Attributes:
        id: what tells it from the others. title: its heading. help: what the method asks, in a sentence.
        alt: the map in words. note: the line under it. picture: its map, None for the bare film or before it is done.
        state: of its work. share: of the work done, 0 to 1. words: what stands over the film instead of colours.
    """

    id: str
    title: str
    alt: str
    help: str = ""
    note: str = ""
    picture: MapPicture | None = None
    state: Literal["done", "queued", "running", "failed", "cancelled", "none"] = "done"
    share: float = 0.0
    words: str = ""


@lru_cache(maxsize=1)
def script() -> str:
    """The viewer's JavaScript: its files, one after the other, as one module."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((HERE / "js").glob("*.js")))


_component = st.components.v2.component(
    "lightbox_viewer", html=HTML, css=(HERE / "viewer.css").read_text(encoding="utf-8"), js=script()
)


def _address(data: bytes, coordinates: str) -> str:
    return runtime.get_instance().media_file_mgr.add(data, "image/png", coordinates)


def mount(
    key: str,
    film_id: str,
    film: bytes,
    windows: Mapping[str, tuple[float, float]],
    panels: Sequence[PanelGiven],
    *,
    view: View,
    outlines: Sequence[tuple[str, bytes]] = (),
    width_mm: float | None = None,
    controls: bool = True,
) -> tuple[View, dict[str, Any] | None]:
    """Draw the viewer.

    Args:
        key: tells viewers of a page apart. film_id: the film's digest; viewers of the same film move together.
        film: PNG of :func:`dashboard.viewer.film_png`. windows: presets, of :func:`dashboard.viewer.windows`.
        panels: what hangs side by side. view: how maps are drawn at first.
        outlines: label and PNG (:func:`dashboard.viewer.mask_png`) of each outline.
        width_mm: the film's width in millimetres, where known. controls: whether the toolbar is shown.

    Returns:
        How maps are drawn now, and the region that a person has just drawn (``kind`` and ``png``), else None.
    """
    data = {
        "film": {"id": film_id, "url": _address(film, f"{key} film"), "width_mm": width_mm},
        "windows": {name: list(ends) for name, ends in windows.items()},
        "outlines": [
            {"label": label, "url": _address(png, f"{key} outline {place}")}
            for place, (label, png) in enumerate(outlines)
        ],
        "panels": [_panel(key, panel) for panel in panels],
        "look": asdict(view),
        "colours": colours(),
        "controls": controls,
    }
    given = _component(key=key, data=data, on_look_change=_nothing, on_region_change=_nothing)
    return seen(given.get("look"), view), given.get("region")


def seen(look: Any, usual: View) -> View:
    """The view that the browser told of, or ``usual`` where it told nothing that makes sense."""
    if not isinstance(look, dict):
        return usual
    try:
        return View.checked(look)
    except (KeyError, TypeError, ValueError):
        return usual


def _nothing() -> None:
    """A component tells of a change only where somebody listens."""


def _panel(key: str, panel: PanelGiven) -> dict[str, Any]:
    told = {name: getattr(panel, name) for name in ("id", "title", "alt", "help", "note", "state", "share", "words")}
    picture = panel.picture
    if picture is None:
        return told | {"map": None}
    url = _address(picture.png, f"{key} {panel.id}")
    ends = {"low": picture.low, "high": picture.high, "top": picture.top, "signedTop": picture.signed_top}
    return told | {"map": {"url": url, **ends}}
