"""The contract every explanation method keeps."""

from __future__ import annotations

import inspect
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import torch

from classifiers import ChestClassifier
from classifiers.memory import saying_out_of_memory
from radiographs import Radiograph
from radiographs.places import asset
from xai_methods.explanation import EARLY, Cancelled, Explanation
from xai_methods.parameters import Parameters

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[float], None]
Role = Literal["main", "further", "baseline"]
Unit = Literal["logit per grey range", "share of the logit", "arbitrary"]
"""What a map's values are: how far the logit moves as a pixel goes from black to white (a sensitivity), how much of the
logit a pixel or superpixel brings in (a contribution), or numbers of which the order alone means something."""
NEED_GRADIENTS = frozenset({"gradient", "relevance", "attention", "counterfactual"})
"""Families whose methods go back down the network; the others need its answers alone, or one layer's output."""
BATCH = 32
"""Films in one forward pass of a perturbation method."""
EARLY_SECONDS = 0.8
"""Least time between two early maps: each is drawn anew, and people cannot see more."""


@dataclass(frozen=True)
class Attribution:
    """What a method hands back: (S, S) values and what is known of them (see ``Explanation`` for the fields).

    ``logit`` is the film's explained logit where the method came by it; else a pass is spent on it.
    """

    values: np.ndarray
    cells: tuple[int, int] | None = None
    regions: np.ndarray | None = None
    diagnostics: dict[str, float] = field(default_factory=dict)
    logit: float | None = None

    def as_early(self, films: int) -> Attribution:
        """The same, marked as shown before its work was done, after so many ``films``."""
        return replace(self, diagnostics=self.diagnostics | {EARLY: float(films)})


@dataclass(eq=False)
class Request:
    """One question to a method: which film, which logit, and how to report and stop.

    Attributes:
        classifier: the model. Whoever hooks it holds ``classifier.lock``.
        film: (1, 1, S, S) input, in the classifier's range, on its device.
        column: index of the explained logit. finding: its name.
        parameters: the method's own. rng: the only source of randomness.
        evaluations: count of forward passes so far.
        early: takes the map as it stands now; None where nobody looks before the work is done.
    """

    classifier: ChestClassifier
    film: torch.Tensor
    column: int
    finding: str
    parameters: Parameters
    seed: int
    rng: np.random.Generator
    progress: Progress
    cancelled: Callable[[], bool]
    evaluations: int = 0
    early: Callable[[Attribution], None] | None = None
    _shown: float = -math.inf

    def show(self, estimate: Callable[[], Attribution]) -> None:
        """Show the map as it stands now, where somebody looks and has not just seen one; ``estimate`` makes it then.

        It changes nothing of the map that the work ends with.
        """
        if self.early is not None and time.perf_counter() - self._shown >= EARLY_SECONDS:
            self.early(estimate())
            self._shown = time.perf_counter()

    def report(self, share: float) -> None:
        """Say which share of the work is done (0 to 1) and stop where the work is no longer wanted.

        Raises:
            Cancelled: the work was cancelled.
        """
        if self.cancelled():
            raise Cancelled
        self.progress(min(max(share, 0.0), 1.0))

    def count(self, passes: int) -> None:
        """Add forward (or backward) passes of single films to the cost."""
        self.evaluations += passes

    def logits(self, films: torch.Tensor, precision: str = "float32") -> torch.Tensor:
        """The explained logit of (N, 1, S, S) films, as (N,) float32, without gradients; counts the passes.

        ``precision`` is that of the computation, "float32", "winograd" or "bfloat16".
        """
        return self.all_logits(films, precision)[:, self.column]

    def all_logits(self, films: torch.Tensor, precision: str = "float32") -> torch.Tensor:
        """As :meth:`logits`, of all findings: (N, C) float32."""
        self.count(len(films))
        return self.classifier.predict_logits(films, precision)


