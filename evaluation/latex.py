"""Tables as LaTeX, for the package booktabs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

_SIGNS = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "–": "--",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    }
)
NEEDS = r"\usepackage{booktabs}"
"""What a document that holds such a table says in its head."""


def escaped(text: str) -> str:
    """Text with LaTeX's special signs escaped."""
    return text.translate(_SIGNS)


def latex_table(table: pd.DataFrame, caption: str, *, best: np.ndarray | None = None, kinds: Sequence[str] = ()) -> str:
    """A table of texts as a LaTeX float; headings, cells and caption are escaped.

    Args:
        table: first column to the left, the others to the right. best: (rows, columns) bool, cells in bold.
        kinds: of each row; a rule stands where it changes.
    """
    styler = table.style.hide(axis="index").format(escaped).format_index(escaped, axis="columns")
    if best is not None:
        styler.apply(lambda _: np.where(best, "font-weight: bold", ""), axis=None)
    lines = styler.to_latex(
        caption=escaped(caption),
        column_format="l" + "r" * (len(table.columns) - 1),
        position_float="centering",
        hrules=True,
        convert_css=True,
    ).splitlines(keepends=True)
    first = lines.index("\\midrule\n") + 1
    for row in range(len(kinds) - 1, 0, -1):
        if kinds[row] != kinds[row - 1]:
            lines.insert(first + row, "\\midrule\n")
    return "".join(lines)
