"""The viewer alone, with one large film and five maps: what ``python -m benchmarks.viewer`` measures."""

import numpy as np

from dashboard import viewer
from dashboard.shared.display import View
from radiographs import Radiograph

SIDE, PANELS = 2048, 6

rng = np.random.default_rng(0)
down, across = np.mgrid[:SIDE, :SIDE] / SIDE
film = Radiograph(np.clip(0.5 + 0.3 * np.sin(9 * down) * np.cos(7 * across) + 0.05 * rng.random((SIDE, SIDE)), 0, 1))
panels = [viewer.PanelGiven("film", "Film", "The film")]
for number in range(PANELS - 1):
    values = np.exp(-((down - 0.3 - 0.1 * number) ** 2 + (across - 0.5) ** 2) * 20).astype(np.float32)
    panels.append(
        viewer.PanelGiven(f"map-{number}", f"Map {number}", f"Map {number}", picture=viewer.map_picture(values))
    )
outline = viewer.mask_png((down - 0.4) ** 2 + (across - 0.5) ** 2 < 0.02)
viewer.mount(
    "viewer",
    film,
    viewer.film_png(film),
    viewer.windows(film),
    panels,
    view=View(),
    outlines=[viewer.OutlineGiven("disc", outline)],
)
