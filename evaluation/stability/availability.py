"""Whether the Jacobian is numerically available: it is set against differences, and against more and fewer digits."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn

from evaluation.stability.probe import Probe
from evaluation.stability.sensitivity import Sensitivity
from evaluation.stability.switches import switched_share
from xai_methods import Cancelled

Status = Literal["available", "available with care", "not available"]
STEPS = (0.0001, 0.001, 0.01, 0.1, 1.0)
"""Steps of the central differences, root mean square in grey levels."""
DOUBLE_STEPS = (1e-6, 0.001)
"""The same for those in double precision, where rounding spoils smaller steps only."""
SENSITIVE, RANDOM = "the most sensitive direction", "a random direction"
SWITCH_STEPS = (0.1, 1.0)
"""Steps at which switches are counted, root mean square in grey levels."""
GOOD, FAIR = 0.01, 0.1
"""Relative disagreement with differences up to which the Jacobian is available, and available with care."""
PRECISE = 1e-3
"""Relative disagreement with double precision up to which single precision is enough."""


@dataclass(frozen=True, eq=False)
class StepCurve:
    """Disagreement of the Jacobian with central differences along one direction.

    Attributes:
        direction: which direction, in words. double: whether the model ran in double precision.
        steps: (T,) root mean square in grey levels.
        errors: (T,) ‖difference quotient - J v‖ / ‖J v‖ over all findings; NaN where J v is 0.
    """

    direction: str
    double: bool
    steps: np.ndarray
    errors: np.ndarray

    @property
    def best(self) -> float:
        """The smallest disagreement; NaN where it is undefined."""
        return float(np.min(self.errors))


@dataclass(frozen=True, eq=False)
class Availability:
    """What is known of the Jacobian's numerical availability.

    Attributes:
        curves: one for each direction.
        single, half: relative difference of a reverse pass in float32, and in bfloat16, from one in float64; NaN
            where the network does not run in that precision.
        switch_steps: (T,) root mean square in grey levels. switches: by direction, (T,) share of ReLU units and
            max-pool windows that change state within the step; NaN where the network has none.
        conditions: (C,) relative change of each logit for a relative change of the film, ‖row‖·‖film‖ / |logit|.
        status, reason: the verdict, and why, in a sentence.
    """

    curves: tuple[StepCurve, ...]
    single: float
    half: float
    switch_steps: np.ndarray
    switches: dict[str, np.ndarray]
    conditions: np.ndarray
    status: Status
    reason: str


def random_direction(side: int, seed: int = 0) -> np.ndarray:
    """(S, S) of L2 norm 1, drawn evenly from all directions."""
    drawn = np.random.default_rng(seed).standard_normal((side, side))
    return drawn / np.linalg.norm(drawn)


def difference_curve(
    probe: Probe,
    sensitivity: Sensitivity,
    direction: np.ndarray,
    name: str,
    steps: tuple[float, ...] = STEPS,
    double: nn.Module | None = None,
) -> StepCurve:
    """Compare the Jacobian with central differences over a range of steps: rounding spoils small ones, bends large.

    Args:
        direction: (S, S) of L2 norm 1. name: in words. steps: root mean square in grey levels.
        double: the network in double precision, to ask it instead.
    """
    length = np.asarray(probe.norm_of(np.array(steps)))
    moves = length[:, None, None] * direction
    films = np.concatenate([probe.film + moves, probe.film - moves])
    logits = probe.logits(films) if double is None else _double_logits(probe, double, films)
    quotients = (logits[: len(steps)] - logits[len(steps) :]) / (2 * length[:, None])
    predicted = sensitivity.along(direction[None])[0]
    size = float(np.linalg.norm(predicted))
    errors = np.linalg.norm(quotients - predicted, axis=1)
    shares = errors / size if size > 0 else np.full(len(steps), np.nan)
    return StepCurve(name, double is not None, np.array(steps), shares)


def _network_in(probe: Probe, dtype: torch.dtype) -> nn.Module | None:
    """A copy of the network in ``dtype``; None where the device has no such numbers."""
    with probe.classifier.lock:
        network = copy.deepcopy(probe.classifier.network)
    try:
        return network.to(dtype)
    except (RuntimeError, TypeError, NotImplementedError):
        return None


def _double_logits(probe: Probe, network: nn.Module, films: np.ndarray) -> np.ndarray:
    if probe.cancelled():
        raise Cancelled
    with torch.inference_mode():
        logits = network(probe.input(films, torch.float64))[:, list(probe.classifier.columns)]
    probe.passes += len(films)
    return logits.cpu().numpy()


def _reverse(probe: Probe, network: nn.Module | None, mix: np.ndarray, dtype: torch.dtype) -> np.ndarray | None:
    """(S, S) gradient of a mix of the logits, in shares of the grey range, by a network in ``dtype``."""
    if probe.cancelled():
        raise Cancelled
    if network is None:
        return None
    columns, preprocessing = list(probe.classifier.columns), probe.classifier.preprocessing
    try:
        with torch.inference_mode(False), torch.enable_grad():
            film = probe.input(probe.film[None], dtype).requires_grad_(True)
            weights = torch.as_tensor(mix, device=film.device).to(dtype)
            (gradient,) = torch.autograd.grad(network(film)[0, columns] @ weights, film)
    except (RuntimeError, TypeError, NotImplementedError):
        return None
    probe.passes += 2
    found = gradient[0, 0].double().cpu().numpy() * (preprocessing.high - preprocessing.low)
    return found if np.isfinite(found).all() else None


def precision(probe: Probe, sensitivity: Sensitivity, double: nn.Module | None) -> tuple[float, float]:
    """Relative L2 difference from float64 of one reverse pass in float32 and in bfloat16.

    The pass takes the mix of findings that the film moves most. A precision in which the network does not run gives
    NaN.

    Args:
        double: the network in double precision.
    """
    mix = sensitivity.left[:, 0]
    reference = _reverse(probe, double, mix, torch.float64)
    if reference is None or not np.any(reference):
        return math.nan, math.nan
    # The rows were computed in float32 already, so that no pass is needed for it.
    single = np.tensordot(mix, sensitivity.rows.astype(np.float64), axes=1)
    half = _reverse(probe, _network_in(probe, torch.bfloat16), mix, torch.bfloat16)
    size = np.linalg.norm(reference)
    return (
        float(np.linalg.norm(single - reference) / size),
        math.nan if half is None else float(np.linalg.norm(half - reference) / size),
    )


def availability(probe: Probe, sensitivity: Sensitivity, seed: int = 0) -> Availability:
    """Ask whether the Jacobian is numerically available at this film.

    Args:
        seed: of the random direction.
    """
    directions = {SENSITIVE: sensitivity.right[0].astype(np.float64), RANDOM: random_direction(probe.side, seed)}
    curves = [difference_curve(probe, sensitivity, v, name) for name, v in directions.items()]
    double = _network_in(probe, torch.float64)
    single, half = precision(probe, sensitivity, double)
    if double is not None and not math.isnan(single):
        curves.append(difference_curve(probe, sensitivity, directions[RANDOM], RANDOM, DOUBLE_STEPS, double))
    moves = np.asarray(probe.norm_of(np.array(SWITCH_STEPS)))[:, None, None]
    films = np.concatenate([probe.film + moves * v for v in directions.values()])
    switches = dict(zip(directions, np.split(switched_share(probe, films), len(directions))))
    with np.errstate(divide="ignore"):
        conditions = sensitivity.l2 * np.linalg.norm(probe.film) / np.abs(sensitivity.logits)
    status, reason = verdict(sensitivity, tuple(curves), single)
    return Availability(tuple(curves), single, half, np.array(SWITCH_STEPS), switches, conditions, status, reason)


def verdict(sensitivity: Sensitivity, curves: tuple[StepCurve, ...], single: float) -> tuple[Status, str]:
    """The verdict in words; of several curves along one direction, the one that agrees best counts."""
    if not np.isfinite(sensitivity.rows).all():
        return "not available", "The Jacobian holds values that are not finite."
    if sensitivity.singular[0] == 0:
        return "not available", "The Jacobian is zero: the model does not answer to small changes of this film at all."
    names = {curve.direction for curve in curves}
    worst = float(np.max([np.min([c.best for c in curves if c.direction == name]) for name in names]))
    agreement = f"at its best step it is {worst:.2%} off the differences measured on the model"
    if math.isnan(worst) or worst > FAIR:
        return "not available", f"Even {agreement}: small changes of the film do not act as the Jacobian says."
    if worst > GOOD:
        return "available with care", f"Believe its larger features only: {agreement}."
    if math.isnan(single) or single > PRECISE:
        words = "could not be checked" if math.isnan(single) else f"is {single:.2%} off double precision"
        return "available with care", f"The differences agree ({worst:.2%} off), but single precision {words}."
    return "available", (
        f"It can be believed for small enough changes: {agreement}, and single precision is {single:.0e} off double."
    )
