"""Random fields that findings are made of."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def fractal(
    shape: tuple[int, int], rng: np.random.Generator, roughness: float = 2.6, largest: float = 0.25
) -> np.ndarray:
    """Noise whose power falls as 1 / frequency**roughness: (H, W) float32, mean 0, standard deviation 1.

    Args:
        roughness: exponent; larger is smoother. largest: size of the largest structure as a share of the side.
    """
    height, width = shape
    fy, fx = np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None] * width
    squared = fy**2 + fx**2 + (1 / largest) ** 2
    white = rng.standard_normal((height, width // 2 + 1)) + 1j * rng.standard_normal((height, width // 2 + 1))
    field = np.fft.irfft2(white * squared ** (-roughness / 4), s=shape)
    return ((field - field.mean()) / (field.std() + 1e-9)).astype(np.float32)


def smoothstep(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, a cubic between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def lobulated_body(
    shape: tuple[int, int],
    centre: tuple[float, float],
    radius: float,
    rng: np.random.Generator,
    waviness: float,
) -> np.ndarray:
    """Path length through an irregular solid, as a share of its thickest ray: (H, W) float32 in [0, 1].

    A main ellipsoid and lobes that overlap it; along one ray the solids are joined, not added. Waviness is the relative
    height of the finer bumps of the border.
    """
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    lobes = [(centre[0], centre[1], radius * 0.86)]
    for _ in range(int(rng.integers(2, 5))):
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 0.62) * radius
        lobes.append(
            (centre[0] + away * np.sin(angle), centre[1] + away * np.cos(angle), radius * rng.uniform(0.4, 0.62))
        )
    squared = np.zeros(shape, dtype=np.float32)
    stretch, turn = rng.uniform(0.78, 1.0), rng.uniform(0, np.pi)
    bumps = [(k, rng.normal(0, waviness / k**0.5), rng.uniform(0, 2 * np.pi)) for k in range(2, 8)]
    for cy, cx, r in lobes:
        dy, dx = ys - cy, xs - cx
        along, across = dx * np.cos(turn) + dy * np.sin(turn), -dx * np.sin(turn) + dy * np.cos(turn)
        angles = np.arctan2(across, along)
        border = r * (1 + sum(height * np.cos(k * angles + phase) for k, height, phase in bumps))
        inside = 1 - (along**2 + (across / stretch) ** 2) / np.maximum(border, 0.5) ** 2
        squared = np.maximum(squared, np.clip(inside, 0, None) * (r / radius) ** 2)
    body = ndimage.gaussian_filter(np.sqrt(squared), max(0.7, 0.09 * radius))
    return body / max(float(body.max()), 1e-6)
