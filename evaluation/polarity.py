"""Which part of a signed map counts as evidence; apart from the scores, which are slow to import."""

from __future__ import annotations

from typing import Literal, get_args

Polarity = Literal["positive", "abs", "raw"]
POLARITIES: tuple[Polarity, ...] = get_args(Polarity)
