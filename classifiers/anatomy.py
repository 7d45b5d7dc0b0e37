"""Lungs, heart and body of a frontal film, outlined by the shipped network; unsure where it is not two lungs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import skimage.filters
import skimage.morphology
import torch
import torch.nn.functional as F
from scipy import ndimage

from classifiers.anatomy_network import STRUCTURES, AnatomyNetwork
from classifiers.preprocessing import Preprocessing
from classifiers.weights import load_into, read_shipped_card, read_state_dict, shipped_weights
from radiographs import Radiograph
from radiographs.places import asset

LUNG_SHARE = (0.03, 0.45)
"""Least and most share of the film that one lung covers."""
SIZE_RATIO = 0.4
"""Least area of the smaller lung, as a share of the larger."""
LEVEL = 0.6
"""Least share of the shorter lung's rows that the other reaches, too."""
SOLIDITY = 0.68
"""Least share of its convex hull that a lung fills: a little less than any of 1,122 lungs that people drew."""
CERTAINTY = {"lung": 0.9, "heart": 0.8}
"""Least Dice that the network expects of its own outline."""
HEART_SHARE = (0.1, 1.0)
"""Least and most area of the heart, as a share of that of both lungs."""
_GRID, _HULL_GRID = 256, 128
"""Longest sides in pixels at which the body is looked for, and convex hulls are drawn."""


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Where lungs, heart and body are on one film.

    Attributes:
        right_lung, left_lung: (H, W) bool in the film's own pixels, read-only; right and left are the patient's. Of the
            lung behind the heart more or less is included, as in the outlines it learned from.
        heart: (H, W) bool, the heart up to where the great vessels begin; empty where not found.
        body: (H, W) bool, everything but the dark border round the body (see :func:`find_body`).
        sure: whether the outlines are two lungs; where False, nothing may be measured on them.
        reason: why it is unsure of the lungs or has no heart, one sentence for people; "" where all is well.
        certainty: by structure, the Dice that the network expects of its outline, in [0, 1]; NaN where it is empty.
    """

    right_lung: np.ndarray
    left_lung: np.ndarray
    heart: np.ndarray
    body: np.ndarray
    sure: bool
    reason: str = ""
    certainty: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*STRUCTURES, "body"):
            mask = np.array(getattr(self, name), dtype=bool, order="C")
            mask.setflags(write=False)
            object.__setattr__(self, name, mask)

    @property
    def lungs(self) -> np.ndarray:
        """Both lungs: (H, W) bool."""
        return self.right_lung | self.left_lung

    @property
    def cardiothoracic_ratio(self) -> float:
        """Width of the heart over that of the chest, see :func:`cardiothoracic_ratio`; NaN where unsure."""
        return cardiothoracic_ratio(self.heart, self.lungs) if self.sure else math.nan


def cardiothoracic_ratio(heart: np.ndarray, lungs: np.ndarray) -> float:
    """Greatest width of the heart's mask over greatest width from lung edge to lung edge; both (H, W) bool.

    The outer edges of the lungs stand for the inner edges of the ribs (Danzer 1919, Am J Med Sci 157:513).
    Above 0.5 on a standing adult's posteroanterior film is usually called enlarged; other films need other limits.

    Returns:
        The ratio, NaN where a mask is empty.
    """
    if not heart.any() or not lungs.any():
        return math.nan
    across = [np.flatnonzero(mask.any(axis=0)) for mask in (heart, lungs)]
    width, chest = (int(columns[-1] - columns[0] + 1) for columns in across)
    return width / chest


def find_body(radiograph: Radiograph) -> np.ndarray:
    """The body and all it encloses: (H, W) bool.

    Outside is what is darker than half of Otsu's threshold and connected to the film's edge, and whatever bright
    islands (letters, clips) it surrounds. On a film that shows nothing but body, all is body.
    """
    factor = min(1.0, _GRID / max(radiograph.shape))
    grid = tuple(max(1, round(side * factor)) for side in radiograph.shape)
    small = F.interpolate(torch.tensor(radiograph.pixels)[None, None], grid, mode="area")[0, 0].numpy()
    level = skimage.filters.threshold_otsu(small) / 2 if small.min() < small.max() else 0.0
    framed = np.pad(small < level, 1, constant_values=True)
    air = ndimage.label(framed)[0][1:-1, 1:-1] == 1
    parts, count = ndimage.label(~air)
    if count > 1:
        parts = np.where(parts == np.argmax(np.bincount(parts.ravel())[1:]) + 1, 1, 0)
    body = ndimage.binary_fill_holes(parts > 0)
    large = F.interpolate(torch.from_numpy(body)[None, None].float(), radiograph.shape, mode="nearest-exact")
    return large[0, 0].numpy() > 0


def segment(radiograph: Radiograph) -> Anatomy:
    """Outline lungs, heart and body of a frontal film, on the CPU; the caller keeps the answer by the film's digest.

    Raises:
        WeightsError: the shipped weights are missing, damaged, or not those the card names.
    """
    return outline(radiograph, *shipped_network())


def outline(radiograph: Radiograph, network: AnatomyNetwork, preprocessing: Preprocessing) -> Anatomy:
    """Outline a film with a given network; of each structure the largest connected part is kept, its holes filled."""
    with torch.inference_mode():
        shares = network(preprocessing.prepare(radiograph))[0].sigmoid().numpy()
    shares[:2] = np.where(shares[:2] < shares[1::-1], np.minimum(shares[:2], 0.5), shares[:2])
    right, left, heart = (preprocessing.to_film(_cleaned(s), radiograph.shape) > 0.5 for s in shares)
    return assess(right, left, heart, find_body(radiograph), dict(zip(STRUCTURES, map(expected_dice, shares))))


def _cleaned(shares: np.ndarray) -> np.ndarray:
    """Probabilities (S, S) with all but the largest part above 0.5 brought below it, and its holes above it."""
    piece = _one_piece(shares > 0.5)
    shares = np.where(piece, np.maximum(shares, 0.501), shares)
    return np.where(piece, shares, np.minimum(shares, 0.499))


def _one_piece(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of (H, W) bool, its holes filled."""
    parts, count = ndimage.label(mask)
    if count > 1:
        mask = parts == np.argmax(np.bincount(parts.ravel())[1:]) + 1
    return ndimage.binary_fill_holes(mask) if count else mask


