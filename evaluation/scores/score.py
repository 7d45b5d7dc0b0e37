"""One number with its meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

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

    @property
    def defined(self) -> bool:
        """False where there is no such number for this film."""
        return not math.isnan(self.value)
