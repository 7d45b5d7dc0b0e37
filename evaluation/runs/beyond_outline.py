"""What maps say beyond the outline, a row for each score, as a table of ``docs/results.md``."""

from __future__ import annotations

import math

from evaluation.markdown import markdown_table
from evaluation.runs.by_setting import bounded
from evaluation.runs.store import Store
from evaluation.runs.tables import ALL, PairContext, board_of, map_titles, metrics_of, pairs_of, values
from evaluation.scores import get_metric
from evaluation.validity.gate import Verdict

SCORES = (
    *("deletion_blur", "insertion_blur", "road", "infidelity", "completeness_residual"),
    *("randomised_ssim", "repeatability_ssim", "gini_sparseness", "entropy", "bright_regions"),
    *("relevance_in_lungs", "relevance_in_heart", "relevance_outside_body", "map_blur_drop", "expert_blur_drop"),
)


def beyond_outline(store: Store) -> str:
    """Means of :data:`SCORES` with interval, what chance gives in square brackets, and on how many pairs they rest."""
    pair, titles = pairs_of(store)[0], map_titles(store)
    there = metrics_of(store)
    rows, methods = [], list(titles.values())
    for name in (name for name in SCORES if name in there):
        scores = values(store, name, pair)
        context = PairContext(pair, titles, dict.fromkeys(scores.finding.unique(), Verdict("not measured", "")))
        board = board_of(context, name, scores, scope=ALL).set_index("title").reindex(methods)
        chance = scores.groupby(scores["map"].map(titles)).chance.mean().reindex(methods)
        metric = get_metric(name)
        by_chance = ["" if math.isnan(value) else f" [{value:.2f}]" for value in chance.where(board["mean"].notna())]
        cells = [bounded(board.loc[title]) + words for title, words in zip(methods, by_chance)]
        counts = sorted({f"{n:.0f}" for n in board.n if n > 0}, key=int)
        rows.append([metric.title, metric.direction, *cells, " to ".join(counts[:1] + counts[1:][-1:]) or "–"])
    return markdown_table(["", "better", *methods, "n"], rows)
