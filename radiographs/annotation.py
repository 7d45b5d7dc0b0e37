"""What one reader outlined for one finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from radiographs.findings import is_named

Kind = Literal["box", "polygon", "mask"]


@dataclass(frozen=True, eq=False)
class Annotation:
    """What one reader outlined for one finding on one film.

    Attributes:
        finding: the name the collection uses ("Effusion", "Nodule", "left_lung" ...).
        mask: (H, W) bool in the film's own pixels, read-only.
        kind: how it was drawn: box, polygon or mask.
        reader: who drew it, as the collection credits them ("radiologist (NIH)", "planted" ...).
        exact: True only where the truth is known by construction.
    """

    finding: str
    mask: np.ndarray
    kind: Kind
    reader: str
    exact: bool = False

    def __post_init__(self) -> None:
        mask = np.array(self.mask, dtype=bool, order="C")
        if mask.ndim != 2:
            raise ValueError(f"an annotation's mask has two dimensions, got shape {mask.shape}")
        mask.setflags(write=False)
        object.__setattr__(self, "mask", mask)

    def __repr__(self) -> str:
        """One line: finding, reader, share of the film."""
        return f"Annotation({self.finding}, {self.kind} by {self.reader}, {self.mask.mean():.1%} of the film)"


def annotations_of(masks: Mapping[str, np.ndarray], reader: str = "given") -> list[Annotation]:
    """One annotation for each (H, W) bool mask, by the finding that it outlines."""
    return [Annotation(finding, mask, "mask", reader) for finding, mask in masks.items()]


def union_mask(annotations: list[Annotation], finding: str) -> np.ndarray | None:
    """Join all outlines of ``finding``, by any of its spellings: (H, W) bool, or None where nobody outlined it."""
    masks = [a.mask for a in annotations if is_named(finding, [a.finding])]
    if not masks:
        return None
    return np.logical_or.reduce(masks)
