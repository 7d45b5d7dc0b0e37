"""Which layer the class-activation maps read, and where its output holds cells of the film: found by tracing.

No name is trusted. A band of rows, then one of columns, of a film is drawn anew; what is a row of cells in a layer's
output follows the band from place to place, what is a channel does not. Of the layers whose cells are found, and whose
cells the logits hang on, the last to run is taken: on a network that pools by a class token, that lies before the last
attention, for behind it the logits read nothing but that token.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

BANDS = 8
"""Bands of rows, and of columns, that are drawn anew one after the other."""
FOLLOWS = 0.8
"""Least correlation, over a layer's cells, of where they lie with where the film's changes reach them most."""
LEAST_SIDE = 128
"""A network that takes films of any size is traced on films of at least this many pixels a side."""
_READ = 0.5
"""Least share of a layer's cells that the logits depend on."""
TOKENS_FOLLOW = 0.6
"""The same over tokens, of which there are many more than rows."""
MOST_EXTRA = 16
"""Most tokens that are no cell of the film: class, distillation and register tokens."""
_LOTS = (2, 8, 32)
"""How many layers are traced at once, from the last backwards: the last two nearly always hold the answer."""
_QUIET = (
    *(nn.Identity, nn.Dropout, nn.Dropout2d, nn.Flatten, nn.MaxPool2d, nn.AvgPool2d),
    *(nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
)


class NoCamLayerError(LookupError):
    """No layer could be verified. The message says why, in a sentence."""


@dataclass(frozen=True)
class CellLayout:
    """Where a layer's output (N, ...) holds channels and cells; by default feature maps (N, K, h, w).

    Attributes:
        channels, rows, columns: their axes; of tokens, rows and columns are the one axis of tokens.
        grid: (h, w) of tokens, row by row; None where rows and columns are axes. first: the first token that is a cell.
    """

    channels: int = 1
    rows: int = 2
    columns: int = 3
    grid: tuple[int, int] | None = None
    first: int = 0

    def maps(self, output: torch.Tensor) -> torch.Tensor:
        """View a layer's output, or its gradient, as feature maps (N, K, h, w).

        Raises:
            ValueError: the output does not lie as it was found to.
        """
        if output.ndim != (4 if self.grid is None else 3):
            raise ValueError(f"an output of {output.ndim} axes is not laid out as it was when the layer was traced")
        if self.grid is None:
            return output.permute(0, self.channels, self.rows, self.columns)
        height, width = self.grid
        tokens = output.transpose(1, 2) if self.rows == 1 else output
        return tokens[:, :, self.first : self.first + height * width].unflatten(2, (height, width))


@dataclass(frozen=True)
class CamLayer:
    """A verified layer: its dotted name and its layout."""

    name: str
    layout: CellLayout


def find_cam_layer(network: nn.Module, side: int, span: tuple[float, float] = (0.0, 1.0), name: str = "") -> CamLayer:
    """Find the layer that class-activation maps read, or verify the one that is named.

    Args:
        network: in evaluation mode; maps (N, 1, side, side) to logits. span: input values of black and white.
        name: dotted name of the layer; where "", the last one that fits.

    Raises:
        NoCamLayerError: there is none, or it is not the one named.
    """
    if side < LEAST_SIDE:
        # On a small film each cell sees all of it, and changes with every band: a larger one tells more.
        try:
            larger = find_cam_layer(network, LEAST_SIDE, span, name)
        except (RuntimeError, ValueError, AssertionError, NoCamLayerError):
            larger = None  # the network takes films of its own size only
        if larger is not None and larger.layout.grid is None:
            return larger
    base, changed = _films(side, span)
    only = {name} if name else None
    gradients = {n: g for n, g in _gradients(network, base, only).items() if _spreads(g)}
    for late in _lots(list(gradients)[::-1]):
        traces = _trace(network, base, changed, late)
        for found in late:
            shape = tuple(gradients[found].shape)
            layout = _layout(shape, traces[found]) if found in traces else None
            if layout is not None and _reached(layout.maps(gradients[found])):
                inner = _before_pooling(network, found) if not name else found
                if inner != found:
                    return find_cam_layer(network, side, span, inner)
                return CamLayer(found, layout)
    if name:
        shown = name.removeprefix("network.")
        raise NoCamLayerError(
            f"the layer {shown!r} puts out nothing in which the cells of the film could be found, or the logits do not "
            "depend on them"
        )
    raise NoCamLayerError(
        "no layer was found whose output follows the film from place to place and on which the logits depend, so there "
        "is nothing that class-activation maps could read"
    )


def _lots(names: list[str]) -> Iterator[list[str]]:
    for size in _LOTS:
        if names:
            yield names[:size]
        names = names[size:]


def _films(side: int, span: tuple[float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """A film of noise (1, 1, S, S), and (2 x BANDS, 1, S, S) in which one band of rows, or of columns, is another's."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 1, max(2, side // 8), max(2, side // 8), generator=generator)
    films = 0.5 * F.interpolate(coarse, (side, side), mode="bilinear") + 0.5 * torch.rand(
        2, 1, side, side, generator=generator
    )
    base, other = (span[0] + (span[1] - span[0]) * films).split(1)
    edges = np.linspace(0, side, BANDS + 1).round().astype(int)
    changed = base.repeat(2 * BANDS, 1, 1, 1)
    for band, (start, end) in enumerate(itertools.pairwise(edges)):
        changed[band, :, start:end] = other[0, :, start:end]
        changed[BANDS + band, :, :, start:end] = other[0, :, :, start:end]
    return base, changed


@contextmanager
def _listening(network: nn.Module, names: set[str] | None, hear: Any) -> Iterator[None]:
    """Call ``hear(name, output)`` when a module has run that puts out maps or tokens of films."""

    def hook(name: str) -> Any:
        def heard(module: nn.Module, given: object, output: object) -> None:
            if isinstance(output, torch.Tensor) and output.ndim in (3, 4):
                hear(name, output)

        return heard

    handles = [
        module.register_forward_hook(hook(name))
        for name, module in network.named_modules()
        if name and (name in names if names is not None else not isinstance(module, (*_QUIET, nn.Linear)))
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _gradients(network: nn.Module, film: torch.Tensor, names: set[str] | None) -> dict[str, torch.Tensor]:
    """Gradient of the logits with respect to each module's output, in the order in which the modules ran last."""
    heard: dict[str, torch.Tensor] = {}

    def hear(name: str, output: torch.Tensor) -> None:
        heard.pop(name, None)
        if output.requires_grad and output.shape[0] == 1:
            heard[name] = output

    with torch.inference_mode(False), torch.enable_grad():
        with _listening(network, names, hear):
            logits = network(film.clone().requires_grad_())
        if not heard or not logits.requires_grad:
            return {}
        weights = torch.linspace(1, 2, logits.numel(), device=logits.device).reshape(logits.shape)
        found = torch.autograd.grad((logits * weights).sum(), list(heard.values()), allow_unused=True)
    return {name: gradient for name, gradient in zip(heard, found) if gradient is not None}


def _spreads(gradient: torch.Tensor) -> bool:
    """Whether there is room for more than one cell in both directions, and the logits read most of what lies there."""
    if gradient.ndim == 4 and sorted(gradient.shape[1:])[1] < 2:
        return False
    read, axes = gradient != 0, range(1, gradient.ndim)
    each = (read.sum(dim=[a for a in axes if a != axis]) > 0 for axis in axes)
    return all(float(entries.float().mean()) >= _READ for entries in each)


def _reached(gradient: torch.Tensor) -> bool:
    """Whether the logits depend on enough of the cells of (1, K, h, w)."""
    return float((gradient != 0).any(dim=1).float().mean()) >= _READ


def _trace(
    network: nn.Module, base: torch.Tensor, changed: torch.Tensor, names: list[str]
) -> dict[str, list[np.ndarray]]:
    """By module, for each axis of its output after the first, (2 x BANDS, entries): how far bands move entries."""
    still: dict[str, torch.Tensor] = {}
    moved: dict[str, list[list[torch.Tensor]]] = {name: [] for name in names}

    def keep(name: str, output: torch.Tensor) -> None:
        still[name] = output.clone()

    def compare(name: str, output: torch.Tensor) -> None:
        if output.shape[1:] != still[name].shape[1:]:
            return
        difference = (output - still[name]).float().square()
        axes = range(1, output.ndim)
        latest[name] = [difference.sum(dim=[a for a in axes if a != axis]) for axis in axes]

    batch = max(1, int(8 * (224 / base.shape[-1]) ** 2))
    with torch.inference_mode():
        with _listening(network, set(names), keep):
            network(base)
        for films in changed.split(batch):
            latest: dict[str, list[torch.Tensor]] = {}
            with _listening(network, set(names), compare):
                network(films)
            for name, marginals in latest.items():
                moved[name].append(marginals)
    return {
        name: [torch.cat(parts).double().cpu().numpy() for parts in zip(*batches)]
        for name, batches in moved.items()
        if batches and sum(len(marginals[0]) for marginals in batches) == len(changed)
    }


def _places(moved: np.ndarray) -> np.ndarray:
    """Of (BANDS, entries): the band, 0 to 1, that moves each entry most, as a mean over what stands above the least."""
    moved = moved / np.maximum(moved.sum(axis=1, keepdims=True), 1e-30)
    moved = moved - moved.min(axis=0)
    total = moved.sum(axis=0)
    bands = np.linspace(0, 1, BANDS)
    return np.where(total > 0, bands @ moved / np.where(total > 0, total, 1), 0.5)


def _follows(places: np.ndarray, wanted: np.ndarray) -> float:
    """Correlation of where entries lie with where they should; 0 where nothing varies."""
    if np.ptp(places) == 0 or np.ptp(wanted) == 0:
        return 0.0
    return float(np.corrcoef(places, wanted)[0, 1])


def _layout(shape: tuple[int, ...], traced: list[np.ndarray]) -> CellLayout | None:
    """The layout in which an output's cells follow the bands best; None where none does."""
    rows = [_places(axis[:BANDS]) for axis in traced]
    columns = [_places(axis[BANDS:]) for axis in traced]
    if len(shape) == 4:
        found = [
            (min(_rising(rows[r - 1]), _rising(columns[c - 1])), CellLayout(6 - r - c, r, c))
            for r in (1, 2, 3)
            for c in (1, 2, 3)
            if r != c and min(shape[r], shape[c]) > 1
        ]
    else:
        found = [made for axis in (1, 2) for made in _token_layouts(axis, rows[axis - 1], columns[axis - 1])]
    fitting = [one for one in found if one[0] >= (FOLLOWS if one[1].grid is None else TOKENS_FOLLOW)]
    # Few tokens can follow by chance, many cannot: of token grids, the largest that fits is the right one.
    return max(fitting, key=lambda one: (math.prod(one[1].grid or ()), one[0]), default=(0.0, None))[1]


def _rising(places: np.ndarray) -> float:
    return _follows(places, np.arange(len(places)))


def _token_layouts(axis: int, rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[float, CellLayout]]:
    """All grids in which tokens along ``axis`` could lie, the others before or behind them, and how well each fits."""
    count = len(rows)
    for extra in range(min(MOST_EXTRA, count - 4) + 1):
        cells = count - extra
        for height in range(2, cells // 2 + 1):
            width = cells // height
            # Where a whole row would be left over, it is a row of cells.
            if height * width != cells or not 0.25 <= height / width <= 4 or extra >= max(3, min(height, width)):
                continue
            for first in {extra, 0}:
                down, across = (grid.ravel() for grid in np.mgrid[:height, :width])
                inside = slice(first, first + cells)
                fit = min(_follows(rows[inside], down), _follows(columns[inside], across))
                yield fit, CellLayout(3 - axis, axis, axis, (height, width), first)


def _before_pooling(network: nn.Module, name: str) -> str:
    """Step from a sequence that ends in a pooling (VGG) to the layer before it."""
    module = network.get_submodule(name)
    if not isinstance(module, nn.Sequential):
        return name
    children = [n for n, child in module.named_children() if not isinstance(child, _QUIET)]
    last = list(module.children())[-1]
    return f"{name}.{children[-1]}" if isinstance(last, _QUIET) and children else name
