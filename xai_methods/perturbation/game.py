"""The game "which superpixels are shown": logits of films with regions hidden, each computed once for all methods."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from itertools import chain
from weakref import WeakKeyDictionary

import numpy as np
import torch

from classifiers import ChestClassifier
from classifiers.precision import settle_precision
from xai_methods.method import Attribution, Request
from xai_methods.passes import batch_size, predict_batch
from xai_methods.perturbation.masking import Regions, SamplingParameters
from xai_methods.perturbation.sampling_plan import E, SamplingPlan, settle

TRIED, TWICE = 32, 4
"""Coalitions predicted before "auto" is settled, and how many of them in both precisions."""
ROUGHEST = 0.05
"""Most that rounding may scatter logits, as a share of what hiding regions scatters them."""
MOST_BYTES = 32 << 20
"""Bytes that the remembered games of one classifier may take, the least recently used games go first."""
PER_GAME, PER_COALITION = 40_000, 256
"""Bytes that a game takes, and each coalition of it beside its logits."""
EARLIEST = 1.2
"""Pairs of coalitions a superpixel from which a map is shown early: just enough to tell all superpixels apart."""
WAIT = 0.05
"""Seconds between two looks whether work is still wanted, while other threads compute the rest of it."""


class Answers:
    """The logits of one game, of all findings, by coalition. Threads that want the same share the work."""

    def __init__(self) -> None:
        self._known: dict[bytes, np.ndarray] = {}
        self._begun: set[bytes] = set()
        self._changed = threading.Condition()
        self.bytes = PER_GAME
        """Bytes that it takes."""

    def get(self, coalition: bytes) -> np.ndarray | None:
        """(C,) float32 logits of a coalition; None where they are not known."""
        return self._known.get(coalition)

    def __getitem__(self, coalition: bytes) -> np.ndarray:
        """(C,) float32 logits of a known coalition."""
        return self._known[coalition]

    def lacking(self, coalitions: list[bytes]) -> list[bytes]:
        """Those that are not known, in order."""
        with self._changed:
            return [one for one in coalitions if one not in self._known]

    def begin(self, coalitions: list[bytes], most: int) -> list[bytes]:
        """Up to ``most`` of the coalitions, which the caller must compute and :meth:`end`; others have begun the rest.

        Where there are none, it waits a little for the others.
        """
        with self._changed:
            mine = [one for one in coalitions if one not in self._known and one not in self._begun][:most]
            self._begun.update(mine)
            if not mine:
                self._changed.wait(WAIT)
        return mine

    def end(self, coalitions: list[bytes], logits: np.ndarray | None) -> None:
        """Hand in (N, C) logits of what was begun; None where it came to nothing."""
        with self._changed:
            self._begun.difference_update(coalitions)
            if logits is not None:
                self._known.update(zip(coalitions, logits))
                self.bytes += len(coalitions) * PER_COALITION + logits.nbytes
            self._changed.notify_all()


_answers: WeakKeyDictionary[ChestClassifier, OrderedDict[bytes, Answers]] = WeakKeyDictionary()
_lock = threading.Lock()


def forget_answers(classifier: ChestClassifier) -> None:
    """Forget all logits of ``classifier``, as whoever times its methods must."""
    with _lock:
        _answers.pop(classifier, None)


def answers_of(classifier: ChestClassifier, regions: Regions, precision: str) -> Answers:
    """What is known of a film under its regions. It is known by content, the network's weights included."""
    digest = hashlib.sha256(f"{precision} {regions.film.device} {regions.labels.shape}".encode())
    digest.update(np.ascontiguousarray(regions.labels).tobytes())
    for film in (regions.film, regions.hidden):
        digest.update(film.cpu().contiguous().numpy().tobytes())
    # Weights that were written to or replaced are another network.
    for tensor in chain(classifier.network.parameters(), classifier.network.buffers()):
        digest.update(f"{tensor.data_ptr()} {0 if tensor.is_inference() else tensor._version}".encode())
    with _lock:
        known = _answers.setdefault(classifier, OrderedDict())
        found = known.setdefault(digest.digest(), Answers())
        known.move_to_end(digest.digest())
        while len(known) > 1 and sum(game.bytes for game in known.values()) > MOST_BYTES:
            known.popitem(last=False)
    return found


