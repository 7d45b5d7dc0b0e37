"""How good the picture of a film is: grey levels, contrast, clipping, sharpness, noise and traces of JPEG compression.

A network answers a poor picture as it answers a good one. The limits lie between what real films show and what spoils
a network's answer; ``python -m classifiers.training.measure_picture_quality`` says how well they part the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from radiographs.radiograph import Note

CODES = ("few-pixels", "few-grey-levels", "dark", "low-contrast", "clipped", "compressed", "unsharp", "noisy")
"""What can be doubted of a picture."""
LEAST_SIDE, LEAST_LEVELS, LEAST_MEDIAN, LEAST_CONTRAST, LEAST_SHARPNESS = 100, 24, 0.18, 0.2, -1.6
MOST_BLOCKING, MOST_NOISE = 2.5, -0.55
MOST_WHITE, MOST_BLACK = 0.08, 0.25
"""Limits of the figures of a ``PictureQuality``; collimation makes black borders, so more may be black than white."""
_SEEN = 256
_SHAPE, _DETAIL, _FINEST = (0.02, 0.1), (0.1, 0.25), (0.25, 0.5)
_BLOCK = 8
_LARGEST = 2048


@dataclass(frozen=True)
class PictureQuality:
    """Figures of one picture.

    Attributes:
        side: pixels of the shorter side. levels: grey levels that hold 99 % of the pixels.
        median: grey of the middle, 0 black, 1 white. contrast: distance of its 1st and 99th percentile.
        white, black: shares of the middle that have the picture's brightest and darkest grey.
        blocking: steps between blocks of 8 pixels over steps within them, 1 where there are none (Wang, Sheikh and
            Bovik 2002, doi 10.1109/ICIP.2002.1038064), of the grid that shows most.
        sharpness: power of detail (4 to 10 pixels a cycle, of 256 across the film) over that of shapes (10 to 50), in
            decades. noise: the same of the finest (2 to 4 pixels).
    """

    side: int
    levels: int
    median: float
    contrast: float
    white: float
    black: float
    blocking: float
    sharpness: float
    noise: float

    @property
    def doubts(self) -> tuple[Note, ...]:
        """What is wrong with the picture, in words; empty where nothing is."""
        levels = "1 grey level" if self.levels == 1 else f"{self.levels} grey levels"
        share, end = (self.white, "white") if self.white > MOST_WHITE else (self.black, "black")
        found = {
            "few-pixels": (
                self.side < LEAST_SIDE,
                f"The film is {self.side} pixels across: too few for fine detail.",
            ),
            "few-grey-levels": (
                self.levels < LEAST_LEVELS,
                f"Nearly all of the film is made of {levels}: finer shades were lost.",
            ),
            "dark": (
                self.median < LEAST_MEDIAN,
                f"The film is very dark: half of its middle is darker than {self.median:.0%} of white.",
            ),
            "low-contrast": (
                self.contrast < LEAST_CONTRAST,
                f"The film has little contrast: its greys fill {self.contrast:.0%} of the range from black to white.",
            ),
            "clipped": (
                self.levels >= LEAST_LEVELS and (self.white > MOST_WHITE or self.black > MOST_BLACK),
                f"{share:.0%} of the middle of the film is pure {end}: details there were clipped.",
            ),
            "compressed": (
                self.blocking > MOST_BLOCKING,
                "The film was compressed so much (JPEG) that its blocks show.",
            ),
            "unsharp": (
                self.sharpness < LEAST_SHARPNESS and self.side >= LEAST_SIDE,
                "The film is unsharp: it is blurred, or was enlarged from a smaller picture.",
            ),
            "noisy": (
                self.noise > MOST_NOISE and self.levels >= LEAST_LEVELS,
                "The film is very noisy: fine detail is lost in the noise.",
            ),
        }
        return tuple(Note(code, words, True) for code, (is_so, words) in found.items() if is_so)


def measure_quality(pixels: np.ndarray) -> PictureQuality:
    """Figures of a film's pixels.

    Args:
        pixels: (H, W) float32 in [0, 1].
    """
    height, width = pixels.shape
    greys = np.rint(pixels * 65535).astype(np.uint16)
    counts = np.bincount(greys.ravel(), minlength=65536)
    middle = greys[height // 8 : height - height // 8, width // 8 : width - width // 8]
    share = np.bincount(middle.ravel(), minlength=65536) / middle.size
    low, median, high = np.searchsorted(share.cumsum(), [0.01, 0.5, 0.99])
    detail, finest = _spectrum(pixels)
    return PictureQuality(
        side=min(height, width),
        levels=int(np.searchsorted(np.sort(counts)[::-1].cumsum(), 0.99 * pixels.size) + 1),
        median=float(median) / 65535,
        contrast=float(high - low) / 65535,
        white=float(share[greys.max()]),
        black=float(share[greys.min()]),
        blocking=_blocking(pixels),
        sharpness=detail,
        noise=finest,
    )


def _spectrum(pixels: np.ndarray) -> tuple[float, float]:
    """Power of detail and of the finest detail over that of shapes, in decades, in the middle square of the film."""
    height, width = pixels.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = torch.tensor(pixels[top : top + side, left : left + side])[None, None]
    seen = F.interpolate(square, (_SEEN, _SEEN), mode="bilinear", antialias=True, align_corners=False)[0, 0].numpy()
    window = np.hanning(_SEEN)
    power = np.abs(np.fft.fft2((seen - seen.mean()) * np.outer(window, window))) ** 2
    frequency = np.fft.fftfreq(_SEEN)
    radius = np.hypot(frequency[:, None], frequency)
    shape, detail, finest = (
        float(power[(radius >= low) & (radius < high)].sum()) + 1e-12 for low, high in (_SHAPE, _DETAIL, _FINEST)
    )
    return float(np.log10(detail / shape)), float(np.log10(finest / shape))


def _blocking(pixels: np.ndarray) -> float:
    """How much larger steps are from one block of 8 pixels to the next, on the grid on which that is most."""
    part = pixels[:_LARGEST, :_LARGEST]
    if min(part.shape) < 4 * _BLOCK:
        return 1.0
    steps = np.zeros((2, _BLOCK))
    for axis in (0, 1):
        profile = np.abs(np.diff(part, axis=axis)).mean(axis=1 - axis)
        steps[axis] = [profile[offset::_BLOCK].mean() for offset in range(_BLOCK)]
    within = (steps.sum(1, keepdims=True) - steps) / (_BLOCK - 1)
    return float((steps / np.maximum(within, 1e-6)).max(1).min())
