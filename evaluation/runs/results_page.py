"""Tables of ``docs/results.md`` that committed files hold, written by ``python -m evaluation.runs.results_page``.

Each stands between ``<!-- NAME -->`` and ``<!-- end -->`` and is made of the scores in ``docs/scores`` and of the model
cards; a test compares.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.baselines.second_readings import READERS
from evaluation.counterfactuals.table import as_markdown
from evaluation.markdown import markdown_table
from evaluation.runs import beside_published, beyond_outline
from evaluation.runs.between_models import between_models
from evaluation.runs.by_setting import by_setting, cell
from evaluation.runs.store import SCHEMA, Store
from evaluation.runs.tables import (
    ALL,
    PASSED,
    Pair,
    PairContext,
    Tests,
    board_of,
    map_titles,
    metrics_of,
    pairs_of,
    tests_of,
    values,
)
from evaluation.scores import get_metric
from evaluation.statistics.intervals import mean_intervals
from evaluation.validity.gate import Verdict, gate
from radiographs.findings import display_name
from radiographs.places import asset

ROOT = Path(__file__).resolve().parents[2]
PAGE, SCORES = ROOT / "docs" / "results.md", ROOT / "docs" / "scores"
METRICS = ("pointing_game", "pixel_auprc", "relevance_mass_accuracy", "relevance_rank_accuracy", "area_matched_iou")
FURTHER = ("deletion_blur", "insertion_blur", "randomised_ssim", "repeatability_ssim")
"""Scores that stand beside ``METRICS`` where a run has them."""
_COMPARED = ("pointing_game", "pixel_auprc", "area_matched_iou")
"""Scores in which the model of 320 pixels stands beside that of 224."""
AGREEMENT = ("iou", "dice", "first_in_second", "second_in_first")
ADULTS = ("nih14-localised", "nih14-localised-320", "nih14")
"""The shipped models of NIH's findings."""
SIZES = (0.01, 0.03, 0.1)
"""Where the table by size parts the findings: shares of the film that are outlined."""
FEWEST = 10
"""A map scored on fewer pairs has no row beside those that are scored on all."""
_BLOCK = re.compile(r"(<!-- (?P<name>[\w -]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def means(folder: str, findings: Sequence[str] = ()) -> str:
    """Means of a run's maps with interval and n; for methods that are silent somewhere both ways; then the tests.

    Args:
        folder: in ``docs/scores``. findings: those over which means are taken; empty takes all.
    """
    boards, tests = _boards(folder, findings)
    heads = [get_metric(name).title for name in boards]
    first = boards[METRICS[0]]
    titles = [title for title in first.index if first["mean"].notna()[title] and not first["n"][title] < FEWEST]
    rows = [[title, *(cell(board.loc[title]) for board in boards.values())] for title in titles]
    methods = [title for title in titles if first.kind[title] == "method"]
    gains = [[title, *(_gain(boards[name], title, tests[name]) for name in boards)] for title in methods]
    against = "Less the best baseline on the same pairs, with p of the paired test after Holm:"
    parts = [markdown_table(["", *heads], rows), against, markdown_table(["", *heads], gains), *_silent_words(boards)]
    return "\n\n".join(parts)


def _boards(folder: str, findings: Sequence[str]) -> tuple[dict[str, pd.DataFrame], dict[str, Tests | None]]:
    store = Store(SCORES / folder)
    pair = pairs_of(store)[0]
    boards, tests = {}, {}
    there, titles = metrics_of(store), map_titles(store)
    for name in (*METRICS, *(name for name in FURTHER if name in there)):
        scores = values(store, name, pair)
        chosen = {
            str(f): Verdict("shown" if f in findings else "not measured", "") for f in sorted(scores.finding.unique())
        }
        context = PairContext(pair, titles, chosen)
        board = board_of(context, name, scores, scope=PASSED if findings else ALL)
        boards[name] = board.set_index("title")
        tests[name] = tests_of(context, name, scores)
    return boards, tests


def _gain(board: pd.DataFrame, title: str, tests: Tests | None) -> str:
    row = board.loc[title]
    if not isinstance(row["baseline"], str):
        return "–"
    rival = next(name for name in board.index if board["map"][name] == row["baseline"])
    found = tests.between(title, rival) if tests is not None else None
    p = "" if found is None else f"; p {'< 0.001' if found.p_holm < 0.001 else f'= {found.p_holm:.3f}'}"
    return f"{row['gain']:+.2f} ({row['gain_low']:+.2f} to {row['gain_high']:+.2f}; {rival}{p})"


def _silent_words(boards: Mapping[str, pd.DataFrame]) -> list[str]:
    sentences = []
    for name, board in boards.items():
        methods = board[board.kind == "method"]
        for title, row in methods[methods.silent > 0].iterrows():
            of = f"{row.silent:.0f} of {row.n + row.silent:.0f} pairs, where nothing is positive"
            both = f"{row['mean']:.3f} without them, {row.mean_silent_0:.3f} with those as 0"
            sentences.append(f"{get_metric(name).title} of {title} is undefined on {of}: {both}.")
        if methods.silent.sum():
            each = ", ".join(f"{title} {row.common:.3f}" for title, row in methods.iterrows())
            sentences.append(f"On the {methods.common_n.iloc[0]:.0f} pairs that all methods have: {each}.")
    return [" ".join(sentences)] if sentences else []


def by_finding(folder: str, metric: str) -> str:
    """One score of the methods and of the mean annotation for each finding, with interval and n."""
    store = Store(SCORES / folder)
    pair = pairs_of(store)[0]
    scores = values(store, metric, pair)
    findings = sorted(map(str, scores.finding.unique()))
    context = PairContext(pair, map_titles(store), {finding: Verdict("not measured", "") for finding in findings})
    board = board_of(context, metric, scores)
    shown = board[board.kind.eq("method") | board["map"].str.startswith("average-mask/")]
    titles = list(dict.fromkeys(shown["title"]))
    cells = shown.set_index(["scope", "title"])
    rows = [[display_name(f), *(cell(cells.loc[(f, title)]) for title in titles)] for f in findings]
    return markdown_table([get_metric(metric).title, *titles], rows)


def by_size(folder: str, metric: str) -> str:
    """One score of the methods and of the mean annotation by the share of the film that is outlined."""
    store = Store(SCORES / folder)
    pair = pairs_of(store)[0]
    scores = values(store, metric, pair)
    ends = [f"{100 * end:.0f} %" for end in SIZES]
    names = [f"below {ends[0]}", *(f"{a} to {b}" for a, b in itertools.pairwise(ends)), f"above {ends[-1]}"]
    place = np.digitize(scores.area, SIZES)
    context = PairContext(pair, map_titles(store), dict.fromkeys(scores.finding.unique(), Verdict("not measured", "")))
    rows, titles = [], []
    for number, name in enumerate(names):
        board = board_of(context, metric, scores[place == number], scope=ALL)
        board = board[board.kind.eq("method") | board["map"].str.startswith("average-mask/")]
        titles = list(board.title)
        rows.append([name, *(cell(row) for _, row in board.iterrows())])
    return markdown_table([f"{get_metric(metric).title}, outlined share of the film", *titles], rows)


def classifiers(models: Sequence[str]) -> str:
    """AUROC, and pointing and area-matched IoU of the class map, of shipped models by their cards."""
    cards = [json.loads(asset("models", f"{name}.json").read_text(encoding="utf-8"))["figures"] for name in models]
    first = cards[0]["findings"]
    rows = []
    for finding, figures in first.items():
        each = [card["findings"][finding] for card in cards]
        boxed = "pointing" in figures
        row = [display_name(finding), str(figures["positives"]), *(_bounded(some, "auroc") for some in each)]
        row += [str(figures["boxed_films"]), f"{figures['pointing_chance']:.2f}"] if boxed else ["–", "–"]
        rows.append(row + [_bounded(some, "pointing") if boxed else "–" for some in each])
    means = [card["mean"] for card in cards]
    common = [
        sum(card["findings"][name]["auroc"] for name in first if name != "Hernia") / (len(first) - 1) for card in cards
    ]
    boxes = sum(figures.get("boxed_films", 0) for figures in first.values())
    chance = f"{means[0]['pointing_chance']:.2f}"
    rows += [
        ["**mean**", "", *(_bounded(mean, "auroc") for mean in means), str(boxes), chance]
        + [_bounded(mean, "pointing") for mean in means],
        ["without Hernia", "", *(f"{value:.3f}" for value in common), "", "", *([""] * len(cards))],
        ["area-matched IoU", "", *([""] * len(cards)), "", "", *(_bounded(mean, "area_matched_iou") for mean in means)],
    ]
    names = [f"`{name}`" for name in models]
    head = ["finding", "films with it", *(f"AUROC {name}" for name in names), "boxes", "chance"]
    return markdown_table([*head, *(f"pointing {name}" for name in names)], rows)


def _bounded(figures: Mapping[str, Any], name: str) -> str:
    return f"{figures[name]:.2f} ({figures[f'{name}_low']:.2f} to {figures[f'{name}_high']:.2f})"


def verdicts(models: Sequence[str], collection: str) -> str:
    """What the validity gate says of shipped models on a collection, with n, p and power."""
    cards = {name: json.loads(asset("models", f"{name}.json").read_text(encoding="utf-8")) for name in models}
    rows = []
    for name, card in cards.items():
        measured: dict[str, Any] = card["figures"].get("validity", {}).get(collection, {})
        for finding, figures in measured.items():
            if "looks" not in figures:
                continue
            found, look = gate(card["figures"], finding, collection), figures["looks"]
            low = "–" if figures["auroc_low"] is None else f"{figures['auroc']:.2f} (from {figures['auroc_low']:.2f})"
            rows.append([f"`{name}`", display_name(finding), low, f"{look['films']}, {look['patients']}"])
            rows[-1] += [_part(look["parts"].get(part)) for part in ("elsewhere", "without", "others")]
            p = "–" if look["p_holm"] is None else _p(look["p_holm"])
            power = "–" if look["power"] is None else f"{look['power']:.2f}"
            rows[-1] += [p, power, f"**{found.status}**" if found.passed else found.status]
    head = ["model", "finding", "AUROC", "films, patients", "against elsewhere", "against films without"]
    return markdown_table([*head, "against other findings", "p (Holm)", "power", "verdict"], rows)


def shown(model: str, collection: str) -> list[str]:
    """The findings for which the validity gate shows on a collection that a shipped model looks there."""
    figures = json.loads(asset("models", f"{model}.json").read_text(encoding="utf-8"))["figures"]
    measured = figures.get("validity", {}).get(collection, {})
    return [finding for finding in measured if gate(figures, finding, collection).passed]


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _part(part: Mapping[str, Any] | None) -> str:
    if part is None or part["low"] is None:
        return "–"
    return f"{part['mean']:+.2f} ({part['low']:+.2f} to {part['high']:+.2f})"


def held_out() -> str:
    """The films that were neither trained on nor tuned to."""
    head = ["", "Pointing game", "Area-matched IoU", "Pixel AUPRC"]
    rows = [
        [row["map"], *(f"{row[m]} ({row[f'{m}_low']} to {row[f'{m}_high']})" for m in ("pointing", "iou", "auprc"))]
        for row in _read("held-out-all.csv")
    ]
    each = [
        [row["finding"], row["n"], row["measure"], *(row[name] for name in ("grad-cam", "lrp", "average-mask"))]
        for row in _read("held-out.csv")
    ]
    heads = ["finding", "n", "measure", "Grad-CAM", "LRP", "mean annotation"]
    return markdown_table(head, rows) + "\n\n" + markdown_table(heads, each)


def readers() -> str:
    """How far two readers of the same film agree, by readers and finding, with n; intervals from ten patients on."""
    pairs = pd.DataFrame(_read("readers.csv")).astype(dict.fromkeys(AGREEMENT, float))
    rows = []
    for pair, films in pairs.groupby("readers", sort=False):
        one, other = (READERS[name] for name in str(pair).split("+"))
        groups = [(display_name(str(finding)), part) for finding, part in films.groupby("finding")]
        for finding, part in [*groups, *([("all", films)] if len(groups) > 1 else [])]:
            means = mean_intervals(
                [part[name].to_numpy() for name in AGREEMENT], part.patient, np.random.default_rng(0)
            )
            cells = [f"{m.value:.2f}" + ("" if math.isnan(m.low) else f" ({m.low:.2f} to {m.high:.2f})") for m in means]
            rows.append([f"{one}, {other}", finding, f"{len(part)}, {part.patient.nunique()}", *cells])
    heads = ["IoU", "Dice", "pointing, first in second", "pointing, second in first"]
    return markdown_table(["readers", "finding", "pairs, patients", *heads], rows)


def _read(name: str) -> list[dict[str, str]]:
    with (SCORES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


BLOCKS: dict[str, Callable[[], str]] = {
    "classifiers": lambda: classifiers(ADULTS),
    "nih-boxes": lambda: means("nih-boxes"),
    "nih-boxes 320": lambda: means("nih-boxes-320"),
    "nih-boxes 320 against 224": lambda: between_models(
        Store(SCORES / "nih-boxes"), Store(SCORES / "nih-boxes-320"), _COMPARED
    ),
    "nih-boxes 320 pointing": lambda: by_finding("nih-boxes-320", "pointing_game"),
    "nih-boxes further": lambda: means("nih-boxes-further"),
    "nih-boxes shown": lambda: means("nih-boxes", shown("nih14-localised", "nih-boxes")),
    "nih-boxes iou": lambda: by_finding("nih-boxes", "area_matched_iou"),
    "nih-boxes size": lambda: by_size("nih-boxes", "pointing_game"),
    "beside SHAMSUL": lambda: beside_published.shamsul(Store(SCORES / "nih-boxes")),
    "beside CheXlocalize": lambda: beside_published.chexlocalize(Store(SCORES / "nih-boxes")),
    "beside ChestX-ray14": lambda: beside_published.chestxray14(Store(SCORES / "nih-boxes")),
    "nih14 further": lambda: means("nih14-further"),
    "chestx-det": lambda: means("chestx-det"),
    "chestx-det further": lambda: means("chestx-det-further"),
    "chestx-det 320 against 224": lambda: between_models(
        Store(SCORES / "chestx-det"), Store(SCORES / "chestx-det-320"), _COMPARED
    ),
    "chestx-det pointing": lambda: by_finding("chestx-det", "pointing_game"),
    "known-truth": lambda: means("known-truth"),
    "known-truth further": lambda: means("known-truth-further"),
    "known-truth-vit": lambda: means("known-truth-vit"),
    "nih-boxes pointing": lambda: by_finding("nih-boxes", "pointing_game"),
    "known-truth pointing": lambda: by_finding("known-truth", "pointing_game"),
    "gate nih-boxes": lambda: verdicts(ADULTS, "nih-boxes"),
    "gate known-truth": lambda: verdicts(("known-truth",), "known-truth"),
    "beyond": lambda: beyond_outline.beyond_outline(Store(SCORES / "beyond")),
    "beyond all": lambda: beyond_outline.beyond_outline(Store(SCORES / "beyond-all")),
    "progressive exaggeration": lambda: as_markdown(json.loads((SCORES / "progressive-exaggeration.json").read_text())),
    "superpixels": lambda: by_setting(Store(SCORES / "superpixels"), METRICS, "area_matched_iou"),
    "held-out": held_out,
    "readers": readers,
}
"""What writes each block of the page, by name."""


def written(text: str) -> str:
    """The page with its blocks made anew.

    Raises:
        KeyError: a block is named that nothing writes.
    """
    return _BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match['name']]()}\n{match[3]}", text)


