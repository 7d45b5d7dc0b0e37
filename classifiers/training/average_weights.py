"""Average the weights of networks trained from one start: ``python -m classifiers.training.average_weights --help``.

Wortsman et al. 2022 (model soups, arXiv 2203.05482).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def averaged(paths: Sequence[Path], shares: Sequence[float] | None = None) -> dict[str, torch.Tensor]:
    """The weighted mean of the weights in several files, in float32; whole numbers are taken from the first.

    Args:
        paths: safetensors files of the same network. shares: their weights; by default all count alike.

    Raises:
        ValueError: the files are not of one network, or there is not one share a file.
    """
    given = [1.0] * len(paths) if shares is None else list(shares)
    if len(given) != len(paths) or sum(given) <= 0:
        raise ValueError(f"{len(paths)} files need {len(paths)} shares with a sum above 0, got {given}")
    states = [load_file(path) for path in paths]
    shapes = [{key: tensor.shape for key, tensor in state.items()} for state in states]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError("the files hold different networks; average weights of one network only")
    mean = {}
    for key, first in states[0].items():
        if first.is_floating_point():
            parts = (share * state[key].float() for share, state in zip(given, states))
            mean[key] = torch.stack(list(parts)).sum(dim=0) / sum(given)
        else:
            mean[key] = first
    return mean


def main() -> None:
    """Write the average."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--shares", type=float, nargs="+", help="one number a file; by default all count alike")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    state = averaged(arguments.weights, arguments.shares)
    save_file(
        {key: value.half() if value.is_floating_point() else value for key, value in state.items()}, arguments.out
    )


if __name__ == "__main__":
    main()
