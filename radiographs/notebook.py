"""What a notebook shows of the nouns: a picture beside facts, as HTML in which nothing from a file is markup."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from radiographs.plain_text import neutral

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from radiographs.annotation import Annotation

COLOURS = ("#00c8ff", "#ffb000", "#7ee081", "#ff6fae")
"""Of outlines, in turn; told apart from each other and from greys."""
_PICTURE_SIDE = 240


def facts_html(title: str, facts: Mapping[str, object], picture: bytes = b"", remarks: Sequence[str] = ()) -> str:
    """A heading, a table of facts, remarks in bold, and a PNG picture before them; "" and None are left out."""
    shown = {name: value for name, value in facts.items() if value not in ("", None)}
    rows = "".join(f"<tr><th>{_plain(name)}</th><td>{_plain(value)}</td></tr>" for name, value in shown.items())
    bold = "".join(f"<p><b>{_plain(words)}</b></p>" for words in remarks if words)
    image = ""
    if picture:
        source = base64.b64encode(picture).decode()
        image = f'<img alt="" style="max-width:{_PICTURE_SIDE}px" src="data:image/png;base64,{source}">'
    words = f"<div><b>{_plain(title)}</b><table>{rows}</table>{bold}</div>"
    return f'<div style="display:flex;gap:1em;align-items:flex-start">{image}{words}</div>'


def _plain(value: object) -> str:
    return escape(words_of(f"{value:.4g}" if isinstance(value, float) else value))


def words_of(value: object) -> str:
    """A value as one line of text of which neither HTML, Markdown nor a formula is made once it is escaped."""
    return " ".join(neutral(str(value)).split())


def frame_html(frame: pd.DataFrame, title: str = "") -> str:
    """A table as HTML after a heading; numbers with three digits, undefined ones as a dash."""
    heading = f"<b>{_plain(title)}</b>" if title else ""
    return heading + frame.to_html(escape=True, float_format=lambda value: f"{value:.3g}", na_rep="–", border=0)


def thumbnail(pixels: np.ndarray) -> bytes:
    """(H, W) greys in [0, 1] as a small PNG."""
    from PIL import Image

    image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    image.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def axes_or_new(axes: Axes | None, size: tuple[float, float] = (4.5, 4.5)) -> Axes:
    """The axes that were given, else those of a new figure of ``size`` inches."""
    if axes is not None:
        return axes
    from matplotlib import pyplot

    return pyplot.subplots(figsize=size, layout="constrained")[1]


def draw_film(axes: Axes, pixels: np.ndarray, annotations: Sequence[Annotation] = ()) -> None:
    """Draw (H, W) greys in [0, 1], black 0, with outlines in colours of their own and a legend that names them."""
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    for place, one in enumerate(annotations):
        colour = COLOURS[place % len(COLOURS)]
        if one.mask.any() and not one.mask.all():
            axes.contour(one.mask, levels=[0.5], colors=[colour], linewidths=1.5)
        axes.plot([], [], color=colour, label=words_of(f"{one.finding} ({one.reader})"))
    if annotations:
        axes.legend(loc="lower left", fontsize=7)
    axes.set_axis_off()


def one_row(facts: Mapping[str, Any]) -> pd.DataFrame:
    """A table of one row."""
    import pandas as pd

    return pd.DataFrame([dict(facts)])