class Method(ABC):
    """Base of all methods: subclasses write :meth:`_explain`; people call :meth:`explain`.

    Class attributes:
        name: registered name. title: name for people. family: "perturbation", "gradient", "cam", "relevance" ...
        question: what it asks the model, in one plain sentence.
        reference: author, year, DOI or arXiv id.
        signed: whether negative values carry meaning. unit: what the values are (see ``Unit``).
        additive: whether they add up, over pixels or superpixels, to the logit less what the diagnostics name as
            ``base_value`` (nothing where they name none). stochastic: whether another seed gives another map.
        speed: "fast" where it takes about as long as a few forward passes, else "slow".
        role: "main" for the methods shown where nobody chose, "baseline" for model-independent baselines.
        order: place in lists. parameters: its :class:`Parameters` subclass.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[str]
    question: ClassVar[str]
    reference: ClassVar[str]
    signed: ClassVar[bool]
    unit: ClassVar[Unit]
    additive: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    speed: ClassVar[Literal["fast", "slow"]]
    role: ClassVar[Role] = "further"
    order: ClassVar[int] = 100
    parameters: ClassVar[type[Parameters]] = Parameters

    def __repr__(self) -> str:
        """One line: name, family, role, parameters."""
        names = ", ".join(name for name, _, _ in self.parameters().described())
        return f"Method({self.name}, {self.family}, {self.role}{f'; {names}' if names else ''})"

    def _repr_html_(self) -> str:
        from radiographs.notebook import facts_html, frame_html

        facts = {"asks": self.question, "source": self.reference, "family": self.family, "values": self.unit}
        return facts_html(f"{self.title} ({self.name})", facts) + frame_html(self.to_frame())

    def to_frame(self) -> pd.DataFrame:
        """The method's parameters as a table: one row each, with default, bounds, choices and help."""
        import pandas as pd

        rows = [
            {"name": name, "default": value} | vars(bounds) for name, bounds, value in self.parameters().described()
        ]
        return pd.DataFrame(rows, columns=["name", "default", "low", "high", "choices", "help"]).set_index("name")

    @classmethod
    def card(cls) -> str:
        """The method's card, Markdown: ``<name>.md`` beside its file, else the project's; "" where none is written."""
        beside = Path(inspect.getfile(cls)).with_name(f"{cls.name}.md")
        path = beside if beside.is_file() else asset("methods", beside.name)
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def serves(self, classifier: ChestClassifier, finding: str) -> str | None:
        """None where the method can explain ``finding`` of ``classifier``; else why not, in a sentence.

        That a network holds a step which the method does not know is said later, when the method meets it.
        """
        if self.family in NEED_GRADIENTS and not classifier.differentiable:
            return f"{self.title} needs gradients, and {classifier.name} gives answers alone"
        if self.family == "cam" and classifier.cam_layer is None:
            return f"{classifier.name} has no class-activation maps: {classifier.no_cam}"
        return None

    def explain(
        self,
        classifier: ChestClassifier,
        radiograph: Radiograph,
        finding: str,
        *,
        parameters: Parameters | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        early: Callable[[Explanation], None] | None = None,
    ) -> Explanation:
        """Explain the logit of ``finding`` on ``radiograph``.

        Args:
            classifier: the model. It is left as it was found. radiograph: the film.
            finding: one of ``classifier.findings``.
            parameters: an instance of ``self.parameters``; its defaults where None.
            seed: the same seed gives the same map.
            progress: called with the share done, 0 to 1. cancelled: called often; True stops the work.
            early: called with the map as it stands, now and then, by methods whose map sharpens (see
                :attr:`Explanation.early`); the map returned is the same without.

        Returns:
            The explanation, on the classifier's input grid.

        Raises:
            UnknownFindingError: the classifier does not know ``finding``.
            LookupError: the method does not serve this classifier or finding (see :meth:`serves`).
            TypeError: ``parameters`` are another method's.
            Cancelled: ``cancelled`` said so.
            RuntimeError: the network holds what the method does not know, there is not enough memory, or the method
                broke its contract (wrong shape, values that are not finite).
        """
        column = classifier.column(finding)
        unserved = self.serves(classifier, finding)
        if unserved is not None:
            raise LookupError(unserved)
        chosen = self.parameters() if parameters is None else parameters
        if not isinstance(chosen, self.parameters):
            raise TypeError(f"{self.name} takes {self.parameters.__name__}, got {type(chosen).__name__}")
        request = Request(
            classifier=classifier,
            film=classifier.prepare(radiograph),
            column=column,
            finding=finding,
            parameters=chosen,
            seed=seed,
            rng=np.random.default_rng(seed),
            progress=progress or (lambda share: None),
            cancelled=cancelled or (lambda: False),
        )
        started = time.perf_counter()

        def explanation(made: Attribution) -> Explanation:
            return self._explanation(request, radiograph.digest, made, started)

        if early is not None:
            request.early = lambda made: early(explanation(made.as_early(request.evaluations)))
        request.report(0.0)
        with saying_out_of_memory(classifier.name, classifier.side):
            found = explanation(self._explain(request))
        request.progress(1.0)
        return found

    def _explanation(self, request: Request, film: str, made: Attribution, started: float) -> Explanation:
        """Put together what came of ``request`` on the film of that digest; a pass is spent on an unknown logit."""
        logit = float(request.logits(request.film)[0]) if made.logit is None else made.logit
        return Explanation(
            values=self._checked(made.values, request.classifier.side),
            signed=self.signed,
            method=self.name,
            parameters=request.parameters.as_dict(),
            seed=request.seed,
            finding=request.finding,
            logit=logit,
            film=film,
            classifier=request.classifier.digest,
            seconds=time.perf_counter() - started,
            evaluations=request.evaluations,
            cells=made.cells,
            regions=made.regions,
            diagnostics=made.diagnostics,
        )

    def _checked(self, values: np.ndarray, side: int) -> np.ndarray:
        if values.shape != (side, side):
            raise RuntimeError(f"{self.name} returned a map of shape {values.shape} instead of {(side, side)}")
        if not np.isfinite(values).all():
            raise RuntimeError(f"{self.name} returned values that are not finite on this film")
        return np.ascontiguousarray(values, dtype=np.float32)

    @abstractmethod
    def _explain(self, request: Request) -> Attribution:
        """Compute the map. Take the lock before hooking the classifier, leave it as found, call ``report`` often."""
