"""A classifier whose explanations are known in closed form: logits = <w, film> + b."""

import numpy as np
import torch
from torch import nn

from classifiers import ChestClassifier, ModelCard, Preprocessing
from radiographs import Radiograph

LOW, HIGH = -1.5, 2.5


class Linear(nn.Module):
    def __init__(self, weights: np.ndarray) -> None:
        super().__init__()
        self.whole = nn.Identity()
        self.weights = nn.Parameter(torch.tensor(weights, dtype=torch.float64))
        self.bias = nn.Parameter(torch.linspace(-1, 1, len(weights), dtype=torch.float64))

    def forward(self, films):
        return torch.einsum("nhw,chw->nc", self.whole(films)[:, 0].double(), self.weights) + self.bias


def linear_classifier(side: int = 32, n_findings: int = 2, seed: int = 0) -> ChestClassifier:
    """Weights are drawn; the input range is [LOW, HIGH]."""
    weights = np.random.default_rng(seed).normal(0, 0.05, (n_findings, side, side))
    card = ModelCard("linear", "Linear", "Linear.", "nothing", "none", "", "For tests.")
    findings = tuple(f"Finding {number}" for number in range(n_findings))
    return ChestClassifier(Linear(weights), findings, card, "whole", Preprocessing(side, "pad", LOW, HIGH))


def smooth_film(side: int = 32, seed: int = 0) -> Radiograph:
    """A film with blobs, so that superpixels have something to follow."""
    coarse = torch.tensor(np.random.default_rng(seed).random((1, 1, 6, 6)), dtype=torch.float32)
    fine = torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")[0, 0]
    return Radiograph(fine.clamp(0, 1).numpy())


def region_sums(classifier: ChestClassifier, column: int, shown: torch.Tensor, hidden: torch.Tensor, labels):
    """Closed form: what showing each superpixel adds to the linear logit, (K,)."""
    gain = classifier.network.weights[column].numpy() * (shown.double() - hidden.double()).numpy()
    return np.bincount(labels.ravel(), weights=gain.ravel())
