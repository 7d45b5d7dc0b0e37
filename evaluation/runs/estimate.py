"""How long a plan will take and how large it will be, measured on a few of its films."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from evaluation.runs.cluster import default_workers, threads_each
from evaluation.runs.piece import Outcome, run_piece, warm
from evaluation.runs.plan import Plan
from evaluation.runs.selection import Piece, open_plan, pieces

FILMS = 3
"""Films measured for each collection and classifier."""


@dataclass(frozen=True)
class Share:
    """What one collection under one classifier costs: films, maps to make, rows, seconds of one worker, bytes."""

    collection: str
    classifier: str
    films: int
    maps: int
    rows: int
    seconds: float
    bytes: int


@dataclass(frozen=True)
class Estimate:
    """What a plan costs.

    Attributes:
        shares: by collection and classifier. workers: that the time is stated for.
        by_method: median seconds of one map. failures: reasons of what failed on the measured films.
    """

    shares: tuple[Share, ...]
    workers: int
    by_method: dict[str, float]
    failures: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Wall time of the whole plan."""
        return sum(share.seconds for share in self.shares) / self.workers


def estimate(
    plan: Plan,
    *,
    workers: int | None = None,
    films: int = FILMS,
    progress: Callable[[float], None] | None = None,
) -> Estimate:
    """Run a few films of a plan here and say what all of them will cost; 0 films only counts.

    Args:
        workers: that will work; by default as :func:`evaluation.runs.engine.run` has it. films: to measure for each
            collection and classifier, spread over the list. progress: told the share done; what it raises stops.

    Raises:
        PlanError: the plan cannot be run.
    """
    models = open_plan(plan)
    number = workers or default_workers()
    groups: dict[tuple[str, str], list[Piece]] = {}
    for piece in pieces(plan, models):
        groups.setdefault((piece.collection, piece.classifier), []).append(piece)
    before = torch.get_num_threads()
    measured: dict[tuple[str, str], list[Outcome]] = {}
    chosen = {pair: _spread(group, films) for pair, group in groups.items()}
    total = sum(len(some) for some in chosen.values())
    try:
        for pair, some in chosen.items():
            for piece in some:
                warm(piece.classifier)
                measured.setdefault(pair, []).append(run_piece(piece, threads_each(number)))
                if progress is not None:
                    progress(sum(map(len, measured.values())) / total)
    finally:
        torch.set_num_threads(before)
    shares = [_share(group, chosen[pair], measured.get(pair, [])) for pair, group in groups.items()]
    outcomes = [outcome for group in measured.values() for outcome in group]
    reasons = dict.fromkeys(f"{row['method']}: {row['reason']}" for o in outcomes for row in o.failures)
    return Estimate(tuple(shares), number, _by_method(outcomes), tuple(reasons))


def _spread(group: list[Piece], films: int) -> list[Piece]:
    number = min(films, len(group))
    return [group[round(i * (len(group) - 1) / max(number - 1, 1))] for i in range(number)]


def _share(group: list[Piece], some: list[Piece], outcomes: list[Outcome]) -> Share:
    first = group[0]
    rows = sum(len(question.metrics) for piece in group for question in piece.questions)
    maps = sum(1 for piece in group for question in piece.questions if question.kind == "method")
    asked = sum(len(piece.questions) for piece in some)
    seconds = sum(outcome.seconds for outcome in outcomes) / max(asked, 1)
    tables = [outcome.scores for outcome in outcomes if outcome.scores.num_rows]
    size = _bytes_a_row(tables) * rows
    kept = [npz for outcome in outcomes for npz in outcome.maps.values()]
    size += maps * sum(map(len, kept)) / len(kept) if kept else 0
    questions = sum(len(piece.questions) for piece in group)
    return Share(first.collection, first.classifier, len(group), maps, rows, seconds * questions, int(size))


def _bytes_a_row(tables: list[Any]) -> float:
    """Bytes of one row in a large Parquet file: what doubling the rows adds, without what a file has once."""
    if not tables:
        return 0.0
    once = pa.concat_tables(tables).unify_dictionaries()
    sizes = []
    for table in (once, pa.concat_tables([once, once])):
        file = io.BytesIO()
        pq.write_table(table, file, compression="zstd", row_group_size=once.num_rows)
        sizes.append(file.tell())
    return (sizes[1] - sizes[0]) / once.num_rows


def _by_method(outcomes: list[Outcome]) -> dict[str, float]:
    tables = [outcome.scores.select(["method", "question", "seconds"]) for outcome in outcomes]
    if not tables:
        return {}
    table = pa.concat_tables(tables).unify_dictionaries().to_pandas().dropna().drop_duplicates("question")
    return {str(name): float(part.median()) for name, part in table.groupby("method", observed=True)["seconds"]}
