"""Random fields and solids that findings are made of."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def fractal(shape: tuple[int, int], rng: np.random.Generator, roughness: float, largest: float) -> np.ndarray:
    """Noise whose power falls as 1 / frequency**roughness: (h, w) float32, mean 0, standard deviation 1.

    Args:
        shape: (h, w). rng: source of the noise. roughness: exponent; larger is smoother.
        largest: size of the largest structure in pixels.
    """
    height, width = shape
    squared = np.fft.fftfreq(height)[:, None] ** 2 + np.fft.rfftfreq(width)[None] ** 2 + (1 / largest) ** 2
    white = rng.standard_normal((2, height, width // 2 + 1), dtype=np.float32)
    field = np.fft.irfft2((white[0] + 1j * white[1]) * squared ** (-roughness / 4), s=shape)
    return ((field - field.mean()) / (field.std() + 1e-9)).astype(np.float32)


def smoothstep(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, a cubic between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def lobulated_solid(radius: float, rng: np.random.Generator, waviness: float) -> np.ndarray:
    """Path length through an irregular solid, as a share of its thickest ray: square float32 in [0, 1], centred.

    An ellipsoid and lobes that overlap it; along one ray the solids are joined, not added.

    Args:
        radius: in pixels. rng: decides the shape. waviness: relative height of the border's finer bumps.
    """
    half = int(np.ceil(1.9 * radius + 4))
    ys, xs = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    lobes = [(0.0, 0.0, radius * 0.86)]
    for _ in range(int(rng.integers(2, 5))):
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 0.62) * radius
        lobes.append((away * np.sin(angle), away * np.cos(angle), radius * rng.uniform(0.4, 0.62)))
    stretch, turn = rng.uniform(0.78, 1.0), rng.uniform(0, np.pi)
    bumps = [(k, rng.normal(0, waviness / k**0.5), rng.uniform(0, 2 * np.pi)) for k in range(2, 8)]
    angles = np.arctan2(ys, xs)
    wave = 1 + sum(height * np.cos(k * angles + phase) for k, height, phase in bumps)
    squared = np.zeros_like(ys)
    for cy, cx, r in lobes:
        dy, dx = ys - cy, xs - cx
        along, across = dx * np.cos(turn) + dy * np.sin(turn), -dx * np.sin(turn) + dy * np.cos(turn)
        inside = 1 - (along**2 + (across / stretch) ** 2) / np.maximum(r * wave, 0.5) ** 2
        squared = np.maximum(squared, np.clip(inside, 0, None) * (r / radius) ** 2)
    solid = ndimage.gaussian_filter(np.sqrt(squared), max(0.7, 0.09 * radius))
    return solid / max(float(solid.max()), 1e-6)


def pasted(patch: np.ndarray, centre: tuple[float, float], shape: tuple[int, int]) -> np.ndarray:
    """A canvas of zeros (h, w) with a square patch laid around a point; what falls off the canvas is cut."""
    canvas = np.zeros(shape, dtype=np.float32)
    half = patch.shape[0] // 2
    row, column = round(centre[0]) - half, round(centre[1]) - half
    rows = slice(max(row, 0), min(row + patch.shape[0], shape[0]))
    columns = slice(max(column, 0), min(column + patch.shape[1], shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        canvas[rows, columns] = patch[
            rows.start - row : rows.stop - row, columns.start - column : columns.stop - column
        ]
    return canvas
