"""LRP: the logit propagated, layer by layer, to the pixels."""

from __future__ import annotations

import math
import threading
import weakref
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from classifiers import ChestClassifier
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.recording.tape import TOLERANCE, UnsupportedNetworkError, logits_apart
from xai_methods.registry import register
from xai_methods.relevance.canonise import CanonicalNetwork, canonise
from xai_methods.relevance.composites import COMPOSITES, composite
from xai_methods.relevance.flow import Flow, propagate
from xai_methods.relevance.tokens import ATTENTION_RULES

_networks: weakref.WeakKeyDictionary[ChestClassifier, CanonicalNetwork] = weakref.WeakKeyDictionary()
_networks_lock = threading.Lock()


@dataclass(frozen=True)
class LrpParameters(Parameters):
    """Parameters of LRP."""

    composite: str = parameter("epsilon-plus-flat", "Which rule each layer gets.", choices=COMPOSITES)
    epsilon: float = parameter(
        1e-6, "Epsilon rule: relevance of outputs smaller than this fades.", low=1e-9, high=1.0, step=1e-6
    )
    gamma: float = parameter(
        0.25, "Gamma rule: how much positive contributions are favoured.", low=0.0, high=100.0, step=0.05
    )
    smoothing: float = parameter(
        0.0,
        "Standard deviation of a Gaussian, in pixels of the model's input, that spreads relevance over neighbours: "
        "evens out the grid that strides leave. Conserves the sum; detail finer than this is lost.",
        low=0.0,
        high=64.0,
        step=1.0,
    )
    attention: str = parameter(
        ATTENTION_RULES[0],
        "Transformers and gates. attnlrp: attention weights get their share; cp-lrp: they count as constants.",
        choices=ATTENTION_RULES,
    )


def canonical(classifier: ChestClassifier, film: torch.Tensor) -> tuple[CanonicalNetwork, dict[int, torch.Tensor]]:
    """The classifier's network in canonical form, and all that it computes on ``film`` (1, 1, S, S).

    It is built once a classifier and kept as long as the classifier lives. Each film's logits are checked against the
    original's.

    Raises:
        UnsupportedNetworkError: the network cannot be brought into canonical form, or its logits change by it.
    """
    with classifier.lock, torch.inference_mode(False), torch.no_grad():
        film = film.detach().clone()
        expected = classifier.network(film)
        with _networks_lock:
            network = _networks.get(classifier)
        values = None if network is None else network.run(film)
        if network is None or values is None or logits_apart(values[network.last], expected) > TOLERANCE:
            network = canonise(classifier.network, film)
            values = network.run(film)
            difference = logits_apart(values[network.last], expected)
            if not difference <= TOLERANCE:
                raise UnsupportedNetworkError(
                    f"LRP's form of {classifier.name} differs from the network by {difference:.1e} of its logits; "
                    "choose another method"
                )
            with _networks_lock:
                _networks[classifier] = network
    return network, values


@register
class Lrp(Method):
    """Layer-wise relevance propagation (Bach et al. 2015), own implementation.

    The map's sum and what biases keep are the logit. Diagnostics: ``relevance_sum`` of the map, the ``logit``,
    ``bias_share`` (kept by biases, as a share of the logit), ``conservation`` (map and biases together, as a share of
    the logit: 1 where nothing got lost), ``worst_step`` (the largest share of the logit that one step lost or made).
    """

    name = "lrp"
    title = "LRP"
    family = "relevance"
    question = "If the logit is passed down layer by layer, how much of it does each pixel get?"
    reference = "Bach et al. 2015, doi 10.1371/journal.pone.0130140"
    signed = True
    unit = "share of the logit"
    additive = True
    speed = "fast"
    role = "main"
    order = 40
    parameters = LrpParameters

    def _explain(self, request: Request) -> Attribution:
        flow, logit = relevance_flow(request)
        total = float(flow.relevance.double().sum())
        scale = logit if logit else math.nan
        diagnostics = {
            "relevance_sum": total,
            "logit": logit,
            "bias_share": flow.absorbed / scale,
            "conservation": (total + flow.absorbed) / scale,
            "worst_step": max((entry.lost / scale for entry in flow.balances), key=abs),
        }
        values = flow.relevance[0, 0].float().cpu().numpy()
        return Attribution(smoothed(values, request.parameters), diagnostics=diagnostics)


def smoothed(values: np.ndarray, parameters: Parameters) -> np.ndarray:
    """An (S, S) map of relevance smoothed as ``parameters`` say, its sum conserved; the map itself by default."""
    assert isinstance(parameters, LrpParameters)
    if not parameters.smoothing:
        return values
    # Reflected at the borders, so that no relevance leaves the film.
    return gaussian_filter(values.astype(np.float64), parameters.smoothing, mode="reflect").astype(np.float32)


def relevance_flow(request: Request) -> tuple[Flow, float]:
    """Propagate the request's logit: the flow with the balance of every step, and the logit itself."""
    chosen, classifier = request.parameters, request.classifier
    assert isinstance(chosen, LrpParameters)
    preprocessing = classifier.preprocessing
    low, high = preprocessing.low, preprocessing.high
    rules = composite(chosen.composite, low, high, chosen.epsilon, chosen.gamma, chosen.attention)
    network, values = canonical(classifier, request.film)
    request.count(3)
    request.report(0.1)
    column = classifier.columns[request.column]
    with torch.inference_mode(False), torch.no_grad():
        flow = propagate(network, values, column, rules, lambda share: request.report(0.1 + 0.9 * share))
    return flow, float(values[network.last][0, column])
