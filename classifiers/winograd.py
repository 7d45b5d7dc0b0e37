"""Convolutions of 3 x 3 by Winograd's algorithm, for passes on CPUs that have nothing faster than float32.

F(4 x 4, 3 x 3) of Lavin and Gray 2016, arXiv 1509.09308: four output pixels a side come of 36 products where sums of
products take 144. Rounding is about 5e-5 of a layer's spread, a hundredth of bfloat16's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

TILE = 4
"""Output pixels a side that are computed together."""
EDGE = TILE + 2
FEWEST_CHANNELS, FEWEST_TILES = 128, 64
"""Channels in and out, and tiles in a batch, below which carrying over and back costs more than it saves."""
MOST_BYTES = 24 * 2**20
"""Carried-over films of one part of a batch: few enough for the caches of a CPU."""

_film = torch.tensor(
    [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
     [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]], dtype=torch.float32,
)  # fmt: skip
_weight = torch.tensor(
    [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
     [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]], dtype=torch.float64,
)  # fmt: skip
_back = torch.tensor(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], dtype=torch.float32
)
_film_2d, _back_2d = torch.kron(_film, _film), torch.kron(_back, _back)
_carried, _turned = WeakTensorKeyDictionary(), WeakTensorKeyDictionary()
"""What was made of weights, with their version then; it goes when the network goes."""


class WinogradConvolutions(TorchFunctionMode):
    """Context in which this thread's convolutions go by Winograd's algorithm where that saves time; no gradients."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping | None = None
    ) -> Any:
        """Compute ``func``, or stand in for it."""
        if func is not F.conv2d or kwargs or len(args) != 7:
            return func(*args, **(kwargs or {}))
        return convolve(*args[:3]) if serves(*args) else func(args[0], in_layout(args[1]), *args[2:])


def serves(
    films: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> bool:
    """Whether a convolution, by the arguments of ``conv2d``, is of the kind that :func:`convolve` does faster."""
    if films.ndim != 4 or weight.shape[2:] != (3, 3) or groups != 1 or films.device.type != "cpu":
        return False
    if films.dtype != torch.float32 or weight.dtype != torch.float32 or min(weight.shape[:2]) < FEWEST_CHANNELS:
        return False
    if tuple(stride) != (1, 1) or padding not in ((1, 1), [1, 1]) or tuple(dilation) != (1, 1):
        return False
    return len(films) * _tiles(films.shape[2]) * _tiles(films.shape[3]) >= FEWEST_TILES


def convolve(films: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """Convolve (N, C, H, W) with (O, C, 3, 3), stride 1, padding 1: (N, O, H, W), channels last, all float32."""
    count, channels, height, width = films.shape
    down, across = _tiles(height), _tiles(width)
    products = carried_over(weight)
    found = films.new_empty(count, down, TILE, across, TILE, weight.shape[0])
    at_once = max(1, MOST_BYTES // (4 * EDGE * EDGE * down * across * channels))
    for first in range(0, count, at_once):
        part = films[first : first + at_once].permute(0, 2, 3, 1)
        padded = F.pad(part, (0, 0, 1, TILE * across + 1 - width, 1, TILE * down + 1 - height))
        film, row, column, channel = padded.stride()
        tiles = padded.as_strided(
            (EDGE, EDGE, len(part), down, across, channels), (row, column, film, TILE * row, TILE * column, channel)
        )
        spread = torch.mm(_film_2d, tiles.reshape(EDGE * EDGE, -1)).view(EDGE * EDGE, -1, channels)
        joined = torch.mm(_back_2d, torch.bmm(spread, products).view(EDGE * EDGE, -1))
        found[first : first + at_once] = joined.view(TILE, TILE, len(part), down, across, -1).permute(2, 3, 0, 4, 1, 5)
    whole = found.view(count, down * TILE, across * TILE, -1)[:, :height, :width]
    return (whole.contiguous() if bias is None else whole + bias).permute(0, 3, 1, 2)


def carried_over(weight: torch.Tensor) -> torch.Tensor:
    """Weights (O, C, 3, 3) as the (36, C, O) factors of the products."""

    def products() -> torch.Tensor:
        found = torch.einsum("ai,bj,ocij->abco", _weight, _weight, weight.detach().double())
        return found.reshape(EDGE * EDGE, weight.shape[1], weight.shape[0]).float().contiguous()

    return _remembered(_carried, weight, products)


def in_layout(weight: torch.Tensor) -> torch.Tensor:
    """The same weights, channels last, as films lie: oneDNN need not turn them round in each pass."""
    return _remembered(_turned, weight, lambda: weight.detach().contiguous(memory_format=torch.channels_last))


def _remembered(known: WeakTensorKeyDictionary, weight: torch.Tensor, make: Callable[[], torch.Tensor]) -> torch.Tensor:
    """What was made of a weight; made anew where it has been written to since."""
    version = 0 if weight.is_inference() else weight._version
    found = known.get(weight)
    if found is None or found[0] != version:
        known[weight] = found = version, make()
    made: torch.Tensor = found[1]
    return made


def _tiles(length: int) -> int:
    return -(-length // TILE)
