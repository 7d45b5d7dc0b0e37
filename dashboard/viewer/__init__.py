"""The viewer: film and maps in linked panels, drawn in the browser; looking closer asks nothing of the server."""

from dashboard.viewer.component import OutlineGiven, PanelGiven, Seen, mount
from dashboard.viewer.pictures import MapPicture, film_png, map_picture, mask_png, windows

__all__ = [
    "MapPicture",
    "OutlineGiven",
    "PanelGiven",
    "Seen",
    "film_png",
    "map_picture",
    "mask_png",
    "mount",
    "windows",
]