def expected_dice(shares: np.ndarray) -> float:
    """The Dice of the outline at 0.5 that probabilities (S, S) themselves promise: twice the mass inside over both.

    It is the truth's Dice in expectation, to first order, where the probabilities are calibrated; NaN where the outline
    is empty.
    """
    mask = shares > 0.5
    if not mask.any():
        return math.nan
    return float(2 * shares[mask].sum(dtype=np.float64) / (shares.sum(dtype=np.float64) + mask.sum()))


def assess(
    right_lung: np.ndarray, left_lung: np.ndarray, heart: np.ndarray, body: np.ndarray, certainty: dict[str, float]
) -> Anatomy:
    """Decide whether outlines (H, W) bool are two lungs and a heart, and say why where they are not."""
    doubt = _doubt_of_lungs(right_lung, left_lung, certainty)
    if doubt is None:
        body = body | right_lung | left_lung
        reason = _doubt_of_heart(heart, right_lung, left_lung, certainty)
        if reason is not None:
            heart = np.zeros_like(heart)
        return Anatomy(right_lung, left_lung, heart, body, True, reason or "", certainty)
    return Anatomy(right_lung, left_lung, heart, body, False, doubt, certainty)


def _doubt_of_lungs(right: np.ndarray, left: np.ndarray, certainty: dict[str, float]) -> str | None:
    """Why two masks are not the lungs of a frontal film, one sentence; None where they are."""
    named = {"right_lung": ("right", right), "left_lung": ("left", left)}
    least, most = LUNG_SHARE
    for side, mask in named.values():
        if mask.mean() < least:
            return f"No {side} lung was found: its outline covers less than {least:.0%} of the film."
        if mask.mean() > most:
            return f"The outline of the {side} lung covers more than {most:.0%} of the film."
    if min(right.sum(), left.sum()) < SIZE_RATIO * max(right.sum(), left.sum()):
        return f"One lung's outline has less than {SIZE_RATIO:.0%} of the other's area."
    tops = [np.flatnonzero(mask.any(axis=1)) for mask in (right, left)]
    both = min(rows[-1] for rows in tops) - max(rows[0] for rows in tops) + 1
    if both < LEVEL * min(rows[-1] - rows[0] + 1 for rows in tops):
        return "The outlines of the two lungs do not lie side by side."
    inner, outer = (float(np.nonzero(mask)[1].mean()) for mask in (right, left))
    if inner >= outer:
        return "The right lung's outline lies to the right of the left lung's; the film may be mirrored."
    for name, (side, mask) in named.items():
        if solidity(mask) < SOLIDITY:
            return f"The outline of the {side} lung is ragged: it fills less than {SOLIDITY:.0%} of its convex hull."
        if not certainty[name] >= CERTAINTY["lung"]:
            return f"The network is not certain of its outline of the {side} lung."
    return None


def solidity(mask: np.ndarray) -> float:
    """Share of its convex hull that a mask (H, W) bool fills, counted on every nth pixel of a large film."""
    step = math.ceil(max(mask.shape) / _HULL_GRID)
    small = mask[::step, ::step]
    return float(small.sum() / skimage.morphology.convex_hull_image(small).sum()) if small.any() else math.nan


def _doubt_of_heart(heart: np.ndarray, right: np.ndarray, left: np.ndarray, certainty: dict[str, float]) -> str | None:
    """Why a mask is not a heart between two lungs, one sentence; None where it is."""
    share = heart.sum() / (right.sum() + left.sum())
    if not HEART_SHARE[0] <= share <= HEART_SHARE[1]:
        return "No heart was found: its outline is empty, or too small or large for the lungs."
    middles = [float(np.nonzero(mask)[1].mean()) for mask in (right, heart, left)]
    if middles != sorted(middles):
        return "No heart was found: its outline does not lie between the lungs."
    if not certainty["heart"] >= CERTAINTY["heart"]:
        return "The network is not certain of its outline of the heart."
    return None


def anatomy_card(folder: Path | None = None) -> dict[str, Any]:
    """The shipped network's card: title, summary, films, limits, measured figures, input and sum of its weights.

    Raises:
        WeightsError: the card is missing or damaged.
    """
    return read_shipped_card((folder or asset("anatomy")) / "anatomy.json")


def load_anatomy_network(folder: Path | None = None) -> tuple[AnatomyNetwork, Preprocessing]:
    """Read the shipped network, in evaluation mode, and how films enter it.

    Raises:
        WeightsError: weights or card are missing or damaged, or the weights are not those the card names.
    """
    folder = folder or asset("anatomy")
    network_card = anatomy_card(folder)["network"]
    path = shipped_weights(folder, network_card)
    with torch.random.fork_rng(devices=[]):
        network = AnatomyNetwork()
    load_into(network, read_state_dict(path), path.name)
    network.eval().requires_grad_(False)
    return network, Preprocessing(network_card["side"], "pad", network_card["low"], network_card["high"])


@cache
def shipped_network() -> tuple[AnatomyNetwork, Preprocessing]:
    """The shipped network and its preprocessing, read once."""
    return load_anatomy_network()
