"""The one adaptor behind which every chest X-ray model stands."""

from __future__ import annotations

import hashlib
import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import nn

from classifiers.cam_layers import CellLayout
from classifiers.memory import saying_out_of_memory
from classifiers.precision import computing_in
from classifiers.preprocessing import Preprocessing
from radiographs import Radiograph
from radiographs.nearness import near

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


class UnknownFindingError(LookupError):
    """The classifier does not know the finding. The message lists those it knows."""


class HasValues(Protocol):
    """Anything that carries a map on the input grid, such as an explanation."""

    @property
    def values(self) -> np.ndarray:
        """(S, S) map."""
        ...


@dataclass(frozen=True)
class Scope:
    """The films a model was made for, as data that a program can compare a film with.

    Attributes:
        ages: youngest and oldest patient in years, both included.
        projections: as Radiograph.view names them ("PA", "AP").
        collections: names of the collections whose films are of the kind that it was trained on.
    """

    ages: tuple[int, int]
    projections: tuple[str, ...]
    collections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.ages) != 2 or not 0 <= self.ages[0] <= self.ages[1]:
            raise ValueError(f"ages are the youngest and the oldest in years, not {self.ages!r}")
        if not self.projections or not all(isinstance(name, str) for name in (*self.projections, *self.collections)):
            raise ValueError("a scope names at least one projection, and collections by their names")