def coalition_logits(
    request: Request,
    regions: Regions,
    coalitions: np.ndarray,
    precision: str = "float32",
    span: tuple[float, float] = (0.0, 1.0),
    after_batch: Callable[[], None] | None = None,
) -> np.ndarray:
    """Explained logit of the film under each coalition of shown superpixels.

    What any method has had computed of the same film and regions, for any finding, is not computed again. Films are
    composed and predicted a batch at a time, and ``request`` hears of the progress and may cancel between batches.

    Args:
        request: the question. regions: the film and its superpixels.
        coalitions: (N, K) bool, True where a superpixel is shown.
        precision: of the passes, one of ``PRECISIONS``. span: shares of the whole work done before and after.
        after_batch: called after each batch, when some more logits are known.

    Returns:
        (N,) float64 logits.

    Raises:
        Cancelled: the work was cancelled.
    """
    settled = settle_precision(precision, request.film.device)
    answers = answers_of(request.classifier, regions, settled)
    keys = _keys(coalitions)
    places = {key: place for place, key in enumerate(keys)}
    wanted = list(places)
    while left := answers.lacking(wanted):
        mine, logits = answers.begin(left, batch_size(request.classifier, settled).propose()), None
        try:
            if mine:
                rows = torch.as_tensor(coalitions[[places[key] for key in mine]], device=request.film.device)
                logits = predict_batch(request, regions.composites(rows), settled)
        finally:
            answers.end(mine, logits)
        done = 1 - (len(left) - len(mine)) / len(wanted)
        request.report(min(span[0] + (span[1] - span[0]) * done, span[1]))
        if after_batch is not None:
            after_batch()
    request.report(span[1])
    return np.array([answers[key][request.column] for key in keys], dtype=np.float64)


def _keys(coalitions: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in np.packbits(coalitions, axis=1)]


class Game:
    """The game "which superpixels are shown": (N, K) bool coalitions to (N,) float64 logits.

    The empty and the full coalition are always predicted in float32, so that what is shared out is exact. Where "auto"
    would take bfloat16, a few films are predicted both ways first: a game whose answers hardly move drowns in rounding.

    Args:
        request: the question. regions: the film and its superpixels.
        precision: of all other passes. budget: coalitions there will be at most, for the progress.
        after_batch: called after each batch, when some more logits are known (see :meth:`leading`).
    """

    def __init__(
        self,
        request: Request,
        regions: Regions,
        precision: str,
        budget: int,
        after_batch: Callable[[], None] | None = None,
    ) -> None:
        self.request, self.regions, self.precision = request, regions, precision
        self.after_batch = after_batch
        self.budget = max(budget, 1)
        self.requested = 0
        rough = precision == "auto" and settle_precision(precision, request.film.device) == "bfloat16"
        self._untried = TRIED if rough else 0

    def __call__(self, coalitions: np.ndarray) -> np.ndarray:
        """Logit of each coalition; equal ones within a call are predicted once."""
        ends = coalitions.all(axis=1) | ~coalitions.any(axis=1)
        logits = np.empty(len(coalitions))
        for these, precision in ((ends, "float32"), (~ends, self.precision)):
            if these.any():
                logits[these] = self._predict(coalitions[these], precision)
        return logits

    def _predict(self, coalitions: np.ndarray, precision: str) -> np.ndarray:
        if precision == "auto" and self._untried and len(coalitions) > TWICE:
            first, self._untried = coalitions[: self._untried], 0
            logits = self._predict(first, "bfloat16")
            done = min(self.requested / self.budget, 1.0)
            exact = coalition_logits(self.request, self.regions, first[:TWICE], "float32", (done, done))
            if np.std(exact - logits[:TWICE], ddof=1) > ROUGHEST * np.std(logits):
                self.precision = "float32"
                return self._predict(coalitions, "float32")
            return np.concatenate([logits, self._predict(coalitions[len(first) :], precision)])
        before, self.requested = self.requested, self.requested + len(coalitions)
        span = (min(before / self.budget, 1.0), min(self.requested / self.budget, 1.0))
        return coalition_logits(self.request, self.regions, coalitions, precision, span, self.after_batch)

    def leading(self, coalitions: np.ndarray) -> np.ndarray:
        """Logits of the first of ``coalitions``, up to one that is not known yet."""
        device, classifier = self.request.film.device, self.request.classifier
        exact, others = (
            answers_of(classifier, self.regions, settle_precision(precision, device))
            for precision in ("float32", self.precision)
        )
        ends = np.logical_or(coalitions.all(axis=1), ~coalitions.any(axis=1))
        found = []
        for key, end in zip(_keys(coalitions), ends):
            logits = (exact if end else others).get(key)
            if logits is None:
                break
            found.append(logits[self.request.column])
        return np.array(found, dtype=np.float64)


def play(
    request: Request,
    regions: Regions,
    plan: SamplingPlan,
    parameters: SamplingParameters,
    estimate: Callable[[SamplingPlan, np.ndarray], E],
    attribution: Callable[[Regions, E], Attribution],
) -> E:
    """Evaluate coalitions of a plan until the estimate is settled (see ``sampling_plan.settle``), and show it before.

    Args:
        estimate: from the first pairs of a plan and the logits of all that it has ``chosen``.
        attribution: the map of an estimate, for whoever looks before the work is done.
    """
    chosen, fewest = plan.chosen, plan.whole + int(EARLIEST * regions.count)

    def show() -> None:
        known = game.leading(chosen)
        pairs = (len(known) - 2) // 2
        if pairs >= fewest:
            request.show(lambda: attribution(regions, estimate(plan.first(pairs), known[: 2 * pairs + 2])))

    game = Game(request, regions, parameters.precision, len(chosen), show if request.early else None)
    return settle(game, plan, parameters.stop_at, estimate)
