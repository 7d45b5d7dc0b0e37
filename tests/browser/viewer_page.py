"""The viewer alone, with a made film, three maps and two outlines: what the browser tests of the viewer look at."""

import numpy as np
import streamlit as st

from dashboard import viewer
from dashboard.shared.display import View
from radiographs import Radiograph

ROWS, COLUMNS = 480, 400
down, across = np.mgrid[:ROWS, :COLUMNS]
pixels = (np.clip(0.3 + 0.4 * np.sin(down / 60) * np.cos(across / 40), 0, 1) * 0.9).astype(np.float32)
pixels[40:60, 20:60] = 1  # a bright mark near the film's left upper corner
film = Radiograph(pixels, view="PA", pixel_spacing_mm=(0.8, 0.8) if "spacing" in st.query_params else None)


def disc(row: int, column: int, radius: int) -> np.ndarray:
    return (down - row) ** 2 + (across - column) ** 2 < radius**2


def panel(name: str, height: float, unit: str) -> viewer.PanelGiven:
    values = (height * np.exp(-((down - 200) ** 2 + (across - 120) ** 2) / 3000)).astype(np.float32)
    title = name.title()
    return viewer.PanelGiven(name, title, f"{title} map", picture=viewer.map_picture(values), unit=unit, note="0.1 s")


share = "share of the logit"
yours = "solid" if st.checkbox("Solid outlines") else "dashed"
panels = [
    viewer.PanelGiven("film", "Film", "The film", note=f"Green: nodule. Yellow, {yours}: yours."),
    panel("strong", 2.0, share),
    panel("weak", 0.5, share),
    panel("other", 9.0, "arbitrary"),
]
outlines = [
    viewer.OutlineGiven("Nodule (expert)", viewer.mask_png(disc(200, 120, 40))),
    viewer.OutlineGiven("Nodule (you)", viewer.mask_png(disc(300, 300, 40)), own=True),
]
told = viewer.mount(
    "viewer",
    film,
    viewer.film_png(film),
    viewer.windows(film),
    panels,
    view=View(),
    outlines=outlines,
    steps=True,
)
if told.region:
    st.session_state.setdefault("told", []).append(told.region["kind"])
    if "png" in told.region:
        from dashboard.viewer.pictures import region_mask

        st.session_state["area"] = int(region_mask(told.region["png"], film.shape).sum())
if told.step:
    st.session_state.setdefault("told", []).append(f"step {told.step}")
st.text(f"told: {' '.join(st.session_state.get('told', []))}; area: {st.session_state.get('area', 0)}")
st.html("<div style='height:1500px'></div>")
