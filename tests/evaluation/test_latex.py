"""LaTeX tables: what a reader's compiler gets, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.latex import escaped, latex_table


def test_special_signs_are_escaped() -> None:
    assert escaped(r"a_b & 50 % {x} \y ~ ^ # $ –") == (
        r"a\_b \& 50 \% \{x\} \textbackslash{}y \textasciitilde{} \textasciicircum{} \# \$ --"
    )


def test_a_table_is_a_float_with_rules_between_kinds_and_the_best_in_bold() -> None:
    table = pd.DataFrame([["A & B", "0.1"], ["C", "0.2"], ["Chance", "–"]], columns=["Map", "100 %"])
    best = np.array([[False, False], [False, True], [False, False]])
    assert latex_table(table, "x_1", best=best, kinds=["method", "method", "chance"]).splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{x\_1}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"Map & 100 \% \\",
        r"\midrule",
        r"A \& B & 0.1 \\",
        r"C & \bfseries 0.2 \\",
        r"\midrule",
        r"Chance & -- \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def test_a_table_without_rows_or_kinds_is_whole() -> None:
    text = latex_table(pd.DataFrame(columns=["Map", "Score"]), "")
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
