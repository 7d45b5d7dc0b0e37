"""How long a plan will take and how large it will be, measured on a few of its films."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from evaluation.runs.cluster import default_workers, threads_each
from evaluation.runs.plan import Plan
from evaluation.runs.selection import MapRequest, WorkItem, open_plan, work_items
from evaluation.runs.timing import Costs, time_film
from evaluation.runs.worker import warm
from xai_methods.method import Progress

FILMS = 3
"""Films timed for each collection and classifier, where the time is enough."""
SECONDS = 60.0
"""No further film is timed after this."""


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
        by_method: median seconds of one map. failures: reasons of what failed on the timed films.
        timed: films that the times rest on. cut: maps and scores that were timed for their first seconds only.
    """

    shares: tuple[Share, ...]
    workers: int
    by_method: dict[str, float]
    failures: tuple[str, ...]
    timed: int = 0
    cut: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Wall time of the whole plan."""
        return sum(share.seconds for share in self.shares) / self.workers


def estimate(
    plan: Plan,
    *,
    workers: int | None = None,
    films: int = FILMS,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> Estimate:
    """Time the parts of a few films here and say what all of them will cost; 0 films only counts.

    Args:
        workers: that will work; by default as :func:`evaluation.runs.engine.run` has it. films: to time for each
            collection and classifier, spread over the list. seconds: after which no further film is begun; a pair that
            was not reached is taken to cost what the others do.
        progress: told the share done; what it raises stops.

    Raises:
        PlanError: the plan cannot be run.
    """
    models = open_plan(plan)
    number = workers or default_workers()
    groups: dict[tuple[str, str], list[WorkItem]] = {}
    for item in work_items(plan, models):
        groups.setdefault((item.collection, item.classifier), []).append(item)
    before = torch.get_num_threads()
    torch.set_num_threads(threads_each(number))
    try:
        found = _timed(groups, films, seconds, progress or (lambda share: None))
    finally:
        torch.set_num_threads(before)
    every = [one for some in found.values() for one in some]
    shares = [_share(group, found[pair] or every, plan.maps) for pair, group in groups.items()]
    reasons = dict.fromkeys(reason for one in every for reason in one.failures)
    cut = dict.fromkeys(name for one in every for name in one.cut)
    return Estimate(tuple(shares), number, _by_method(every), tuple(reasons), len(every), tuple(cut))


def _timed(
    groups: dict[tuple[str, str], list[WorkItem]], films: int, seconds: float, progress: Progress
) -> dict[tuple[str, str], list[Costs]]:
    """One film of each pair, then a second of each ..., until the time is over."""
    found: dict[tuple[str, str], list[Costs]] = {pair: [] for pair in groups}
    began = time.monotonic()
    for turn in range(films):
        for pair, group in groups.items():
            some = _spread(group, films)
            share = (time.monotonic() - began) / seconds
            if turn >= len(some) or share > 1:
                continue
            progress(min(share, 1.0))
            warm(some[turn].classifier)
            found[pair].append(time_film(some[turn], lambda: progress(min((time.monotonic() - began) / seconds, 1.0))))
    return found


def _spread(group: list[WorkItem], films: int) -> list[WorkItem]:
    number = min(films, len(group))
    return [group[round(i * (len(group) - 1) / max(number - 1, 1))] for i in range(number)]


def _share(group: list[WorkItem], costs: list[Costs], maps_saved: bool) -> Share:
    first = group[0]
    requests = [request for item in group for request in item.requests]
    rows = sum(len(request.metrics) for request in requests)
    maps = sum(1 for request in requests if request.kind == "method")
    kinds: dict[tuple[object, ...], int] = {}
    examples: dict[tuple[object, ...], MapRequest] = {}
    for one in requests:
        kind = (one.kind, one.method, one.parameters_digest, one.metrics)
        kinds[kind] = kinds.get(kind, 0) + 1
        examples[kind] = one
    seconds = sum(
        len(group) * cost.film + sum(many * cost.of(examples[kind]) for kind, many in kinds.items()) for cost in costs
    )
    size = _bytes_a_row([cost.rows for cost in costs if cost.rows.num_rows]) * rows
    sizes = [cost.map_bytes for cost in costs if cost.map_bytes]
    size += maps * sum(sizes) / len(sizes) if sizes and maps_saved else 0
    return Share(first.collection, first.classifier, len(group), maps, rows, seconds / max(len(costs), 1), int(size))


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


def _by_method(every: list[Costs]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for costs in every:
        for (method, _), seconds in costs.maps.items():
            found.setdefault(method, []).append(seconds)
    return {method: median(some) for method, some in found.items()}
