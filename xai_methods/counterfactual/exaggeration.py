"""Progressive exaggeration of one film by a trained generator (Singla et al. 2023, arXiv 2101.04230)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from classifiers import ChestClassifier
from xai_methods.counterfactual.calibration import BalancedPosterior
from xai_methods.counterfactual.networks import Generator
from xai_methods.counterfactual.registry import CounterfactualCard, generator_card, load_generator
from xai_methods.counterfactual.series import LEVELS, Limits, Series, checked_levels, cost_of, shifts_for
from xai_methods.method import BATCH, Progress

NAME = "progressive-exaggeration"
TRIED = np.linspace(-0.2, 1.2, 15, dtype=np.float32)
"""Posteriors that the generator is tried at, to learn how far this film follows; beyond 0 and 1 the last edit grows."""


def unserved(classifier: ChestClassifier, finding: str, folder: Path | None = None) -> str | None:
    """Why no generator can exaggerate ``finding`` for ``classifier``, in a sentence; None where one can."""
    card = generator_card(classifier, folder)
    if card is None:
        return (
            f"No generator was trained for {classifier.name}. Progressive exaggeration explains only classifiers whose "
            "generator is shipped; latent shift explains any."
        )
    if finding not in card.findings:
        return f"The generator of {classifier.name} exaggerates {', '.join(card.findings)}, not {finding}."
    return None


@dataclass(frozen=True)
class _Search:
    """One generator, one classifier, one finding."""

    classifier: ChestClassifier
    generator: Generator
    posterior: BalancedPosterior
    index: int
    column: int
    report: Progress

    def logits(self, films: torch.Tensor, done: float, doing: float) -> torch.Tensor:
        """Logits (N, C) of (N, 1, S, S) films in [0, 1]; ``done`` of the work is done, this is ``doing`` of it."""
        low, high = self.classifier.preprocessing.low, self.classifier.preprocessing.high
        parts = []
        for start in range(0, len(films), BATCH):
            self.report(done + doing * start / len(films))
            parts.append(self.classifier(low + (high - low) * films[start : start + BATCH]).float())
        return torch.cat(parts)

    def posteriors(self, logits: torch.Tensor) -> torch.Tensor:
        """Balanced posteriors (N,) of the finding from (N, C) logits."""
        return self.posterior.of(logits[:, self.column])

    def conditions_for(self, film: torch.Tensor, own: torch.Tensor, target: np.ndarray) -> torch.Tensor:
        """What target to give the generator so that the classifier answers ``target`` (L,), as far as it does: (L,)."""
        tried = torch.as_tensor(TRIED, device=film.device)
        there = self.posteriors(self.logits(self.made(film, own, tried), 0.05, 0.55)).cpu().numpy()
        shifts = TRIED - float(own)
        place = int(np.searchsorted(shifts, 0.0))
        shifts, there = np.insert(shifts, place, 0.0), np.insert(there, place, float(own))
        return own + torch.as_tensor(shifts_for(shifts, there, target), device=film.device)

    def there_and_back(self, film: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        """The film (1, 1, S, S) after it was brought to the end farther from it and back to its own posterior."""
        end = LEVELS[0] if float(own) >= 0.5 else LEVELS[-1]
        far = self.made(film, own, torch.full((1,), end, device=film.device))
        return self.made(far, self.posteriors(self.logits(far, 0.9, 0.05)), own)

    def made(self, films: torch.Tensor, own: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Films changed so that they have the posteriors (N,) ``target``; one film (1, 1, S, S), or N."""
        side = self.generator.shape.side
        small = F.interpolate(films, (side, side), mode="bilinear", antialias=True, align_corners=False)
        finding = torch.full((len(target),), self.index, device=films.device)
        return self.generator(small, finding, own.expand(len(target)), target).apply(films)


@torch.inference_mode()
def exaggerated(
    classifier: ChestClassifier,
    film: torch.Tensor,
    finding: str,
    levels: Sequence[float] | np.ndarray = LEVELS,
    limits: Limits | None = None,
    report: Progress = lambda share: None,
    folder: Path | None = None,
) -> Series:
    """Exaggerate ``finding`` on one film.

    The generator alone answers some films with too much and others with too little. So it is tried at :data:`TRIED`
    first, and then given the targets at which the classifier answered as wanted.

    Its reconstruction is the return trip: the film is brought to the end farther from it, and from there back to its
    own posterior. (Where the target is its own posterior, the generator returns the film unchanged by construction:
    that tells nothing.)

    Args:
        classifier: the explained one. film: (1, 1, S, S) in [0, 1] on its input grid. finding: one of the generator's.
        levels: posteriors to reach, ascending. limits: what a return trip may cost; the card's own where None.
        report: called with the share done; what it raises stops the work. folder: of the cards.

    Raises:
        LookupError: there is no generator for this classifier, or none for this finding.
        ValueError: the levels are wrong.
    """
    target = checked_levels(levels)
    column = classifier.column(finding)
    reason = unserved(classifier, finding, folder)
    card = generator_card(classifier, folder)
    if reason is not None or card is None:
        raise LookupError(reason)
    search = _Search(
        classifier, load_generator(card, film.device, folder), card.posteriors[finding],
        card.findings.index(finding), column, report,
    )  # fmt: skip
    before = search.logits(film, 0.0, 0.05)
    own = search.posteriors(before)
    conditions = search.conditions_for(film, own, target)
    films = search.made(film, own, conditions)
    logits = search.logits(films, 0.6, 0.3)
    back = search.there_and_back(film, own)
    again = search.posteriors(search.logits(back, 0.95, 0.05))
    cost = cost_of(film[0, 0].cpu().numpy(), back[0, 0].cpu().numpy(), float(again - own))
    return Series(
        method=NAME,
        finding=finding,
        levels=target,
        reached=search.posteriors(logits).cpu().numpy(),
        films=films[:, 0].cpu().numpy(),
        film=film[0, 0].cpu().numpy(),
        own=float(own),
        findings=classifier.findings,
        probabilities=torch.sigmoid(logits).cpu().numpy(),
        own_probabilities=torch.sigmoid(before)[0].cpu().numpy(),
        reconstruction=back[0, 0].cpu().numpy(),
        cost=cost,
        refusal=(limits or limits_of(card)).refusal(cost),
        evaluations=len(TRIED) + len(target) + 3,
    )


def limits_of(card: CounterfactualCard) -> Limits:
    """What a reconstruction may cost by the card's own figures."""
    return Limits(**card.figures["limits"])
