"""SmoothGrad: the mean gradient of noisy copies of the film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch

from xai_methods.gradient.gradients import FILMS, grey_range, logits_and_gradients, mean_map
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.registry import register


@dataclass(frozen=True)
class SmoothGradParameters(Parameters):
    """Parameters of :class:`SmoothGrad`."""

    noise: float = parameter(
        0.1, "Standard deviation of the noise, as a share of the way from black to white.", low=0.0, high=1.0, step=0.01
    )
    samples: int = parameter(32, "Noisy films, in pairs of a noise and its negative.", low=4, high=1000, step=2)
    reading: str = parameter(
        "signed",
        "signed: which way the logit would move; magnitude: how far, whichever way",
        choices=("signed", "magnitude"),
    )


def pair_gradients(request: Request, noise: float, samples: int) -> Iterator[torch.Tensor]:
    """Gradients (N, S, S) of noisy films, a batch at a time, each the mean of a noise's and its negative's.

    Args:
        request: the question. noise: standard deviation in input units. samples: noisy films; an odd one is left out.
    """
    pairs, side = samples // 2, request.classifier.side
    for start in range(0, pairs, FILMS // 2):
        count = min(FILMS // 2, pairs - start)
        drawn = request.rng.standard_normal((count, 1, side, side), dtype="float32") * noise
        shift = torch.as_tensor(drawn, device=request.film.device).to(request.film)
        _, gradients = logits_and_gradients(request, request.film + torch.cat([shift, -shift]))
        yield (gradients[:count] + gradients[count:]) / 2
        request.report((start + count) / pairs)


@register
class SmoothGrad(Method):
    """SmoothGrad (Smilkov et al. 2017, arXiv 1706.03825), in units of logit per full grey range of one pixel.

    A noise and its negative are drawn together, which leaves the mean what it is and takes fewer films. Diagnostics:
    ``standard_error``, the mean over the pixels; ``seed_agreement``, the correlation to expect of two seeds' maps.
    """

    name = "smoothgrad"
    title = "SmoothGrad"
    family = "gradient"
    question = (
        "How far would the logit move for a small change of each pixel, on average over noisy copies of the film?"
    )
    reference = "Smilkov et al. 2017, arXiv 1706.03825"
    signed = True
    unit = "logit per grey range"
    stochastic = True
    speed = "slow"
    order = 53
    parameters = SmoothGradParameters

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(SmoothGradParameters, request.parameters)
        scale = grey_range(request)
        mean = mean_map(part * scale for part in pair_gradients(request, chosen.noise * scale, chosen.samples))
        values = mean.values.abs() if chosen.reading == "magnitude" else mean.values
        return Attribution(values.float().cpu().numpy(), diagnostics=mean.diagnostics)
