"""The scores as tables that other programs read: CSV with every metric, LaTeX with those that people read."""

from __future__ import annotations

import math

from evaluation.one_film.compare import Comparison
from evaluation.one_film.table import best_names, comparison_table, score_table
from evaluation.scores import headline_metrics
from radiographs.findings import display_name

_SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def table_csv(comparison: Comparison) -> str:
    """The score table of all findings as CSV; undefined scores are empty."""
    return comparison_table(comparison).to_csv(index=False)


def table_latex(comparison: Comparison) -> str:
    """The headline scores of all outlined findings as LaTeX tables; they need the package booktabs.

    The best method of each column is bold where the pair of model and finding passed its gate; undefined scores are
    dashes. Film, model and seed stand in a comment.
    """
    head = (
        f"% Film {comparison.radiograph.digest}\n% Model {escaped(comparison.classifier)} "
        f"{comparison.classifier_digest}\n% Seed {comparison.seed}\n% Needs \\usepackage{{booktabs}}\n"
    )
    return head + "\n".join(_table(comparison, finding) for finding in comparison.findings)


def escaped(text: str) -> str:
    """Text with LaTeX's special signs escaped."""
    return "".join(_SIGNS.get(sign, sign) for sign in text)


def _table(comparison: Comparison, finding: str) -> str:
    result = comparison.findings[finding]
    name = escaped(display_name(finding))
    if result.mask is None:
        return f"% {name}: nobody outlined it on this film, so it has no scores\n"
    table, known = score_table(result), headline_metrics()
    best = best_names(table) if result.verdict.passed else {}
    lines = []
    kind = ""
    for _, row in table.iterrows():
        if kind and row["kind"] != kind:
            lines.append(r"\midrule")
        kind = row["kind"]
        cells = [_cell(float(row[m]), row["name"] in best.get(m, ())) for m in known]
        lines.append(" & ".join([escaped(str(row["title"])), *cells]) + r" \\")
    heads = " & ".join(["Map", *(escaped(m.title) for m in known.values())]) + r" \\"
    caution = "" if result.verdict.passed else f" Read with care: {escaped(result.verdict.reason)}"
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{name}, one film; {escaped(comparison.classifier)}.{caution}}}",
            rf"\begin{{tabular}}{{l{'r' * len(known)}}}",
            r"\toprule",
            heads,
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _cell(value: float, best: bool) -> str:
    text = "--" if math.isnan(value) else f"{value:.3f}"
    return rf"\textbf{{{text}}}" if best else text
