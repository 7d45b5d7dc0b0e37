"""What a step hangs up: pictures before and after the reveal, the right answer as it was measured, the scores."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

CANNOT_TELL = "I cannot tell"
METRICS = {
    "pointing_game": "Peak inside",
    "relevance_mass_accuracy": "Share inside",
    "area_matched_iou": "Overlap",
}
"""Metrics that a class sees, and what they are called there."""
PARTS = {"tell": 0, "point": 3}
"""Parts in which a step's answer is shown, by kind; two for all others: what the class said, then what is right."""


@dataclass(frozen=True)
class ClassPicture:
    """One picture: its title, JPEG, and a line below it."""

    title: str
    image: bytes
    words: str = ""


@dataclass(frozen=True)
class ScoredRow:
    """Who marked, and the values of :data:`METRICS`; NaN where undefined."""

    who: str
    values: dict[str, float]


@dataclass(frozen=True, eq=False)
class Exhibit:
    """What a step hangs up.

    Attributes:
        before: pictures while the question stands. after: pictures that each part of the answer adds, from the second.
        choices: what students choose from. right: places of the right choices; empty where no choice is right.
        film: JPEG of the film that is marked, None where nothing is. target: (H, W) bool, where marks are right.
        target_words: what the target is, such as "the outline by radiologist". scores: of maps, baselines and chance.
        words: what was measured, in a sentence or two. doubts: of the film under the model.
        subject: film, model and finding, for links and files.
    """

    before: tuple[ClassPicture, ...] = ()
    after: tuple[tuple[ClassPicture, ...], ...] = ()
    choices: tuple[str, ...] = ()
    right: frozenset[int] = frozenset()
    film: bytes | None = None
    target: np.ndarray | None = None
    target_words: str = ""
    scores: tuple[ScoredRow, ...] = ()
    words: str = ""
    doubts: tuple[str, ...] = ()
    subject: dict[str, str] = field(default_factory=dict)


def jpeg(pixels: np.ndarray) -> bytes:
    """(h, w, 3) uint8 as JPEG: forty phones fetch each picture in the same second."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def parts_of(kind: str) -> int:
    """In how many parts the answer of a step of this kind is shown."""
    return PARTS.get(kind, 2)
