"""Changes that happen to real films: noise, blur, position, exposure, compression; applied in the film's own pixels."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from classifiers import Preprocessing
from evaluation.stability.linearity import TOLERANCE
from evaluation.stability.probe import Probe, to_greys
from evaluation.stability.sensitivity import Sensitivity
from radiographs import Radiograph

LONGEST = 1024
"""Long side, in pixels, to which larger films are averaged down before they are changed."""
Change = Callable[[np.ndarray, float, float, np.random.Generator], np.ndarray]
"""From a film (H, W) in [0, 1], a level, the film pixels of one input pixel, and a source of noise, to the film
changed."""


@dataclass(frozen=True)
class Perturbation:
    """One way in which a film may come out differently.

    Attributes:
        name, title: its name, and its name for people. meaning: one line in plain words; ``{}`` is the level.
        levels: mild, usual, strong. change: see :data:`Change`.
    """

    name: str
    title: str
    meaning: str
    levels: tuple[float, float, float]
    change: Change

    def at(self, level: int) -> str:
        """The meaning with a level filled in: 0 mild, 1 usual, 2 strong."""
        return self.meaning.format(abs(self.levels[level]))


@dataclass(frozen=True, eq=False)
class Perturbed:
    """What one perturbation at one level did.

    Attributes:
        name, title, words: of the perturbation; ``words`` say the level. level: 0 mild, 1 usual, 2 strong.
        size: root mean square of the film's change, in grey levels, on the input grid.
        predicted, true: (C,) change of the logits by the Jacobian, and by the model.
        flips: (C,) bool, whether the finding's call changed.
    """

    name: str
    title: str
    words: str
    level: int
    size: float
    predicted: np.ndarray
    true: np.ndarray
    flips: np.ndarray

    @property
    def error(self) -> float:
        """Relative error of the linear picture over all findings (L2); NaN where nothing was predicted to change."""
        size = float(np.linalg.norm(self.predicted))
        return float(np.linalg.norm(self.true - self.predicted)) / size if size > 0 else math.nan

    @property
    def holds(self) -> bool:
        """Whether the linear picture holds for this change."""
        return self.error <= TOLERANCE


def noise_level(pixels: np.ndarray) -> float:
    """Standard deviation of a film's own noise (Immerkær 1996, doi:10.1006/cviu.1996.0060), at least that of rounding
    to 8 bits.

    Args:
        pixels: (H, W) in [0, 1].
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
    answer = np.abs(ndimage.convolve(pixels.astype(np.float32), kernel, mode="nearest"))
    # The black around a film has no noise of its own.
    inside = answer[pixels > 0.02] if (pixels > 0.02).any() else answer
    return max(float(inside.mean()) * math.sqrt(math.pi / 2) / 6, 1 / (255 * math.sqrt(12)))


def _noise(pixels: np.ndarray, level: float, grain: float, rng: np.random.Generator) -> np.ndarray:
    # Photon noise's variance goes with one over the dose: dose / k adds k - 1 times the film's own variance.
    spread = noise_level(pixels) * math.sqrt(level - 1)
    return pixels + spread * rng.standard_normal(pixels.shape, dtype=np.float32)


def _blur(pixels: np.ndarray, level: float, grain: float, rng: np.random.Generator) -> np.ndarray:
    return ndimage.gaussian_filter(pixels, level * grain, mode="nearest")


def _shift(pixels: np.ndarray, level: float, grain: float, rng: np.random.Generator) -> np.ndarray:
    by = max(1, round(level * grain))
    return np.pad(pixels, ((0, 0), (by, 0)), mode="edge")[:, : pixels.shape[1]]


def _turn(pixels: np.ndarray, level: float, grain: float, rng: np.random.Generator) -> np.ndarray:
    return ndimage.rotate(pixels, level, reshape=False, order=1, mode="nearest")


def _expose(pixels: np.ndarray, level: float, grain: float, rng: np.random.Generator) -> np.ndarray:
    return pixels + level / 100


def _stretch(pixels: np.ndarray, level: float, grain: float, rng: np.random.Generator) -> np.ndarray:
    return pixels.mean() + (1 + level / 100) * (pixels - pixels.mean())


def _compress(pixels: np.ndarray, level: float, grain: float, rng: np.random.Generator) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(np.round(255 * pixels).astype(np.uint8)).save(buffer, "JPEG", quality=round(level))
    return np.asarray(Image.open(buffer), dtype=np.float32) / 255


