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
from radiographs import Radiograph

HERE = Path(__file__).resolve().parent
HTML = '<div class="mount"></div>'
TOLD = ("id", "title", "alt", "help", "note", "state", "share", "words", "unit")
FRONTAL = ("PA", "AP")
"""Views in which the patient's right is on the film's left."""


@dataclass(frozen=True, eq=False)
class PanelGiven:
    """One panel as the page gives it.

    Attributes:
        id: what tells it from the others. title: its heading. help: what the method asks, in a sentence.
        alt: the map in words. note: the line under it. picture: its map, None for the bare film or before it is done.
        unit: of the map's values. state: of its work. share: of the work done, 0 to 1.
        words: what stands over the film instead of colours.
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
    unit: str = ""


@dataclass(frozen=True, eq=False)
class OutlineGiven:
    """An outline on all panels: what the read-out calls it, its PNG, and whether the person at the page drew it."""

    label: str
    png: bytes
    own: bool = False


@dataclass(frozen=True)
class Seen:
    """What the browser told.

    Attributes:
        view: how maps are drawn now.
        region: what was just drawn (``kind`` and ``png``, or a point's ``x`` and ``y``) or that the last region is to
            be undone or done again (``kind`` alone), else None. step: 1 or -1 to the next or last film, 0 to stay.
    """

    view: View
    region: dict[str, Any] | None = None
    step: int = 0


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
    radiograph: Radiograph,
    film: bytes,
    windows: Mapping[str, tuple[float, float]],
    panels: Sequence[PanelGiven],
    *,
    view: View,
    outlines: Sequence[OutlineGiven] = (),
    controls: bool = True,
    steps: bool = False,
    point: bool = False,
) -> Seen:
    """Draw the viewer.

    Args:
        key: tells viewers of a page apart. radiograph: the film; viewers of the same film move together.
        film: PNG of :func:`dashboard.viewer.film_png`. windows: presets, of :func:`dashboard.viewer.windows`.
        panels: what hangs side by side. view: how maps are drawn at first.
        outlines: what readers outlined. controls: whether the toolbar is shown.
        steps: whether there are films before and after this one to go to.
        point: whether there is a tool that points: its region has ``kind`` "point", ``x`` and ``y`` as shares.
    """
    spacing = radiograph.pixel_spacing_mm
    data = {
        "film": {
            "id": radiograph.digest,
            "url": _address(film, f"{key} film"),
            "shape": list(radiograph.shape),
            "spacing": list(spacing) if spacing else None,
            "sides": (radiograph.view or "PA") in FRONTAL,
        },
        "windows": {name: list(ends) for name, ends in windows.items()},
        "outlines": [
            {"label": outline.label, "own": outline.own, "url": _address(outline.png, f"{key} outline {place}")}
            for place, outline in enumerate(outlines)
        ],
        "panels": [_panel(key, panel) for panel in panels],
        "look": asdict(view),
        "colours": colours(),
        "controls": controls,
        "steps": steps,
        "point": point,
    }
    given = _component(key=key, data=data, on_look_change=_nothing, on_region_change=_nothing, on_step_change=_nothing)
    step = given.get("step")
    return Seen(seen(given.get("look"), view), given.get("region"), step if step in (-1, 1) else 0)


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
    told = {name: getattr(panel, name) for name in TOLD}
    picture = panel.picture
    if picture is None:
        return told | {"map": None}
    url = _address(picture.png, f"{key} {panel.id}")
    ends = {"low": picture.low, "high": picture.high, "top": picture.top, "signedTop": picture.signed_top}
    return told | {"map": {"url": url, **ends}}
