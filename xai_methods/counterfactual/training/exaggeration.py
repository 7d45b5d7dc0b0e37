"""The training loop of progressive exaggeration: resumable, with samples and metrics written as it goes."""

from __future__ import annotations

import copy
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from classifiers.precision import training_precision
from classifiers.training.augment import random_affine, warp
from radiographs.files import replacing
from xai_methods.counterfactual.calibration import BalancedPosterior
from xai_methods.counterfactual.conditional import BINS
from xai_methods.counterfactual.losses import (
    classifier_consistency,
    context_weights,
    discriminator_hinge,
    generator_hinge,
    reconstruction,
    roughness,
    size,
)
from xai_methods.counterfactual.networks import Discriminator, Generator

FASTER = {"generator": 1.0, "discriminator": 2.0}
"""The discriminator keeps ahead (Heusel et al. 2017, arXiv 1706.08500)."""
_log = logging.getLogger("xai_methods.counterfactual")


@dataclass(frozen=True)
class TrainerSettings:
    """How long and how hard to train.

    Attributes:
        stages: pairs of the classifier's input side and steps at it; small sides first, for they are cheap.
        batch: films a step; every second one goes through the cycle too.
        rate: of Adam for the generator; the discriminator's is twice as high.
        average: decay of the running average.
        adversarial, consistency, cycle, rough, small: weights of the losses.
        jitter: how far films are moved, as a share of the classifiers' augmentation, and re-exposed before the
            classifier sees them: what only fools it at one place to the pixel is no explanation.
        every: steps between checkpoints.
    """

    stages: tuple[tuple[int, int], ...] = ((160, 2500), (192, 1000), (224, 1500))
    batch: int = 8
    rate: float = 3e-4
    average: float = 0.998
    adversarial: float = 0.2
    consistency: float = 2.0
    cycle: float = 20.0
    rough: float = 0.01
    small: float = 2.0
    jitter: float = 0.4
    every: int = 100

    @property
    def steps(self) -> int:
        """All stages together."""
        return sum(steps for _, steps in self.stages)

    def side_at(self, step: int) -> int:
        """The classifier's input side at ``step``, from 0."""
        for side, steps in self.stages:
            if step < steps:
                return side
            step -= steps
        return self.stages[-1][0]


@dataclass(frozen=True)
class Explained:
    """The classifier as training sees it.

    Attributes:
        network: (N, 1, s, s) in [low, high] to logits (N, C). low, high: input values of black and white.
        columns: of the F findings in the logits. posteriors: their calibration.
        matched: for each input side, slope and intercept that bring its logits to those at the full side, (F, 2).
        structures: (N, 1, s, s) films in [0, 1] to shares (N, K, s, s) of what reconstructions must keep; None: edges.
    """

    network: nn.Module
    low: float
    high: float
    columns: tuple[int, ...]
    posteriors: tuple[BalancedPosterior, ...]
    matched: dict[int, np.ndarray]
    structures: Callable[[torch.Tensor], torch.Tensor] | None = None

    def log_odds(self, films: torch.Tensor, finding: torch.Tensor) -> torch.Tensor:
        """Log-odds of the balanced posterior of (N,) findings on (N, 1, s, s) films in [0, 1]."""
        shown = (self.low + (self.high - self.low) * films).contiguous(memory_format=torch.channels_last)
        with training_precision():
            logits = self.network(shown)
        logits = logits.float()[:, list(self.columns)].gather(1, finding[:, None])[:, 0]
        matched = torch.from_numpy(self.matched[films.shape[-1]]).to(logits.dtype)[finding]
        slopes = torch.tensor([p.slope for p in self.posteriors], dtype=logits.dtype)[finding]
        intercepts = torch.tensor([p.intercept for p in self.posteriors], dtype=logits.dtype)[finding]
        return slopes * (matched[:, 0] * logits + matched[:, 1]) + intercepts


