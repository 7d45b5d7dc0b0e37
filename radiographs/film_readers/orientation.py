"""How a film lay in its file, and how it is turned and stretched to the way in which one hangs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

Shape = tuple[int, int]

_OPPOSITE = {"L": "R", "R": "L", "H": "F", "F": "H", "A": "P", "P": "A"}


@dataclass(frozen=True)
class Turn:
    """A turn by right angles, mirrored or not: first transposed, then turned upside down, then mirrored.

    Attributes:
        transposed: rows become columns. upside_down: the last row becomes the first.
        mirrored: the last column becomes the first.
    """

    transposed: bool = False
    upside_down: bool = False
    mirrored: bool = False

    def __bool__(self) -> bool:
        return self.transposed or self.upside_down or self.mirrored

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Turn an array (H, W): a view."""
        turned = array.T if self.transposed else array
        turned = turned[::-1] if self.upside_down else turned
        return turned[:, ::-1] if self.mirrored else turned

    def undo(self, array: np.ndarray) -> np.ndarray:
        """Turn an array back: a view."""
        back = array[:, ::-1] if self.mirrored else array
        back = back[::-1] if self.upside_down else back
        return back.T if self.transposed else back

    def shape(self, shape: Shape) -> Shape:
        """(H, W) after the turn."""
        return (shape[1], shape[0]) if self.transposed else shape

    def then(self, later: Turn) -> Turn:
        """Both turns, one after the other, as one."""
        upside_down, mirrored = self.upside_down, self.mirrored
        if later.transposed:
            upside_down, mirrored = mirrored, upside_down
        return Turn(self.transposed != later.transposed, upside_down != later.upside_down, mirrored != later.mirrored)

    @property
    def words(self) -> str:
        """What was done, in words that go on from "the film was"."""
        said = {
            (False, False, True): "mirrored left to right",
            (False, True, False): "mirrored top to bottom",
            (False, True, True): "turned by 180 degrees",
            (True, False, False): "mirrored along its diagonal",
            (True, False, True): "turned clockwise by 90 degrees",
            (True, True, False): "turned anticlockwise by 90 degrees",
            (True, True, True): "mirrored along its other diagonal",
        }
        return said.get((self.transposed, self.upside_down, self.mirrored), "left as it lay")


@dataclass(frozen=True)
class StoredFrame:
    """The frame of a film's file, where it is not the film's own.

    Attributes:
        shape: (H, W) of the stored picture.
        turn: from the stored picture to the film.
        shown_turned: True where every program shows the file turned (EXIF), so that outlines are drawn on the
            turned picture.
    """

    shape: Shape
    turn: Turn = Turn()
    shown_turned: bool = False

    def to_film(self, mask: np.ndarray, shape: Shape) -> np.ndarray:
        """Carry a mask (H, W) bool, drawn on the stored picture in any size, into the film of ``shape``."""
        return resample_mask(self.turn.apply(mask), shape)

    def to_stored(self, mask: np.ndarray) -> np.ndarray:
        """Carry a mask (H, W) bool of the film into the stored picture."""
        return resample_mask(self.turn.undo(mask), self.shape)

    def values_to_stored(self, values: np.ndarray) -> np.ndarray:
        """Carry values (H, W) float of the film into the stored picture."""
        back = self.turn.undo(values)
        return np.array(back) if back.shape == self.shape else resample_pixels(back, self.shape)


def turn_to_usual(row: str, column: str, lateral: bool) -> Turn | None:
    """The turn that brings a film to the way in which one hangs it.

    Args:
        row, column: the first letter of where rows and columns run to on the patient: L, R, H, F, A or P.
        lateral: whether the film is seen from the side; such films are brought upright and never mirrored.

    Returns:
        The turn after which columns run to the feet and, on a frontal film, rows run to the patient's left; None
        where the letters name no plane that a chest film lies in.
    """
    upright, sideways = set("HF"), set("AP" if lateral else "LR")
    transposed = row in upright and column in sideways
    if transposed:
        row, column = column, row
    if row not in sideways or column not in upright:
        return None
    # A picture turned over along its diagonal would show a lateral film mirrored: it is mirrored back.
    upside_down = column == "H"
    mirrored = (transposed != upside_down) if lateral else row == "R"
    return Turn(transposed, upside_down, mirrored)


def patient_orientation(turn: Turn, row: str, column: str) -> tuple[str, str]:
    """Where the rows and columns of a turned picture run to, from where those of the stored one did."""
    if turn.transposed:
        row, column = column, row
    return (_OPPOSITE.get(row, row) if turn.mirrored else row), (
        _OPPOSITE.get(column, column) if turn.upside_down else column
    )


def square_shape(shape: Shape, spacing: tuple[float, float], most: int) -> Shape:
    """(H, W) of a picture in which pixels are square, the finer spacing kept; no side is longer than ``most``.

    Args:
        shape: (H, W) now. spacing: distance between rows and between columns, in any unit.
    """
    finest = min(spacing)
    height, width = shape[0] * spacing[0] / finest, shape[1] * spacing[1] / finest
    shrink = min(1.0, most / max(height, width))
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def resample_pixels(pixels: np.ndarray, shape: Shape) -> np.ndarray:
    """Carry grey values (H, W) float to another size, linearly between pixel centres (averaged where it shrinks)."""
    image = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def resample_mask(mask: np.ndarray, shape: Shape) -> np.ndarray:
    """Carry a mask (H, W) bool to another size: a pixel is inside when its centre falls on an inside pixel.

    Where that would lose the whole outline, the pixels that hold the centres of its pixels are inside.
    """
    if mask.shape == shape:
        return mask
    rows = (np.arange(shape[0]) + 0.5) * mask.shape[0] / shape[0]
    columns = (np.arange(shape[1]) + 0.5) * mask.shape[1] / shape[1]
    taken = mask[rows.astype(int)[:, None], columns.astype(int)[None, :]]
    if not taken.any():
        down, right = np.nonzero(mask)
        down = ((down + 0.5) * shape[0] / mask.shape[0]).astype(int)
        right = ((right + 0.5) * shape[1] / mask.shape[1]).astype(int)
        taken[down, right] = True
    return taken
