"""Many forward passes for one request: in batches sized by measuring, in a chosen precision."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from classifiers import ChestClassifier
from classifiers.precision import PRECISIONS, settle_precision
from xai_methods.method import BATCH, Request
from xai_methods.parameters import parameter

ON_CPU = (8, 16, BATCH)
"""Batch sizes that are tried on a CPU; more films at once no longer fit its caches."""
ON_GPU = (32, 64, 128, 256, 512)
TRIALS = 3
"""Batches of each size before one is chosen; the first of them warms up and does not count."""
NEAR = 1.05
"""Among sizes whose time a film is within this of the best, the smallest is taken: it hears of cancelling sooner."""

_sizes: WeakKeyDictionary[ChestClassifier, dict[str, BatchSize]] = WeakKeyDictionary()
_sizes_lock = threading.Lock()

Compose = Callable[[int, int], torch.Tensor]
"""Films from a first to before a last number: (N, 1, S, S), in the classifier's range."""


def precision_parameter(what: str = "passes") -> Any:
    """Declare the field ``precision`` of a method's parameters; ``what`` is computed in it."""
    return parameter(
        "auto",
        f"Precision of the {what}: auto takes bfloat16 where the CPU or GPU computes in it, else float32 "
        "the fastest way.",
        choices=PRECISIONS,
    )


class BatchSize:
    """The batch size at which a film costs least, found from the times of the work itself. Safe between threads.

    Args:
        candidates: sizes to try, rising.
    """

    def __init__(self, candidates: tuple[int, ...]) -> None:
        self._times: dict[int, list[float]] = {size: [] for size in candidates}
        self._best: int | None = None
        self._lock = threading.Lock()

    @property
    def best(self) -> int | None:
        """The size chosen; None until each was tried often enough."""
        return self._best

    def propose(self) -> int:
        """The size of the next batch."""
        with self._lock:
            untried = [size for size, times in self._times.items() if len(times) < TRIALS]
            return self._best or untried[0]

    def note(self, films: int, seconds: float) -> None:
        """Hear how long a batch of ``films`` took."""
        with self._lock:
            if self._best is not None or films not in self._times:
                return
            self._times[films].append(seconds / films)
            if all(len(times) >= TRIALS for times in self._times.values()):
                price = {size: min(times[1:]) for size, times in self._times.items()}
                self._best = min(size for size in price if price[size] <= NEAR * min(price.values()))

    def limit(self, most: int) -> None:
        """Give up sizes above ``most`` (the smallest stays): the device has no memory for them."""
        with self._lock:
            smallest = min(self._times)
            self._times = {size: times for size, times in self._times.items() if size <= max(most, smallest)}
            if self._best is not None:
                self._best = min(self._best, max(self._times))


def batch_size(classifier: ChestClassifier, precision: str) -> BatchSize:
    """What is known, while it lives, of the best batch size of ``classifier`` on its device in ``precision``."""
    key = f"{classifier.device} {precision}"
    with _sizes_lock:
        known = _sizes.setdefault(classifier, {})
        if key not in known:
            known[key] = BatchSize(ON_CPU if classifier.device.type == "cpu" else ON_GPU)
        return known[key]


def predict_batch(request: Request, films: torch.Tensor, precision: str) -> np.ndarray:
    """Logits (N, C) float32 of all findings for one batch of ``films``, in "float32", "winograd" or "bfloat16".

    How long it took is noted, for the batch size.
    """
    sizes, started = batch_size(request.classifier, precision), time.perf_counter()
    with _watching_memory(sizes, len(films), films.device):
        logits = request.all_logits(films, precision).cpu().numpy()
    sizes.note(len(films), time.perf_counter() - started)
    return logits


def predict_logits(
    request: Request,
    compose: Compose,
    count: int,
    precision: str = "float32",
    span: tuple[float, float] = (0.0, 1.0),
    on_batch: Callable[[int, int, np.ndarray], None] | None = None,
) -> np.ndarray:
    """The explained logit of ``count`` films, a batch at a time; between batches ``request`` reports and may cancel.

    Args:
        request: which logit. compose: makes films ``first`` to before ``last``.
        precision: one of ``PRECISIONS``. span: shares of the whole work that are done before and after.
        on_batch: called after each batch its first number, the number after its last, and its logits.

    Returns:
        (count,) float64: the explained logit of each film.

    Raises:
        Cancelled: the work was cancelled.
    """
    settled = settle_precision(precision, request.film.device)
    sizes, logits, first = batch_size(request.classifier, settled), np.empty(count), 0
    while first < count:
        last = min(first + sizes.propose(), count)
        logits[first:last] = predict_batch(request, compose(first, last), settled)[:, request.column]
        if on_batch is not None:
            on_batch(first, last, logits[first:last])
        first = last
        request.report(span[0] + (span[1] - span[0]) * first / count)
    return logits


@contextmanager
def _watching_memory(sizes: BatchSize, films: int, device: torch.device) -> Iterator[None]:
    """Measure what a batch takes of a GPU's memory; give up sizes that would take more than half of what is free."""
    if device.type != "cuda" or sizes.best is not None:
        yield
        return
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    yield
    taken = max(torch.cuda.max_memory_allocated(device) - before, 1)
    sizes.limit(affordable(taken / films, torch.cuda.mem_get_info(device)[0]))


def affordable(bytes_a_film: float, free: int) -> int:
    """Films whose passes take at most half of ``free`` bytes."""
    return int(free / 2 / bytes_a_film)


def empty_films(count: int, like: torch.Tensor) -> torch.Tensor:
    """Room for (count, 1, S, S) films in the channels-last layout, in which convolutions run faster."""
    side = like.shape[-2:]
    return torch.empty((count, 1, *side), dtype=like.dtype, device=like.device, memory_format=torch.channels_last)