PERTURBATIONS: tuple[Perturbation, ...] = (
    Perturbation("noise", "Noise", "with the noise of the dose divided by {:g}", (1.5, 2.0, 4.0), _noise),
    Perturbation("blur", "Blur", "blurred by {:g} input pixels", (0.25, 0.5, 1.0), _blur),
    Perturbation("shift", "Shift", "moved sideways by {:g} input pixels", (1.0, 2.0, 4.0), _shift),
    Perturbation("rotation", "Rotation", "turned by {:g} degrees", (1.0, 2.0, 4.0), _turn),
    Perturbation("brighter", "Exposure up", "made brighter by {:g} % of the range", (2.0, 5.0, 10.0), _expose),
    Perturbation("darker", "Exposure down", "made darker by {:g} % of the range", (-2.0, -5.0, -10.0), _expose),
    Perturbation("steeper", "Contrast up", "with contrast up by {:g} %", (5.0, 10.0, 20.0), _stretch),
    Perturbation("flatter", "Contrast down", "with contrast down by {:g} %", (-5.0, -10.0, -20.0), _stretch),
    Perturbation("jpeg", "JPEG", "compressed as JPEG of quality {:g}", (90.0, 75.0, 50.0), _compress),
)
USUAL = 1
"""Index of the level that stands for what usually happens."""


def grain_of(preprocessing: Preprocessing, shape: tuple[int, int]) -> float:
    """Film pixels, along one side, of one pixel of the model's input."""
    return (max(shape) if preprocessing.fit == "pad" else min(shape)) / preprocessing.side


def perturb(
    radiograph: Radiograph, perturbation: Perturbation, level: float, grain: float = 1.0, seed: int = 0
) -> Radiograph:
    """A film as it might have come out: same shape, in [0, 1].

    Args:
        level: one of the perturbation's. grain: see :func:`grain_of`. seed: of the noise.
    """
    made = perturbation.change(radiograph.pixels, level, grain, np.random.default_rng(seed))
    return Radiograph(np.clip(made, 0, 1).astype(np.float32))


def averaged(radiograph: Radiograph, longest: int = LONGEST) -> Radiograph:
    """The film averaged down to a long side of ``longest`` pixels, or itself where it is no larger."""
    largest = max(radiograph.shape)
    if largest <= longest:
        return radiograph
    height, width = (max(1, round(length * longest / largest)) for length in radiograph.shape)
    image = Image.fromarray(radiograph.pixels).resize((width, height), Image.Resampling.BOX)
    return Radiograph(np.clip(np.asarray(image, dtype=np.float32), 0, 1))


def perturb_all(
    probe: Probe,
    radiograph: Radiograph,
    sensitivity: Sensitivity,
    called_at: np.ndarray,
    seed: int = 0,
    levels: tuple[int, ...] = (0, 1, 2),
) -> tuple[Perturbed, ...]:
    """Put the film through every perturbation at every level.

    What is added to the prepared film is the difference between the changed and the unchanged film, each averaged and
    prepared alike, so that preparing alone changes nothing.

    Args:
        called_at: (C,) logits at which the findings are called. seed: of the noise. levels: 0 mild, 1 usual, 2 strong.
    """
    small, plan = averaged(radiograph), [(p, n) for p in PERTURBATIONS for n in levels]
    classifier = probe.classifier
    grain = grain_of(classifier.preprocessing, small.shape)
    still = to_greys(classifier, classifier.preprocessing.prepare(small))[0]
    changed = [perturb(small, p, p.levels[n], grain, seed) for p, n in plan]
    films = np.stack([to_greys(classifier, classifier.preprocessing.prepare(film))[0] for film in changed])
    changes = np.clip(probe.film + films - still, 0, 1) - probe.film
    logits = probe.logits(probe.film + changes)
    predicted = sensitivity.along(changes)
    before = sensitivity.logits > called_at
    sizes = probe.rms_levels(np.linalg.norm(changes.reshape(len(plan), -1), axis=1))
    return tuple(
        Perturbed(
            p.name, p.title, p.at(n), n, float(np.asarray(sizes)[i]),
            predicted[i], logits[i] - sensitivity.logits, (logits[i] > called_at) != before,
        )
        for i, (p, n) in enumerate(plan)
    )  # fmt: skip


def first_flip(perturbed: tuple[Perturbed, ...], column: int) -> Perturbed | None:
    """The mildest change that flips a finding: by level, then by size; None where none does."""
    flipping = [done for done in perturbed if done.flips[column]]
    return min(flipping, key=lambda done: (done.level, done.size)) if flipping else None