def take(results: Path, folder: str, pair: Pair) -> int:
    """Put a run's scores that the page shows into ``docs/scores``, in place of what was there; returns their number.

    Args:
        results: the folder of the run. folder: in ``docs/scores``. pair: the collection and model to take.
    """
    names = ", ".join(f"'{name}'" for name in (*METRICS, *beyond_outline.SCORES, *beside_published.PROTOCOLS))
    where = f"WHERE collection = ? AND classifier = ? AND metric IN ({names})"
    given = [pair.collection, pair.classifier]
    rows = Store(results).query(f"SELECT * FROM scores {where} ORDER BY question, metric", given)
    table = pa.Table.from_pandas(rows, SCHEMA, preserve_index=False)
    path = SCORES / folder / "scores" / "part-0.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd")
    return table.num_rows


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page's blocks anew, from newer scores where a run is given."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.runs.results_page", description=__doc__)
    parser.add_argument("--take", type=Path, metavar="RESULTS", help="the folder of a run whose scores come first")
    parser.add_argument("--collection", help="of the scores to take")
    parser.add_argument("--model", help="of the scores to take")
    parser.add_argument("--into", metavar="FOLDER", help="of docs/scores; by default the collection's name")
    given = parser.parse_args(argv)
    if given.take is not None:
        if not given.collection or not given.model:
            parser.error("--take needs --collection and --model")
        take(given.take, given.into or given.collection, Pair(given.collection, given.model))
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
