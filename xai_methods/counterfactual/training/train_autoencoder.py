"""Train the autoencoder of latent shift: ``python -m xai_methods.counterfactual.training.train_autoencoder --help``.

It writes ``log.jsonl``, ``checkpoint.safetensors`` and a sheet of samples into ``--out`` as it goes, and goes on from
there when it is started again.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from classifiers.precision import training_precision
from classifiers.training import nih_data
from radiographs.files import replacing
from xai_methods.counterfactual.autoencoder import Autoencoder, AutoencoderShape
from xai_methods.counterfactual.training.films import channels_last, resized

BATCH, RATE, EVERY, AVERAGE = 16, 1.5e-3, 200, 0.995
_log = logging.getLogger("xai_methods.counterfactual")


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder laid out as docs/training.md says")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint, samples and metrics")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arguments.out.mkdir(parents=True, exist_ok=True)
    shape = AutoencoderShape()
    train, held = split_films(arguments.data, shape.side)
    with torch.random.fork_rng():
        torch.manual_seed(arguments.seed)
        network = Autoencoder(shape)
        channels_last(network)
    fit(network, train, held, arguments.out, arguments.steps, arguments.seed)


def split_films(data: Path, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Films (N, side, side) uint8 of training patients and of validation patients."""
    table = nih_data.make_split(data)
    side_of = dict(zip(table.patient_id.astype(int), table.split))
    labelled = nih_data.read_labelled(data)
    parts: dict[str, list[np.ndarray]] = {"train": [], "val": []}
    for source in (labelled[128], labelled[nih_data.LARGE], nih_data.read_boxed(data).films):
        sides = np.array([side_of[int(patient)] for patient in source.patients])
        for part, films in parts.items():
            films.append(resized(source.films[sides == part], side))
    return np.concatenate(parts["train"]), np.concatenate(parts["val"])


def drawing_loss(films: torch.Tensor, again: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of (N, 1, S, S) films, and of their steps from pixel to pixel."""
    steps = [(films.diff(dim=axis) - again.diff(dim=axis)).abs().mean() for axis in (2, 3)]
    return (films - again).abs().mean() + steps[0] + steps[1]


def fit(network: Autoencoder, train: np.ndarray, held: np.ndarray, out: Path, steps: int, seed: int) -> Autoencoder:
    """Train ``network`` from the last checkpoint in ``out``, if any; return the running average of its weights."""
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    average = {k: v.clone() for k, v in network.state_dict().items()}
    done = 0
    checkpoint = out / "checkpoint.safetensors"
    if checkpoint.is_file():
        with safe_open(checkpoint, "pt") as opened:
            done = int(opened.metadata()["step"])
        average = load_file(checkpoint)
        network.load_state_dict(average)
    rng, recent, started = np.random.default_rng(seed + done), [], time.perf_counter()
    while done < steps:
        films = torch.from_numpy(train[rng.integers(len(train), size=BATCH)]).float().div_(255)[:, None]
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, 2 * (1 - done / steps), (done + 1) / 50)
        with training_precision():
            again = network(films.contiguous(memory_format=torch.channels_last))
        loss = drawing_loss(films, again.float())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        done += 1
        with torch.no_grad():
            for key, value in network.state_dict().items():
                average[key].lerp_(value, 1 - min(AVERAGE, done / (done + 10)))
        recent.append(float(loss.detach()))
        if done % EVERY == 0 or done == steps:
            with replacing(checkpoint) as fresh:
                save_file({k: v.contiguous() for k, v in average.items()}, fresh, {"step": str(done)})
            row = {
                "step": done,
                "loss": float(np.mean(recent)),
                "seconds": (time.perf_counter() - started) / len(recent),
            }
            row["held_out"] = _sheet(average, network, held, out / f"samples-{done:05d}.png")
            with (out / "log.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            _log.info("%s", row)
            recent, started = [], time.perf_counter()
    network.load_state_dict(average)
    return network


@torch.inference_mode()
def _sheet(average: dict[str, torch.Tensor], network: Autoencoder, held: np.ndarray, path: Path) -> float:
    """Draw some held-out films again with the average weights, write them beside the films, return the difference."""
    last = {k: v.clone() for k, v in network.state_dict().items()}
    network.load_state_dict(average)
    films = torch.from_numpy(held[:: max(1, len(held) // 48)]).float().div(255)[:, None]
    again = network(films)
    network.load_state_dict(last)
    rows = torch.stack([films[:8, 0], again[:8, 0]]).permute(0, 2, 1, 3).flatten(2).flatten(0, 1)
    Image.fromarray(rows.mul(255).byte().numpy()).save(path)
    return float((films - again).abs().mean())


if __name__ == "__main__":
    main()
