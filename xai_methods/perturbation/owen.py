"""Owen values: Shapley values along a tree that halves the film again and again.

Owen 1977, doi 10.1007/978-3-642-45494-3_7; the recursion down a binary tree, steepest part first, is that of the
partition explainer of Lundberg's shap library (its tree halves rectangles; ours halves the set of superpixels).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import parameter
from xai_methods.perturbation.game import Game
from xai_methods.perturbation.masking import RegionParameters, regions_of
from xai_methods.perturbation.shap import Value
from xai_methods.registry import register

AT_ONCE = 16
"""Parts halved together, two coalitions each, so that passes come in batches."""


@dataclass(frozen=True)
class OwenParameters(RegionParameters):
    """Parameters of :class:`OwenValues`."""

    samples: int = parameter(
        500,
        "Films evaluated with regions hidden, about. Parts that are not halved in time share their gain by area.",
        low=4,
        high=20000,
        step=1,
    )


@dataclass(frozen=True, eq=False)
class Part:
    """A set of players: (n,) int ``members``, and its two halves; a single player has none."""

    members: np.ndarray
    halves: tuple[Part, Part] | None = None


@dataclass(frozen=True, eq=False)
class OwenResult:
    """Owen values of a game over a tree.

    Attributes:
        values: (K,), summing to ``full - base``. base: value of the empty coalition. full: of the full one.
        resolved: share of the gains (by magnitude) that was followed down to single players, 1 where exact.
        samples: coalitions evaluated beside the empty and the full one.
    """

    values: np.ndarray
    base: float
    full: float
    resolved: float
    samples: int


@dataclass(order=True)
class _Task:
    """A part and one context in which to share out its gain: urgent ones first, then older ones."""

    urgency: float
    number: int
    part: Part = field(compare=False)
    context: np.ndarray = field(compare=False)
    without: float = field(compare=False)
    along: float = field(compare=False)
    weight: float = field(compare=False)

    @property
    def gain(self) -> float:
        return (self.along - self.without) * self.weight


def halve(labels: np.ndarray) -> Part:
    """Halve the superpixels of (S, S) ``labels`` into a tree: across the longer extent of their centres, by area."""
    count = int(labels.max()) + 1
    area = np.bincount(labels.ravel(), minlength=count).astype(float)
    places = np.indices(labels.shape).reshape(2, -1)
    centres = np.stack([np.bincount(labels.ravel(), weights=axis, minlength=count) / area for axis in places])

    def grow(members: np.ndarray) -> Part:
        if len(members) == 1:
            return Part(members)
        mine = centres[:, members]
        order = members[np.argsort(mine[int(np.argmax(np.ptp(mine, axis=1)))], kind="stable")]
        before = np.cumsum(area[order]) / area[order].sum()
        cut = int(np.argmin(np.abs(before[:-1] - 0.5))) + 1
        return Part(members, (grow(np.sort(order[:cut])), grow(np.sort(order[cut:]))))

    return grow(np.arange(count))


def owen_values(value: Value, tree: Part, areas: np.ndarray, samples: int) -> OwenResult:
    """Share out a game along a tree: each part's gain between its halves as Shapley does between two players.

    Args:
        value: the game. tree: of players 0 ... K - 1.
        areas: (K,) positive; a part that is not halved in time shares its gain in proportion to them.
        samples: coalitions evaluated, about; with enough of them the values are exact.
    """
    players = len(tree.members)
    none = np.zeros(players, dtype=bool)
    base, full = (float(worth) for worth in value(np.stack([none, ~none])))
    tasks, numbers, evaluated = [_Task(0.0, 0, tree, none, base, full, 1.0)], 1, 0
    values, resolved, loose = np.zeros(players), 0.0, 0.0
    while tasks:
        chosen: list[tuple[_Task, Part, Part]] = []
        while tasks and len(chosen) < AT_ONCE:
            task = heapq.heappop(tasks)
            if task.part.halves is not None and evaluated + 2 * len(chosen) < samples:
                chosen.append((task, *task.part.halves))
                continue
            share = areas[task.part.members] / areas[task.part.members].sum()
            values[task.part.members] += share * task.gain
            resolved += abs(task.gain) * (task.part.halves is None)
            loose += abs(task.gain) * (task.part.halves is not None)
        if not chosen:
            continue
        masks = np.stack([_joined(task.context, half) for task, *halves in chosen for half in halves])
        worth = value(masks).reshape(-1, 2)
        evaluated += len(masks)
        for (task, left, right), (with_left, with_right), (left_on, right_on) in zip(
            chosen, worth, masks.reshape(-1, 2, players)
        ):
            for part, context, without, along in (
                (left, task.context, task.without, with_left),
                (left, right_on, with_right, task.along),
                (right, task.context, task.without, with_right),
                (right, left_on, with_left, task.along),
            ):
                weight = task.weight / 2
                urgency = -abs(along - without) * weight
                heapq.heappush(tasks, _Task(urgency, numbers, part, context, without, along, weight))
                numbers += 1
    moved = resolved + loose
    return OwenResult(values, base, full, resolved / moved if moved else 1.0, evaluated)


def _joined(context: np.ndarray, part: Part) -> np.ndarray:
    joined = context.copy()
    joined[part.members] = True
    return joined


@register
class OwenValues(Method):
    """Owen value of each superpixel: Shapley's share, where only halves of the film, of halves ... may join in turn.

    Values: logit units, painted on all pixels of the superpixel, not divided by its area; over superpixels they
    sum to the film's logit less that of the film with everything hidden (``base_value``).
    """

    name = "owen-values"
    title = "Owen values"
    family = "perturbation"
    question = "How is the answer divided between the halves of the film, between their halves, and so on?"
    reference = "Owen 1977, doi 10.1007/978-3-642-45494-3_7"
    signed = True
    unit = "share of the logit"
    additive = True
    speed = "slow"
    order = 21
    parameters = OwenParameters

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(OwenParameters, request.parameters)
        regions = regions_of(request, chosen)
        areas = np.bincount(regions.labels.ravel()).astype(float)
        game = Game(request, regions, chosen.precision, chosen.samples + 2)
        shares = owen_values(game, halve(regions.labels), areas, chosen.samples)
        return Attribution(
            values=regions.paint(shares.values),
            regions=regions.labels,
            logit=shares.full,
            diagnostics={
                "base_value": shares.base,
                "additivity_residual": abs(float(shares.values.sum()) - (shares.full - shares.base)),
                "resolved_share": shares.resolved,
                "n_superpixels": float(regions.count),
                "samples": float(shares.samples),
            },
        )
