"""Latent shift: a film's code is moved along the classifier's gradient (Cohen et al. 2021, arXiv 2102.09475)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F

from classifiers import ChestClassifier
from xai_methods.counterfactual.calibration import BalancedPosterior
from xai_methods.counterfactual.registry import (
    CounterfactualCard,
    counterfactual_cards,
    generator_card,
    load_autoencoder,
)
from xai_methods.counterfactual.series import LEVELS, Limits, Series, checked_levels, cost_of, shifts_for
from xai_methods.method import BATCH, Progress

NAME = "latent-shift"
STEPS = 12
"""Lengths tried in each direction, each 1.6 times the one before."""
LARGEST = 4.0
"""Largest shift tried, in standard deviations of the film's own code."""


class Autoencoding(Protocol):
    """Whatever turns films (N, 1, side, side) in [0, 1] into codes and back."""

    @property
    def side(self) -> int:
        """Pixels a side of the film."""
        ...

    def encode(self, films: torch.Tensor) -> torch.Tensor:
        """Code of films."""
        ...

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Films of codes."""
        ...


def autoencoder_missing(folder: Path | None = None) -> str | None:
    """Why latent shift cannot be had at all, in a sentence; None where an autoencoder is shipped."""
    if any(card.kind == "autoencoder" for card in counterfactual_cards(folder)):
        return None
    return "Latent shift needs an autoencoder of films, and none lies in assets/counterfactuals."


def autoencoder_card(folder: Path | None = None) -> CounterfactualCard:
    """The card of the shipped autoencoder.

    Raises:
        LookupError: there is none.
    """
    for card in counterfactual_cards(folder):
        if card.kind == "autoencoder":
            return card
    raise LookupError(autoencoder_missing(folder))


def posterior_of(classifier: ChestClassifier, finding: str, folder: Path | None = None) -> BalancedPosterior:
    """The balanced posterior where a generator's card has one for this classifier, else the plain sigmoid."""
    card = generator_card(classifier, folder)
    known = card.posteriors if card is not None else {}
    return known.get(finding, BalancedPosterior(1.0, 0.0))


@dataclass(frozen=True)
class _Shifting:
    """A film, its code, and the films that other codes give.

    What the autoencoder cannot draw (film less reconstruction) is kept and added to every film drawn, so that a shift
    of nothing is the film itself.
    """

    classifier: ChestClassifier
    network: Autoencoding
    film: torch.Tensor
    code: torch.Tensor
    drawn: torch.Tensor

    def films(self, codes: torch.Tensor) -> torch.Tensor:
        """Films (N, 1, S, S) in [0, 1] of codes."""
        change = self.network.decode(codes) - self.drawn
        return (self.film + _resized(change, self.film.shape[-1])).clamp(0, 1)

    def logits(self, films: torch.Tensor) -> torch.Tensor:
        """Logits (N, C) of films in [0, 1]."""
        low, high = self.classifier.preprocessing.low, self.classifier.preprocessing.high
        return self.classifier(low + (high - low) * films).float()

    def direction(self, column: int) -> torch.Tensor:
        """The gradient of one logit in the latent space, as long as the film's own code.

        Raises:
            RuntimeError: the logit does not depend on the code.
        """
        with torch.inference_mode(False), torch.enable_grad():
            code = self.code.clone().requires_grad_(True)
            film, drawn = self.film.clone(), self.drawn.clone()
            change = _resized(self.network.decode(code) - drawn, film.shape[-1])
            # No clamp here: black and white pixels would have no gradient.
            logit = self.logits(film + change)[0, column]
            (gradient,) = torch.autograd.grad(logit, code)
        length = gradient.norm()
        if not torch.isfinite(length) or float(length) == 0:
            raise RuntimeError("the classifier's answer does not depend on what the autoencoder draws of this film")
        return gradient / length * self.code.std() * self.code.numel() ** 0.5


def _resized(films: torch.Tensor, side: int) -> torch.Tensor:
    if films.shape[-1] == side:
        return films
    return F.interpolate(films, (side, side), mode="bilinear", antialias=side < films.shape[-1], align_corners=False)


