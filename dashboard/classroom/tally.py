"""What a class said of one step: counts, marks as a map, how many were right."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from PIL import Image
from scipy import ndimage

from dashboard.classroom.exhibit import METRICS, Exhibit, ScoredRow, jpeg
from dashboard.classroom.rooms import Reply
from dashboard.shared import display
from evaluation.scores import score_map
from xai_methods.display import scale_of

SPREAD = 0.025
"""Standard deviation of a point on the class's map, as a share of the film's longer side."""
OPACITY = 0.75
_REMEMBERED = 16
_once = threading.Lock()
"""Forty pages want the same picture in the same moment: one makes it, the others wait for that."""


def counts(replies: Iterable[Reply], choices: int) -> list[int]:
    """How often each choice was taken."""
    taken = [reply.choice for reply in replies]
    return [taken.count(place) for place in range(choices)]


def is_right(reply: Reply, exhibit: Exhibit) -> bool | None:
    """Whether a reply is right: a right choice, or a mark whose middle lies in the target; None where nothing is."""
    if reply.mark is not None and exhibit.target is not None:
        row, column = _pixel(reply.mark, exhibit.target.shape)
        return bool(exhibit.target[row, column])
    if reply.choice is not None and exhibit.right:
        return reply.choice in exhibit.right
    return None


def share_right(replies: Iterable[Reply], exhibit: Exhibit) -> tuple[int, int]:
    """How many replies are right, and of how many that can be judged."""
    judged = [right for reply in replies if (right := is_right(reply, exhibit)) is not None]
    return sum(judged), len(judged)


def class_map(replies: Iterable[Reply], shape: tuple[int, int]) -> np.ndarray:
    """What everybody marked, as a map (H, W) float32: each mark weighs as much, a point is spread a little."""
    drawn = np.zeros(shape, dtype=np.float32)
    points = np.zeros(shape, dtype=np.float32)
    for mark in (reply.mark for reply in replies if reply.mark is not None):
        top, left = int(mark[1] * shape[0]), int(mark[0] * shape[1])
        bottom, right = int(np.ceil(mark[3] * shape[0])), int(np.ceil(mark[2] * shape[1]))
        if min(bottom - top, right - left) <= 2:
            points[_pixel(mark, shape)] += 1
        else:
            drawn[top:bottom, left:right] += 1 / ((bottom - top) * (right - left))
    return drawn + ndimage.gaussian_filter(points, SPREAD * max(shape), mode="constant")


def scored(replies: tuple[Reply, ...], exhibit: Exhibit) -> tuple[ScoredRow, ...]:
    """The class's map beside the methods' and chance, scored alike; nothing where there is no outline."""
    with _once:
        return _scored(replies, exhibit)


@lru_cache(maxsize=_REMEMBERED)
def _scored(replies: tuple[Reply, ...], exhibit: Exhibit) -> tuple[ScoredRow, ...]:
    if exhibit.target is None or not exhibit.scores:
        return exhibit.scores
    values = class_map(replies, exhibit.target.shape)
    if not values.any():
        return exhibit.scores
    found = score_map(values, exhibit.target, names=tuple(METRICS))
    return ScoredRow("The class", {name: score.value for name, score in found.items()}), *exhibit.scores


def heat_picture(replies: tuple[Reply, ...], exhibit: Exhibit, outline: bool = False) -> bytes:
    """Everybody's marks over the film, as JPEG; with the target's outline where that is wanted.

    Raises:
        ValueError: the exhibit has no film that is marked.
    """
    with _once:
        return _heat_picture(replies, exhibit, outline)


@lru_cache(maxsize=_REMEMBERED)
def _heat_picture(replies: tuple[Reply, ...], exhibit: Exhibit, outline: bool) -> bytes:
    if exhibit.film is None:
        raise ValueError("nothing is marked on this step")
    film = np.asarray(Image.open(io.BytesIO(exhibit.film)).convert("RGB"))
    values = class_map(replies, (film.shape[0], film.shape[1]))
    scale = scale_of(values, "positive")
    drawn = film if scale is None else display.overlaid(film, values, scale, OPACITY)
    return jpeg(display.outlined(drawn, exhibit.target) if outline and exhibit.target is not None else drawn)


def _pixel(mark: tuple[float, float, float, float], shape: tuple[int, ...]) -> tuple[int, int]:
    """Row and column of a mark's middle."""
    row, column = (mark[1] + mark[3]) / 2 * shape[0], (mark[0] + mark[2]) / 2 * shape[1]
    return min(int(row), shape[0] - 1), min(int(column), shape[1] - 1)
