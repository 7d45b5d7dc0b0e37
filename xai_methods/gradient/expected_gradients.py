"""Expected gradients: Integrated Gradients from many real films instead of one that shows nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
import torch

from radiographs import Radiograph
from radiographs.planting.films import load, normal_films
from xai_methods.gradient.gradients import FILMS, logits_and_gradients, mean_map
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.registry import register


@dataclass(frozen=True)
class ExpectedGradientsParameters(Parameters):
    """Parameters of :class:`ExpectedGradients`."""

    films: int = parameter(32, "Normal films that the film is compared with.", low=4, high=128, step=4)
    samples: int = parameter(128, "Places between films at which the gradient is taken.", low=16, high=5000, step=16)


@lru_cache(maxsize=4)
def normal_backgrounds(count: int) -> tuple[Radiograph, ...]:
    """``count`` normal films, spread evenly over the persons whose films models here were trained on.

    They are children's (1 to 5 years), for no adults' films come with the project.

    Raises:
        CollectionError: the package that carries the films is not installed.
    """
    films = [film for film in normal_films() if film.part == "train"]
    chosen = np.linspace(0, len(films) - 1, min(count, len(films))).round().astype(int)
    return tuple(load(films[place]) for place in chosen)


def background_gradients(request: Request, backgrounds: torch.Tensor, samples: int) -> Iterator[torch.Tensor]:
    """Gradients at random places between backgrounds and film, times the film's difference: (N, S, S) at a time.

    Each background is used equally often, and each of ``samples`` equal parts of the way once.

    Args:
        request: the question. backgrounds: (B, 1, S, S) inputs. samples: places.
    """
    device, rng = request.film.device, request.rng
    whose = torch.as_tensor(rng.permutation(np.arange(samples) % len(backgrounds)), device=device)
    where = torch.as_tensor((rng.permutation(samples) + rng.random(samples)) / samples, device=device)
    for start in range(0, samples, FILMS):
        some = backgrounds[whose[start : start + FILMS]]
        way = request.film - some
        share = where[start : start + FILMS].to(way).view(-1, 1, 1, 1)
        _, gradients = logits_and_gradients(request, some + share * way)
        yield gradients * way[:, 0]
        request.report(0.1 + 0.9 * min(start + FILMS, samples) / samples)


def logits_of(request: Request, films: torch.Tensor) -> torch.Tensor:
    """The explained logit of (N, 1, S, S) films, a batch at a time: (N,)."""
    parts = []
    for start in range(0, len(films), FILMS):
        parts.append(request.logits(films[start : start + FILMS]))
        request.report(0.1 * min(start + FILMS, len(films)) / len(films))
    return torch.cat(parts).double()


@register
class ExpectedGradients(Method):
    """Expected gradients (Erion et al. 2021, arXiv 1906.10670), in units of logit.

    An estimate of SHAP values whose background are normal films of children (see :func:`normal_backgrounds`). In
    expectation the map's sum is the logit less the mean logit of the background. Diagnostics: ``base_value``, that
    mean; ``additivity_residual``, how far the sum is off; ``standard_error`` and ``seed_agreement`` as by SmoothGrad.
    """

    name = "expected-gradients"
    title = "Expected gradients"
    family = "gradient"
    question = "On the ways from many normal films to this one, how much of the logit does each pixel bring in?"
    reference = "Erion et al. 2021, doi 10.1038/s42256-021-00343-w"
    signed = True
    unit = "share of the logit"
    additive = True
    stochastic = True
    speed = "slow"
    order = 54
    parameters = ExpectedGradientsParameters

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(ExpectedGradientsParameters, request.parameters)
        classifier = request.classifier
        backgrounds = torch.cat([classifier.prepare(film) for film in normal_backgrounds(chosen.films)])
        logits = logits_of(request, torch.cat([request.film, backgrounds]))
        mean = mean_map(background_gradients(request, backgrounds, chosen.samples))
        base = float(logits[1:].mean())
        diagnostics = {
            "base_value": base,
            "additivity_residual": abs(float(mean.values.sum()) - (float(logits[0]) - base)),
            **mean.diagnostics,
        }
        return Attribution(mean.values.float().cpu().numpy(), diagnostics=diagnostics, logit=float(logits[0]))
