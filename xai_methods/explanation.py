"""What a method says about one logit of one film."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from radiographs.arrays import read_arrays, write_arrays

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from classifiers import ChestClassifier
    from radiographs import Annotation, Radiograph

_ARRAYS = ("values", "regions")
EARLY = "films_so_far"
"""Diagnostic of a map that was shown before its work was done: forward passes by then."""


class Cancelled(Exception):
    """The person who asked for an explanation no longer wants it."""


class ExplanationFileError(ValueError):
    """A file holds no explanation that can be used. The message names the file and what was wrong."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map on the classifier's input grid, in raw attribution units.

    Attributes:
        values: (S, S) float32, read-only; positive speaks for the finding, negative against it.
        signed: whether negative values carry meaning for this method.
        method: registered name. parameters: all its parameters. seed: the seed it ran under.
        finding: the finding whose logit is explained. logit: that logit.
        film: digest of the film. classifier: digest of the classifier.
        seconds: wall time. evaluations: forward passes of single films (a backward pass counts as one more).
        cells: (rows, columns) of the grid the method really works on, where coarser than the input (CAM methods).
        regions: (S, S) int32 superpixel labels, where the method works on superpixels.
        diagnostics: figures by which to judge the map (completeness residual, surrogate fit, seed spread ...).
    """

    values: np.ndarray
    signed: bool
    method: str
    parameters: dict[str, Any]
    seed: int
    finding: str
    logit: float
    film: str
    classifier: str
    seconds: float
    evaluations: int
    cells: tuple[int, int] | None = None
    regions: np.ndarray | None = None
    diagnostics: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    @property
    def positive(self) -> np.ndarray:
        """(S, S) float32: what speaks for the finding, 0 elsewhere."""
        return np.maximum(self.values, 0)

    @property
    def early(self) -> bool:
        """True for a map that was shown before its work was done."""
        return EARLY in self.diagnostics

    @property
    def empty(self) -> bool:
        """True where nothing on the film speaks for the finding."""
        return not bool((self.values > 0).any())

    def __repr__(self) -> str:
        """One line: method, finding, logit, shape, range."""
        height, width = self.values.shape
        return (
            f"Explanation({self.method} of {self.finding}, logit {self.logit:.3g}, {height} x {width}, "
            f"{self.values.min():.3g} to {self.values.max():.3g})"
        )

    def _repr_png_(self) -> bytes:
        from xai_methods.display import png_of  # slow to import, and only a notebook draws

        return png_of(self.values, self.signed)

    def _repr_html_(self) -> str:
        from radiographs.notebook import facts_html
        from xai_methods.display import png_of

        facts = {name: value for name, value in self._facts().items() if name not in ("film", "classifier")}
        remarks = [f"Nothing on this film speaks for {self.finding}, as this method sees it."] if self.empty else []
        return facts_html(f"{self.method} of {self.finding}", facts, png_of(self.values, self.signed), remarks)

    def to_frame(self) -> pd.DataFrame:
        """What is known of the map, as a table of one row: facts, parameters and diagnostics; not its values."""
        from radiographs.notebook import one_row

        return one_row(self._facts())

    def _facts(self) -> dict[str, Any]:
        names = ("method", "finding", "logit", "seed", "seconds", "evaluations", "film", "classifier")
        facts = {name: getattr(self, name) for name in names}
        facts |= {"lowest": float(self.values.min()), "highest": float(self.values.max())}
        facts |= {f"parameter {name}": value for name, value in self.parameters.items()}
        return facts | {f"diagnostic {name}": value for name, value in self.diagnostics.items()}

    def plot(
        self,
        radiograph: Radiograph | None = None,
        classifier: ChestClassifier | None = None,
        annotations: Sequence[Annotation] = (),
        axes: Axes | None = None,
    ) -> Axes:
        """Draw the map with a colour bar in raw units, by matplotlib: on its film where film and model are given.

        Args:
            radiograph: the film it explains. classifier: the model, which knows where the film lies on the input grid.
            annotations: outlines of the film. axes: where to draw; a new figure where None.

        Raises:
            ValueError: only one of film and model is given, or either is another than the map's.
        """
        from xai_methods.display import plot_map

        if radiograph is None or classifier is None:
            if radiograph is not None or classifier is not None or annotations:
                raise ValueError("to draw a map on its film, give the film and the model, or neither of them")
            return plot_map(self.values, self.signed, self.method, axes=axes)
        if (radiograph.digest, classifier.digest) != (self.film, self.classifier):
            raise ValueError("this map is of another film or another model")
        on_film = classifier.to_film(self, radiograph)
        return plot_map(on_film, self.signed, self.method, radiograph, annotations, axes)

    def save(
        self,
        target: str | Path | IO[bytes],
        *,
        half: bool = False,
        model: str = "",
        on_film: np.ndarray | None = None,
        doubts: Sequence[str] = (),
    ) -> None:
        """Write the explanation as an .npz file that :meth:`load` reads; it holds neither a film nor a person's name.

        Args:
            target: a path, written whole or not at all, or an open binary file.
            half: store the map as 16-bit floats and its raw ``scale``: half the size, to about 0.05 %.
            model: the classifier's registered name, for whoever reads the file.
            on_film: (H, W) the same map in the film's own pixels, for programs that know no input grid.
            doubts: codes of what is doubted of the film.

        Raises:
            OSError: the file cannot be written.
        """
        held = {name: getattr(self, name) for name in _ARRAYS} | {"on_film": on_film}
        if half:
            scale = np.float32(np.abs(self.values).max() or 1.0)
            held |= {"values": (self.values / scale).astype(np.float16), "scale": np.asarray(scale)}
        meta = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _ARRAYS}
        meta |= {"no_positive_evidence": self.empty} | ({"model": model} if model else {})
        meta |= {"doubts": list(doubts)} if doubts else {}
        write_arrays(target, {name: array for name, array in held.items() if array is not None}, meta)

    @classmethod
    def load(cls, source: str | Path | IO[bytes]) -> Explanation:
        """Read what :meth:`save` wrote.

        Raises:
            FileNotFoundError: there is no such file.
            ExplanationFileError: it is damaged, or holds no explanation.
        """
        name = Path(source).name if isinstance(source, (str, Path)) else "the file"
        try:
            arrays, meta = read_arrays(source)
            return cls(values=_raw(arrays), regions=arrays.get("regions"), **_facts(meta))
        except FileNotFoundError:
            raise
        except Exception as error:  # what zipfile, zlib, NumPy and JSON raise for damage has no common base
            raise ExplanationFileError(f"{name} is damaged, or no explanation that lightbox explain wrote") from error


def _raw(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The map in raw units: (S, S) float32."""
    values = arrays["values"]
    if "scale" in arrays:
        values = values.astype(np.float32) * arrays["scale"]
    if values.ndim != 2 or values.dtype != np.float32 or not np.isfinite(values).all():
        raise ValueError("the map is not a finite plane of float32")
    return values


def _facts(meta: dict[str, Any]) -> dict[str, Any]:
    """All other fields; what JSON cannot say of a diagnostic is NaN again."""
    facts = {f.name: meta[f.name] for f in fields(Explanation) if f.name not in _ARRAYS}
    cells, diagnostics = facts["cells"], facts["diagnostics"]
    facts["cells"] = None if cells is None else tuple(cells)
    facts["diagnostics"] = {name: math.nan if value is None else value for name, value in diagnostics.items()}
    return facts
