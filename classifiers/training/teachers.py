"""What trained networks say of the training films, to learn from beside their text-mined labels.

Hinton et al. 2015 (distillation, arXiv 1503.02531); of an ensemble into one network of its own kind: Furlanello et al.
2018 (arXiv 1805.04770); of films as the learner is given them: Beyer et al. 2022 (arXiv 2106.05237).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from classifiers.networks import ChestResNet18, class_map, feature_map
from classifiers.precision import training_precision
from classifiers.training.evaluate_nih import class_maps, load_network
from classifiers.training.nih_data import FINDINGS

SIDE = 224
"""Input side in pixels at which the teachers look at a film."""


def taught(teachers: Sequence[Path], films: np.ndarray, cache: Path, side: int = SIDE) -> np.ndarray:
    """Probabilities (N, 14) float32 of the teachers' mean logit for each film.

    Args:
        teachers: weights of NIH classifiers. films: (N, h, h) uint8. cache: folder in which the answer is kept.
    """
    some = np.ascontiguousarray(films[:: max(1, len(films) // 50)]).tobytes()
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in teachers) + some)
    kept = cache / f"teachers-{len(teachers)}-{len(films)}-{side}-{digest.hexdigest()[:16]}.npy"
    if not kept.exists():
        logits = np.zeros((len(films), len(FINDINGS)))
        for path in teachers:
            network = load_network(path)
            with training_precision():
                logits += class_maps(network, films, side).mean(axis=(2, 3)) / len(teachers)
        np.save(kept, (1 / (1 + np.exp(-logits))).astype(np.float32))
    return np.load(kept)


@torch.inference_mode()
def answers(teachers: Sequence[ChestResNet18], films: torch.Tensor) -> torch.Tensor:
    """Probabilities (N, 14) of the teachers' mean logit for films (N, 1, S, S) in network range."""
    seen = F.interpolate(films, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    seen = seen.contiguous(memory_format=torch.channels_last)
    with training_precision():
        logits = [class_map(network, feature_map(network, seen)).float().mean(dim=(2, 3)) for network in teachers]
    return torch.stack(logits).mean(dim=0).sigmoid()