@dataclass(frozen=True)
class ModelCard:
    """What a person should know of a model before they trust it (Mitchell et al. 2019, arXiv 1810.03993).

    Attributes:
        name: its registered name. title: its name for people. summary: what it is, in a sentence or two.
        trained_on: films and labels. licence: terms of the weights. citation: source.
        limits: what it must not be used for and where it fails.
        figures: measured figures; ``figures["findings"][finding]`` holds ``auroc``, ``auroc_low``, ``auroc_high``,
            ``positives``, ``films`` and, where measured, ``pointing`` ..., ``blur`` (see ``evaluation.validity.gate``).
        split: name of the split table in ``assets/splits`` that says which patients it was trained on, if any.
        scope: the films it was made for; None where nobody said.
    """

    name: str
    title: str
    summary: str
    trained_on: str
    licence: str
    citation: str
    limits: str
    figures: dict[str, Any] = field(default_factory=dict)
    split: str | None = None
    scope: Scope | None = None

    def _repr_html_(self) -> str:
        from radiographs.notebook import facts_html, frame_html

        facts = {
            "name": self.name, "about": self.summary, "trained on": self.trained_on, "limits": self.limits,
            "licence": self.licence,
        }  # fmt: skip
        measured = self.to_frame()
        return facts_html(self.title, facts) + (frame_html(measured) if len(measured) else "")

    def to_frame(self) -> pd.DataFrame:
        """What was measured of each finding: one row each; numbers alone, NaN where one was not measured."""
        import pandas as pd

        found = self.figures.get("findings", {})
        rows = {name: {k: v for k, v in of.items() if isinstance(v, (int, float))} for name, of in found.items()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("finding")

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the measured AUROC of each finding with its 95 % interval, by matplotlib.

        Args:
            axes: where to draw; a new figure where None.

        Raises:
            ValueError: no AUROC was measured.
        """
        from radiographs.notebook import axes_or_new

        measured = self.to_frame()
        if "auroc" not in measured:
            raise ValueError(f"no AUROC of {self.name} was measured, or its card does not say it")
        drawn = axes_or_new(axes, (5.0, 0.8 + 0.25 * len(measured)))
        ends = [name for name in ("auroc_low", "auroc_high") if name in measured]
        if len(ends) == 2:
            drawn.hlines(measured.index, measured[ends[0]], measured[ends[1]], color="0.6")
        drawn.scatter(measured["auroc"], measured.index)
        drawn.axvline(0.5, color="0.8", linestyle=":")
        drawn.invert_yaxis()
        drawn.set_xlabel("AUROC, 95 % interval")
        return drawn


class ChestClassifier(nn.Module):
    """A network that maps (N, 1, S, S) in its own input range to logits (N, C).

    It is kept in evaluation mode, its weights do not require gradients, and it is shared between threads: whoever
    hooks it holds :attr:`lock` and lets its hooks heed its own thread only, for passes of other threads go on
    meanwhile.

    Args:
        network: the bare network; its output has one logit for each of ``findings``, or more (see ``columns``).
        findings: names of the C findings.
        card: the model card.
        cam_layer: dotted name, inside ``network``, of the module whose output the CAM methods read; None where there is
            none, and then ``no_cam`` says why.
        preprocessing: how a film becomes an input, and back.
        columns: for each finding, its column in the network's output; by default 0 ... C-1.
        cam_layout: where that output holds channels and cells; feature maps (N, K, h, w) where None.
        differentiable: whether the logits have gradients, of which many methods are made.
    """

    def __init__(
        self,
        network: nn.Module,
        findings: tuple[str, ...],
        card: ModelCard,
        cam_layer: str | None,
        preprocessing: Preprocessing,
        columns: tuple[int, ...] | None = None,
        *,
        cam_layout: CellLayout | None = None,
        no_cam: str = "",
        differentiable: bool = True,
    ) -> None:
        super().__init__()
        if len(set(findings)) != len(findings) or not findings:
            raise ValueError("a classifier has at least one finding and names each once")
        if cam_layer is not None:
            network.get_submodule(cam_layer)
        self.network = network
        self.findings = findings
        self.card = card
        self.cam_layer, self.cam_layout = cam_layer, cam_layout or CellLayout()
        self.no_cam = no_cam or "it has no layer of feature maps"
        self.differentiable = differentiable
        self.preprocessing = preprocessing
        self.columns = columns if columns is not None else tuple(range(len(findings)))
        self.lock = threading.RLock()
        self.eval()
        self.requires_grad_(False)
        self.digest = self._digest()

    def __repr__(self) -> str:
        """One line: name, findings, input, device."""
        return f"ChestClassifier({self.name}, {len(self.findings)} findings, {self.side} x {self.side}, {self.device})"

    def _repr_html_(self) -> str:
        return self.card._repr_html_()

    def _digest(self) -> str:
        digest = hashlib.sha256(repr((self.findings, self.columns, self.preprocessing)).encode())
        if self.cam_layout != CellLayout():
            digest.update(repr((self.cam_layer, self.cam_layout)).encode())
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Map (N, 1, S, S) in the input range to logits (N, C)."""
        logits = self.network(films)
        if self.columns == tuple(range(logits.shape[1])):
            return logits
        return logits[:, list(self.columns)]

    def predict_logits(self, films: torch.Tensor, precision: str = "float32") -> torch.Tensor:
        """Map (N, 1, S, S) in the input range to float32 logits (N, C), without gradients.

        Args:
            films: the input. precision: "float32"; "bfloat16" (about half the time where the hardware has it; logits
                differ by about a hundredth of their spread over films); or "winograd" (on CPUs without it about three
                quarters of the time for networks of large 3 x 3 convolutions; logits differ by about 1e-5 of it).
        """
        with torch.inference_mode(), computing_in(precision, films.device):
            return self(films).float()

    @property
    def name(self) -> str:
        """The model's registered name."""
        return self.card.name

    @property
    def side(self) -> int:
        """S, the input's side in pixels."""
        return self.preprocessing.side

    @property
    def cam_module(self) -> nn.Module:
        """The module whose output the CAM methods read.

        Raises:
            LookupError: there is none; the message says why.
        """
        if self.cam_layer is None:
            raise LookupError(f"{self.name} has no class-activation maps: {self.no_cam}")
        return self.network.get_submodule(self.cam_layer)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        held = itertools.chain(self.parameters(), self.buffers())
        return next((tensor.device for tensor in held), torch.device("cpu"))

    def column(self, finding: str) -> int:
        """Index of ``finding`` in the logits.

        Raises:
            UnknownFindingError: the classifier does not know it.
        """
        try:
            return self.findings.index(finding)
        except ValueError:
            meant = near(finding, self.findings, otherwise="it knows")
            raise UnknownFindingError(f"{self.name} does not know {finding!r}; {meant}") from None

    def prepare(self, radiograph: Radiograph) -> torch.Tensor:
        """Return the (1, 1, S, S) input of ``radiograph`` on the classifier's device."""
        return self.preprocessing.prepare(radiograph).to(self.device)

    def logits(self, radiograph: Radiograph) -> np.ndarray:
        """Logits (C,) float32 of one film.

        Raises:
            OutOfMemoryError: there is not enough memory for it.
        """
        with saying_out_of_memory(self.name, self.side), torch.inference_mode():
            return self(self.prepare(radiograph))[0].float().cpu().numpy()

    def probabilities(self, radiograph: Radiograph) -> dict[str, float]:
        """Sigmoid of the logits by finding. How well it is calibrated, the card says."""
        values = 1 / (1 + np.exp(-self.logits(radiograph).astype(np.float64)))
        return dict(zip(self.findings, values.tolist()))

    def to_film(self, explanation: HasValues | np.ndarray, radiograph: Radiograph) -> np.ndarray:
        """Carry a map from the input grid into the film's own pixels: (H, W) float32, raw units.

        Args:
            explanation: an explanation, or its (S, S) values. radiograph: the film it explains.
        """
        values = explanation if isinstance(explanation, np.ndarray) else explanation.values
        return self.preprocessing.to_film(values, radiograph.shape)