def shifted(
    classifier: ChestClassifier,
    film: torch.Tensor,
    finding: str,
    levels: Sequence[float] | np.ndarray = LEVELS,
    limits: Limits | None = None,
    report: Progress = lambda share: None,
    folder: Path | None = None,
) -> Series:
    """Shift one film's code in the shipped autoencoder; for the arguments see :func:`shifted_in`.

    Args:
        folder: of the cards. limits: those that the card measured where None.

    Raises:
        LookupError: no autoencoder is shipped. And what :func:`shifted_in` raises.
    """
    card = autoencoder_card(folder)
    network = load_autoencoder(card, film.device, folder)
    allowed = limits or Limits(**card.figures["limits"])
    return shifted_in(network, NAME, classifier, film, finding, levels, allowed, report, folder)


def shifted_in(
    network: Autoencoding,
    name: str,
    classifier: ChestClassifier,
    film: torch.Tensor,
    finding: str,
    levels: Sequence[float] | np.ndarray,
    limits: Limits,
    report: Progress = lambda share: None,
    folder: Path | None = None,
) -> Series:
    """Shift one film's code until the target posteriors are reached, as nearly as a straight line allows.

    Args:
        network: an autoencoder. name: the explainer's, for the series.
        classifier: any. film: (1, 1, S, S) in [0, 1] on its input grid. finding: one of its findings.
        levels: posteriors to reach, ascending. limits: what the autoencoder's own reconstruction may cost.
        report: called with the share done; what it raises stops the work. folder: of the cards with calibrations.

    Raises:
        ValueError: the levels are wrong.
        RuntimeError: the classifier's answer does not depend on what the autoencoder draws.
    """
    target, column = checked_levels(levels), classifier.column(finding)
    posterior = posterior_of(classifier, finding, folder)
    with torch.inference_mode():
        small = _resized(film, network.side)
        code = network.encode(small)
        drawn = network.decode(code)
        reconstruction = _resized(drawn, film.shape[-1])
    shifting = _Shifting(classifier, network, film, code, drawn)
    report(0.1)
    direction = shifting.direction(column)
    report(0.4)
    with torch.inference_mode():
        both = shifting.logits(torch.cat([film, reconstruction]))
        own, redrawn = (float(p) for p in posterior.of(both[:, column]))
        report(0.5)
        tried = _lengths()
        there = posterior.of(_logits_along(shifting, direction, tried, report)[:, column]).cpu().numpy()
        chosen = shifts_for(tried, there, target)
        report(0.8)
        films = shifting.films(code + torch.as_tensor(chosen, device=film.device)[:, None, None, None] * direction)
        logits = shifting.logits(films)
    again = reconstruction[0, 0].cpu().numpy()
    cost = cost_of(film[0, 0].cpu().numpy(), again, redrawn - own)
    return Series(
        method=name,
        finding=finding,
        levels=target,
        reached=posterior.of(logits[:, column]).cpu().numpy(),
        films=films[:, 0].cpu().numpy(),
        film=film[0, 0].cpu().numpy(),
        own=own,
        findings=classifier.findings,
        probabilities=torch.sigmoid(logits).cpu().numpy(),
        own_probabilities=torch.sigmoid(both)[0].cpu().numpy(),
        reconstruction=again,
        cost=cost,
        refusal=limits.refusal(cost),
        evaluations=2 + 2 + len(tried) + len(target),
    )


def _lengths() -> np.ndarray:
    """Shifts to try: (2 STEPS + 1,) float32, ascending, in film codes' own lengths."""
    up = LARGEST * 1.6 ** -np.arange(STEPS, dtype=np.float32)[::-1]
    return np.concatenate([-up[::-1], [0.0], up]).astype(np.float32)


def _logits_along(shifting: _Shifting, direction: torch.Tensor, lengths: np.ndarray, report: Progress) -> torch.Tensor:
    found = []
    for start in range(0, len(lengths), BATCH):
        report(0.5 + 0.3 * start / len(lengths))
        part = torch.as_tensor(lengths[start : start + BATCH], device=direction.device)[:, None, None, None]
        found.append(shifting.logits(shifting.films(shifting.code + part * direction)))
    return torch.cat(found)