class Draw:
    """Endless batches of films, each with a finding, drawn evenly over the bins of the posterior."""

    def __init__(self, films: np.ndarray, posteriors: np.ndarray, seed: int) -> None:
        self.films, self.posteriors = films, posteriors
        self.numpy = np.random.default_rng(seed)
        self.torch = torch.Generator().manual_seed(seed)
        bins = np.minimum((posteriors * BINS).astype(int), BINS - 1)
        self.rows = [
            [rows for b in range(BINS) if len(rows := np.flatnonzero(bins[:, k] == b))] for k in range(bins.shape[1])
        ]

    def batch(self, number: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Films (N, 1, S, S) in [0, 1], findings (N,), own and target posteriors (N,)."""
        finding = self.numpy.integers(len(self.rows), size=number)
        chosen = []
        for k in finding:
            groups = self.rows[k]
            chosen.append(int(self.numpy.choice(groups[self.numpy.integers(len(groups))])))
        films = torch.from_numpy(self.films[chosen]).float().div_(255)[:, None]
        own = torch.from_numpy(self.posteriors[chosen, finding]).float()
        target = torch.from_numpy(self.numpy.uniform(0.03, 0.97, number)).float()
        return films, torch.from_numpy(finding), own, target

    def jittered(self, films: torch.Tensor, side: int, share: float) -> torch.Tensor:
        """Films moved, re-exposed and resampled to ``side``, a little and at random."""
        number = len(films)
        still = torch.eye(2, 3)[None]
        theta = still + share * (random_affine(number, self.torch) - still)

        def around(middle: float, width: float) -> torch.Tensor:
            return middle + share * width * (2 * torch.rand(number, 1, 1, 1, generator=self.torch) - 1)

        seen = warp(films, theta, side)
        seen = seen.clamp_min(1e-3) ** around(1, 0.3) * around(1, 0.15) + around(0, 0.06)
        return seen + 0.02 * share * torch.randn(seen.shape, generator=self.torch)


@dataclass
class Trainer:
    """Everything that changes while training."""

    generator: Generator
    discriminator: Discriminator
    explained: Explained
    draw: Draw
    settings: TrainerSettings
    step: int = 0
    log: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.average = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self.optimisers = {
            name: torch.optim.Adam(network.parameters(), self.settings.rate, betas=(0.0, 0.9))
            for name, network in (("generator", self.generator), ("discriminator", self.discriminator))
        }

    def one_step(self) -> dict[str, float]:
        """Train both networks on one batch and return the losses by name."""
        settings = self.settings
        films, finding, own, target = self.draw.batch(settings.batch)
        small = reduced(films, self.generator.shape.side)
        with training_precision():
            edit = self.generator(small.contiguous(memory_format=torch.channels_last), finding, own, target)
        made = edit.apply(films)
        made_small = reduced(made, self.generator.shape.side)
        losses = {"discriminator": self._discriminate(small, made_small, finding, own, target)}
        self.discriminator.requires_grad_(False)
        with training_precision():
            answers = self.discriminator(made_small, finding, target)
        losses["adversarial"] = generator_hinge(answers)
        seen = self.draw.jittered(made, settings.side_at(self.step), settings.jitter)
        reached = self.explained.log_odds(seen, finding)
        losses["consistency"] = classifier_consistency(target, reached)
        back = slice(0, max(1, settings.batch // 2))
        with training_precision():
            undo = self.generator(made_small[back], finding[back], target[back], own[back])
        structures = self.explained.structures
        weights = context_weights(small[back], None if structures is None else structures(small[back]))
        losses["cycle"] = reconstruction(small[back], undo.apply(made_small[back]), weights)
        losses["rough"], losses["small"] = roughness(edit), size(edit)
        total = sum(getattr(settings, name) * losses[name] for name in losses if name != "discriminator")
        self._advance("generator", total)
        self.discriminator.requires_grad_(True)
        self._follow()
        self.step += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def _discriminate(
        self, real: torch.Tensor, made: torch.Tensor, finding: torch.Tensor, own: torch.Tensor, target: torch.Tensor
    ) -> torch.Tensor:
        with training_precision():
            both = self.discriminator(
                torch.cat([real, made.detach()]), torch.cat([finding, finding]), torch.cat([own, target])
            )
        loss = discriminator_hinge(*both.chunk(2))
        self._advance("discriminator", loss)
        return loss

    def _advance(self, name: str, loss: torch.Tensor) -> None:
        optimiser, share = self.optimisers[name], self.step / max(1, self.settings.steps)
        for group in optimiser.param_groups:
            group["lr"] = FASTER[name] * self.settings.rate * min(1.0, 4 * (1 - share), (self.step + 1) / 50)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    def _follow(self) -> None:
        decay = min(self.settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for old, new in zip(self.average.parameters(), self.generator.parameters()):
                old.lerp_(new, 1 - decay)

    def save(self, path: Path) -> None:
        """Write networks, average and optimisers to ``path`` (safetensors), at once or not at all."""
        tensors: dict[str, torch.Tensor] = {}
        for part in ("generator", "discriminator", "average"):
            tensors |= {f"{part}.{k}": v.contiguous().clone() for k, v in getattr(self, part).state_dict().items()}
        for part, optimiser in self.optimisers.items():
            for number, state in optimiser.state_dict()["state"].items():
                tensors |= {f"adam.{part}.{number}.{k}": v.contiguous().clone() for k, v in state.items()}
        with replacing(path) as fresh:
            save_file(tensors, fresh, {"step": str(self.step)})

    def begin(self, path: Path) -> None:
        """Take over the generator of a shipped explainer; the discriminator stays untrained.

        Args:
            path: safetensors file of a generator of the same shape.
        """
        tensors = {key: value.float() for key, value in load_file(path).items()}
        for network in (self.generator, self.average):
            network.load_state_dict(tensors)

    def load(self, path: Path, step: int) -> None:
        """Go on from what :meth:`save` wrote at ``step``."""
        tensors = load_file(path)
        for part in ("generator", "discriminator", "average"):
            start = f"{part}."
            getattr(self, part).load_state_dict({k[len(start) :]: v for k, v in tensors.items() if k.startswith(start)})
        for part, optimiser in self.optimisers.items():
            content = optimiser.state_dict()
            for key, value in tensors.items():
                if key.startswith(f"adam.{part}."):
                    number, name = key.split(".")[2:]
                    content["state"].setdefault(int(number), {})[name] = value
            optimiser.load_state_dict(content)
        self.step = step
        self.draw.numpy = np.random.default_rng(step)
        self.draw.torch.manual_seed(step)


def reduced(films: torch.Tensor, side: int) -> torch.Tensor:
    """Films (N, 1, S, S) averaged down, or enlarged bilinearly, to ``side``."""
    if films.shape[-1] == side:
        return films
    return F.interpolate(films, (side, side), mode="bilinear", antialias=True, align_corners=False)


def run(trainer: Trainer, folder: Path, sample: Callable[[Trainer], dict[str, float]] | None = None) -> None:
    """Train to the end of the settings, from the last checkpoint in ``folder`` if there is one.

    Args:
        trainer: what to train. folder: for ``checkpoint.safetensors``, ``log.jsonl`` and samples.
        sample: called with the trainer at each checkpoint; what it returns is logged beside the losses.
    """
    checkpoint = folder / "checkpoint.safetensors"
    if checkpoint.is_file():
        with safe_open(checkpoint, "pt") as opened:
            trainer.load(checkpoint, int(opened.metadata()["step"]))
    recent: list[dict[str, float]] = []
    started = time.perf_counter()
    while trainer.step < trainer.settings.steps:
        recent.append(trainer.one_step())
        if trainer.step % 50 == 0 or trainer.step == trainer.settings.steps:
            means: dict[str, float] = {k: float(np.mean([r[k] for r in recent])) for k in recent[0]}
            row = {"step": trainer.step, "seconds": (time.perf_counter() - started) / len(recent)} | means
            at_rest = trainer.step % trainer.settings.every == 0 or trainer.step == trainer.settings.steps
            if at_rest:
                trainer.save(checkpoint)
                row |= sample(trainer) if sample is not None else {}
            trainer.log.append(row)
            with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            _log.info("%s", row)
            recent, started = [], time.perf_counter()
