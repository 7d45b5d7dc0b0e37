"""Train an explainer of counterfactual films: ``python -m xai_methods.counterfactual.training.train --help``.

It writes ``log.jsonl``, ``checkpoint.safetensors`` and sample strips into ``--out`` as it goes, and goes on from there
when it is started again.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.stats import spearmanr

from classifiers.registry import load_classifier
from xai_methods.counterfactual.calibration import BalancedPosterior, fit_balanced, matching
from xai_methods.counterfactual.networks import Discriminator, Generator, GeneratorShape
from xai_methods.counterfactual.training.exaggeration import Draw, Explained, Trainer, TrainerSettings, reduced, run
from xai_methods.counterfactual.training.films import (
    ClassifiedFilms,
    channels_last,
    classifier_logits,
    lungs_and_heart,
    read_films,
)

FINDINGS = ("Cardiomegaly", "Effusion", "Atelectasis")
MATCHED = 200
"""Validation films on which logits at smaller input sides are matched to those at the full side."""
LEVELS = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nih14-localised", help="the classifier to explain, by its registered name")
    parser.add_argument("--findings", nargs="+", default=list(FINDINGS))
    parser.add_argument("--data", type=Path, required=True, help="folder laid out as docs/training.md says")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, samples and metrics")
    parser.add_argument("--stages", default="160:2500,192:1000,224:1500", help="classifier input side:steps, ...")
    parser.add_argument("--batch", type=int, default=TrainerSettings.batch)
    parser.add_argument("--start", type=Path, help="another run's checkpoint to start from")
    parser.add_argument("--weights", type=Path, help="a shipped generator to start from, such as another classifier's")
    parser.add_argument("--rate", type=float, default=TrainerSettings.rate, help="learning rate of the generator")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stages = tuple((int(side), int(steps)) for side, steps in (part.split(":") for part in arguments.stages.split(",")))
    arguments.out.mkdir(parents=True, exist_ok=True)
    trainer, films = build(
        arguments.model,
        tuple(arguments.findings),
        arguments.data,
        arguments.out,
        TrainerSettings(stages, arguments.batch, arguments.rate),
        arguments.seed,
    )
    if arguments.start is not None:
        trainer.load(arguments.start, 0)
    elif arguments.weights is not None:
        trainer.begin(arguments.weights)
    run(trainer, arguments.out, lambda now: sampled(now, films, arguments.out))


def build(
    model: str, findings: tuple[str, ...], data: Path, out: Path, settings: TrainerSettings, seed: int
) -> tuple[Trainer, ClassifiedFilms]:
    """Read films, calibrate the classifier and make untrained networks.

    Validation films alone hold too few of a rare finding (8 of 477 for Cardiomegaly) to calibrate on.
    """
    classifier = load_classifier(model, "cpu")
    channels_last(classifier.network)
    films = read_films(classifier, data, out.parent)
    columns = tuple(classifier.column(finding) for finding in findings)
    held = np.flatnonzero(films.validation)
    posteriors = tuple(fit_balanced(films.logits[:, c], films.labels[:, c] > 0) for c in columns)
    matched = {
        side: _matched(
            classifier_logits(classifier, films.films[held[:MATCHED]], side), films.logits[held[:MATCHED]], columns
        )
        for side in sorted({classifier.side} | {side for side, _ in settings.stages})
    }
    preprocessing = classifier.preprocessing
    explained = Explained(
        classifier.network, preprocessing.low, preprocessing.high, columns, posteriors, matched, lungs_and_heart
    )
    training = np.flatnonzero(~films.validation)
    draw = Draw(films.films[training], balanced(films.logits[training], columns, posteriors), seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        shape = GeneratorShape(len(findings))
        networks = Generator(shape), Discriminator(len(findings))
    for network in networks:
        channels_last(network)
    description = {
        "classifier": classifier.digest,
        "model": model,
        "findings": list(findings),
        "shape": shape.as_dict(),
        "posteriors": [asdict(p) for p in posteriors],
        "settings": asdict(settings),
        "films": len(training),
        "calibration_films": len(held),
        "matched": {side: values.tolist() for side, values in matched.items()},
    }
    (out / "run.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
    return Trainer(*networks, explained, draw, settings), films


def _matched(other: np.ndarray, reference: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    return np.array([matching(reference[:, c], other[:, c]) for c in columns], dtype=np.float32)


def balanced(logits: np.ndarray, columns: tuple[int, ...], posteriors: tuple[BalancedPosterior, ...]) -> np.ndarray:
    """Balanced posteriors (N, F) of (N, C) logits."""
    return np.stack([p.of(torch.from_numpy(logits[:, c])).numpy() for c, p in zip(columns, posteriors)], axis=1)


@torch.inference_mode()
def sampled(trainer: Trainer, films: ClassifiedFilms, out: Path, number: int = 16) -> dict[str, float]:
    """Exaggerate the same validation films at the full side; write a strip each; return how near the targets came."""
    explained, generator = trainer.explained, trainer.average
    held = np.flatnonzero(films.validation)
    posteriors = balanced(films.logits[held], explained.columns, explained.posteriors)
    figures: dict[str, float] = {}
    levels = torch.tensor(LEVELS)
    for k in range(len(explained.columns)):
        order = held[np.argsort(posteriors[:, k])]
        chosen = order[np.linspace(0, len(order) - 1, number).astype(int)]
        strips, reached, difference = [], [], []
        for row in chosen:
            film = torch.from_numpy(films.films[row]).float().div(255)[None, None]
            finding = torch.full((len(levels),), k)
            own = explained.posteriors[k].of(torch.tensor(films.logits[row, explained.columns[k]])).expand(len(levels))
            made = generator(reduced(film, generator.shape.side), finding, own, levels).apply(film)
            reached.append(torch.sigmoid(explained.log_odds(made, finding)).numpy())
            difference.append(float((made - film).abs().mean()))
            change = (0.5 + 2 * (made[-1:] - made[:1])).clamp(0, 1)
            strips.append(torch.cat([film, made, change])[:, 0, ::2, ::2].permute(1, 0, 2).flatten(1))
        found = np.array(reached)
        figures[f"spearman_{k}"] = float(spearmanr(np.tile(LEVELS, number), found.ravel())[0])
        figures[f"absent_{k}"], figures[f"present_{k}"] = (
            float(v) for v in ((found[:, 0] < 0.5).mean(), (found[:, -1] > 0.5).mean())
        )
        figures[f"moved_{k}"] = float(np.mean(difference))
        picture = torch.cat(strips[:: max(1, number // 8)]).mul(255).byte().numpy()
        Image.fromarray(picture).save(out / f"samples-{k}-{trainer.step:05d}.png")
    return figures


if __name__ == "__main__":
    main()
