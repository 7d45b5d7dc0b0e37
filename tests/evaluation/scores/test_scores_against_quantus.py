"""Agreement of assessments with Quantus (Hedström et al. 2023) where it is right, and where it is not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from classifiers.torchvision_guard import ensure_torchvision

ensure_torchvision()

from evaluation.scores.complexity import entropy, gini  # noqa: E402
from evaluation.scores.faithfulness.deletion import exchange_curve, ranks  # noqa: E402
from evaluation.scores.faithfulness.infidelity import correlation, logit_drops, sums_within  # noqa: E402
from evaluation.scores.faithfulness.road import impute  # noqa: E402

quantus = pytest.importorskip("quantus")

SIDE = 16


class Bent(nn.Module):
    """Logit 0 is a weighted sum of the squared pixels, logit 1 nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(np.random.default_rng(1).standard_normal((SIDE, SIDE)) / 10).float())

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        found = (films[:, 0] ** 2 * self.weights).sum(dim=(1, 2))
        return torch.stack([found, torch.zeros_like(found)], dim=1)


@pytest.fixture
def network() -> Bent:
    return Bent().eval()


@pytest.fixture
def film() -> np.ndarray:
    return np.random.default_rng(0).random((1, 1, SIDE, SIDE)).astype(np.float32)


def values_of(seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((SIDE, SIDE)).astype(np.float32)


def quantus_score(metric: str, values: np.ndarray, model: nn.Module | None = None, film=None, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scorer = getattr(quantus, metric)(
            normalise=False, abs=more.pop("abs", False), disable_warnings=True, display_progressbar=False, **more
        )
        return scorer(
            model=model,
            x_batch=np.zeros((1, 1, SIDE, SIDE), dtype=np.float32) if film is None else film,
            y_batch=np.zeros(1, dtype=int),
            a_batch=values[None, None],
            channel_first=True,
            softmax=False,
        )


def asker(network: nn.Module):
    def model(films: torch.Tensor) -> np.ndarray:
        with torch.no_grad():
            return network(films)[:, 0].double().numpy()

    return model


def blackened(film: np.ndarray) -> torch.Tensor:
    """What Quantus calls black: the film's own lowest value everywhere."""
    return torch.full((1, 1, SIDE, SIDE), float(film.min()))


@pytest.mark.parametrize("seed", range(3))
def test_sparseness_and_complexity_agree(seed: int) -> None:
    values = np.abs(values_of(seed)) ** 3
    assert gini(values) == pytest.approx(float(quantus_score("Sparseness", values, abs=True)[0]), abs=1e-6)
    nats = float(quantus_score("Complexity", values, abs=True)[0])
    assert entropy(values) * np.log(values.size) == pytest.approx(nats, abs=1e-5)


def test_pixel_flipping_is_deletion_to_black(network, film) -> None:
    values = values_of()
    step = SIDE * SIDE // 8
    flipped = quantus_score("PixelFlipping", values, network, film, features_in_step=step, perturb_baseline="black")
    places = ranks(values, np.random.default_rng(0))
    black = blackened(film)
    ours = exchange_curve(asker(network), torch.tensor(film), black, places, 8)
    np.testing.assert_allclose(np.asarray(flipped[0], dtype=float).ravel(), ours.logits[1:], atol=1e-4)


def test_noisy_linear_imputation_agrees(film) -> None:
    from quantus.functions.perturb_func import noisy_linear_imputation

    removed = np.random.default_rng(3).random((SIDE, SIDE)) < 0.6
    removed[4:12, 4:12] = True
    theirs = noisy_linear_imputation(film[0], np.flatnonzero(removed), noise=0.0)
    np.testing.assert_allclose(impute(film[0, 0], removed), theirs[0], atol=1e-4)


def test_quantus_perturbs_for_infidelity_without_ever_putting_back(network, film) -> None:
    values, patch = values_of(), 8
    theirs = quantus_score(
        "Infidelity", values, network, film, perturb_patch_sizes=[patch], n_perturb_samples=1, perturb_baseline="black"
    )
    tensor = torch.tensor(film)
    black = blackened(film)
    corners = [(top, left) for top in range(0, SIDE, patch) for left in range(0, SIDE, patch)]
    blocks = np.zeros((len(corners), SIDE, SIDE), dtype=bool)
    for mask, (top, left) in zip(blocks, corners):
        mask[top : top + patch, left : left + patch] = True
    growing = np.logical_or.accumulate(blocks)
    lost = values * (film[0, 0] - film.min())
    found = {
        name: float(np.mean((sums_within(lost, masks) - logit_drops(asker(network), tensor, black, masks)) ** 2))
        for name, masks in (("growing", growing), ("each alone", blocks))
    }
    score = float(np.asarray(theirs).ravel()[0])
    assert score == pytest.approx(found["growing"], rel=1e-3)
    assert score != pytest.approx(found["each alone"], rel=0.05)


def test_quantus_has_no_sensitivity_n_for_one_film(network, film) -> None:
    gains = network.weights.detach().numpy() * film[0, 0] ** 2
    rng = np.random.default_rng(0)
    masks = np.stack([rng.permutation(SIDE * SIDE).reshape(SIDE, SIDE) < 40 for _ in range(30)])
    drops = logit_drops(asker(network), torch.tensor(film), torch.zeros(1, 1, SIDE, SIDE), masks)
    assert correlation(sums_within(gains, masks), drops) == pytest.approx(1)
    # It correlates over the films of a batch, always for the strongest n pixels, where the paper draws random sets.
    with pytest.raises(ValueError, match="length at least 2"):
        quantus_score("SensitivityN", gains, network, film, features_in_step=16, perturb_baseline="black")
