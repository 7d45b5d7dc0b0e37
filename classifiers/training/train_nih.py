"""Train ``nih14-localised`` and its twin ``nih14``: ``python -m classifiers.training.train_nih --help``.

Both start from the same first stage (labels only, 160 pixels). The second stage (224 pixels) is the same for both,
films and schedule included, but for one term: ``nih14-localised`` also pulls the class maps into radiologists' boxes
(limited supervision, Li et al. 2018, arXiv 1711.06373).
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from classifiers.networks import chest_resnet18
from classifiers.training import nih_data
from classifiers.training.evaluate_nih import load_network
from classifiers.training.loop import Stage, load_weights, run_stage, save_network
from classifiers.training.nih_batches import Batches, TrainingFilms

_log = logging.getLogger("train_nih")

_FIRST = Stage(side=224, steps=360, body_rate=3e-4, head_rate=1e-3, frozen=True, large_share=0.3)
_SECOND = replace(_FIRST, steps=300, body_rate=2e-4, balanced=1 / 3)
_LATER: dict[str, Any] = {"flip": 0.25, "soften": 0.25, "smoothing": (0.01, 0.96)}
_LABELS = replace(
    _FIRST, side=192, steps=300, boxed=12, planted=2, box_weight=0.15, balanced=1 / 3, average=0.995, **_LATER
)
_OUTLINES = Stage(
    side=224,
    steps=170,
    labelled=24,
    boxed=20,
    planted=4,
    box_weight=0.25,
    body_rate=1.2e-4,
    head_rate=6e-4,
    frozen=True,
    large_share=1 / 3,
    balanced=1 / 3,
    average=0.99,
    **_LATER,
)
_LONG = replace(_OUTLINES, steps=600, labelled=40, boxed=18, planted=3, box_weight=0.2, body_rate=2e-4, average=0.995)
_DISTILLED = replace(_LONG, steps=360, distil=0.7)
_LARGER = replace(_DISTILLED, side=320, steps=240, labelled=32, boxed=20, planted=6)
_CONSISTENT = replace(
    _LARGER, steps=300, labelled=40, boxed=16, planted=4, large_share=0.4, distil=0.9, consistent=True, dropout=0.1
)
STAGES = {
    "shared": Stage(side=160, steps=400),
    "nih14": _FIRST,
    "nih14-second": _SECOND,
    "nih14-localised": replace(_FIRST, box_weight=0.1),
    "nih14-localised-second": replace(_SECOND, box_weight=0.2),
    "nih14-localised-labels": _LABELS,
    "nih14-localised-outlines": _OUTLINES,
    "nih14-localised-long": _LONG,
    "nih14-localised-distilled": _DISTILLED,
    "nih14-localised-larger": _LARGER,
    "nih14-localised-consistent": _CONSISTENT,
    "nih14-distilled": replace(_DISTILLED, box_weight=0.0),
    "nih14-labels": replace(_LABELS, box_weight=0.0),
    "nih14-outlines": replace(_OUTLINES, box_weight=0.0),
}


def main() -> None:
    """Run one stage from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", choices=sorted(STAGES))
    parser.add_argument("--data", type=Path, required=True, help="folder laid out as docs/training.md says")
    parser.add_argument("--out", type=Path, required=True, help="weights to write (safetensors)")
    parser.add_argument("--teachers", type=Path, nargs="+", default=(), help="weights whose answers are learned from")
    parser.add_argument("--start", type=Path, help="weights to start from; without it, ImageNet's")
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded films, kept between runs")
    parser.add_argument("--steps", type=int, help="number of steps, where it should not be the stage's own")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stage = replace(STAGES[arguments.variant], **({"steps": arguments.steps} if arguments.steps else {}))
    if stage.consistent and not arguments.teachers:
        parser.error(f"{arguments.variant} learns from what teachers say of each batch: name some with --teachers")
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(arguments.seed)
        if arguments.start is None:
            imagenet = load_file(arguments.data / "weights" / "resnet18_imagenet.safetensors")
            network = chest_resnet18(len(nih_data.FINDINGS), imagenet)
        else:
            network = chest_resnet18(len(nih_data.FINDINGS))
            load_weights(network, arguments.start)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        once = () if stage.consistent else arguments.teachers
        films = TrainingFilms(arguments.data, arguments.cache, planted=stage.planted > 0, teachers=once)
        watching = [load_network(path) for path in arguments.teachers] if stage.consistent else []
        batches = Batches(films, stage, arguments.seed, watching)
        average = run_stage(network, stage, len(nih_data.FINDINGS), batches.batch, arguments.out)
    dtype = torch.float32 if arguments.variant == "shared" else torch.float16
    settings = {"variant": arguments.variant, "seed": str(arguments.seed), "stage": json.dumps(asdict(stage))}
    save_network(average, arguments.out, settings, dtype)


if __name__ == "__main__":
    main()
