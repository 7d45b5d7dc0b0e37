"""One number with its meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Element = Literal[
    "localizability", "visual recognizability", "physical attribution", "model transparency", "actionability"
]
"""The elements of interpretability of Wang et al. 2024, doi 10.1109/ACCESS.2024.3387702."""
Direction = Literal["higher", "lower", "neither"]
"""Which way is better; "neither" for a number that only helps to read another, such as the area a threshold marks."""


@dataclass(frozen=True)
class Score:
    """One number with its meaning.

    Attributes:
        metric: registered name. value: the number, NaN where it is undefined; never a silent 0 or 1.
        chance: what a map of random numbers gets in expectation, NaN where unknown.
        direction: which way is better. element: what kind of question it answers.
    """

    metric: str
    value: float
    chance: float = math.nan
    direction: Direction = "higher"
    element: Element = "localizability"

    def __repr__(self) -> str:
        """One line: metric, value, chance, direction."""
        value = f"{self.value:.4g}" if self.defined else "undefined"
        chance = "" if math.isnan(self.chance) else f", chance {self.chance:.4g}"
        return f"Score({self.metric} {value}{chance}, {self.direction})"

    def _repr_html_(self) -> str:
        return Scores({self.metric: self})._repr_html_()

    def to_frame(self) -> pd.DataFrame:
        """The score as a table of one row."""
        return Scores({self.metric: self}).to_frame()

    @property
    def defined(self) -> bool:
        """False where there is no such number for this film."""
        return not math.isnan(self.value)


class Scores(dict[str, Score]):
    """Scores of one map by metric: a dictionary that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        from radiographs.notebook import frame_html

        return frame_html(self.to_frame())

    def to_frame(self) -> pd.DataFrame:
        """One row a score, by metric: value, chance, direction, element; NaN where undefined or unknown."""
        import pandas as pd

        rows = [vars(score) for score in self.values()]
        columns = ["metric", "value", "chance", "direction", "element"]
        return pd.DataFrame(rows, columns=columns).set_index("metric")

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw each defined score as a dot beside its chance level, a line, by matplotlib.

        Args:
            axes: where to draw; a new figure where None.
        """
        from radiographs.notebook import axes_or_new

        shown = [score for score in self.values() if score.defined]
        drawn = axes_or_new(axes, (5.5, 0.6 + 0.22 * max(len(shown), 1)))
        names = [f"{score.metric} ({score.direction})" for score in shown]
        drawn.scatter([score.value for score in shown], names, label="this map", zorder=2)
        drawn.scatter([score.chance for score in shown], names, marker="|", s=120, color="0.5", label="chance")
        drawn.invert_yaxis()
        drawn.tick_params(labelsize=7)
        drawn.legend(fontsize=7)
        return drawn
