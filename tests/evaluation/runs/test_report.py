"""Reports and differences of runs whose numbers are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from evaluation.runs import tables
from evaluation.runs.diff import diff
from evaluation.runs.plots import grouped, means_figure, size_figure, svg_of
from evaluation.runs.report import _plots, make_report
from evaluation.runs.report_files import html_page, verdict_words, write_report
from evaluation.runs.store import Store
from evaluation.validity.gate import Verdict
from tests.evaluation.runs.made import FILMS, made_store

MEAN = sum(range(FILMS)) / FILMS / 100
PAIR = tables.Pair("tiny-films", "tiny")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return made_store(tmp_path_factory.mktemp("made"))


def test_seeds_are_averaged_and_means_are_over_films(store: Store) -> None:
    board = tables.leaderboard(store, PAIR, ["pixel_auprc"])
    every = board[board.scope == tables.ALL].set_index("title")
    assert every.loc["Grad-CAM", "mean"] == pytest.approx(0.8 + MEAN)
    assert every.loc["Grad-CAM", "n"] == FILMS
    assert every.loc["Grad-CAM", "patients"] == FILMS // 2
    assert every.loc["Grad-CAM", "low"] < 0.8 + MEAN < every.loc["Grad-CAM", "high"]
    assert every.loc["Chance", "mean"] == pytest.approx(0.1)
    one = board[board.scope == "Nodule"].set_index("title")
    assert one.loc["Grad-CAM", "mean"] == pytest.approx(0.8 + 0.12)


def test_methods_are_set_against_the_best_baseline(store: Store) -> None:
    board = tables.leaderboard(store, PAIR, ["pixel_auprc"])
    row = board[(board.scope == tables.ALL) & (board.title == "Grad-CAM")].iloc[0]
    assert row.baseline.startswith("centre-prior/")
    assert (row.gain, row.gain_low, row.gain_high) == pytest.approx((0.5, 0.5, 0.5))


def test_paired_tests_rank_as_built(store: Store) -> None:
    found = tables.tests_of(tables.context_of(store, PAIR), "pixel_auprc", tables.values(store, "pixel_auprc", PAIR))
    assert found.ranking.names[:2] == ("Grad-CAM", found.ranking.names[1])
    assert found.ranking.mean_ranks == (1, 2, 3, 4)
    assert found.ranking.n == FILMS // 2
    assert len(found.pairs) == 6


def words_of(store: Store) -> str:
    section = make_report(store).sections[0]
    return verdict_words(section.board[section.board.scope == tables.ALL], section, "pixel_auprc")


def test_better_is_what_the_paired_test_says(store: Store, tmp_path: Path) -> None:
    assert words_of(store) == (
        "Pixel AUPRC: Grad-CAM has the best mean, 0.915; 0.500 over the best baseline, Centre prior (interval 0.500 to "
        "0.500; paired over 12 patients p = 0.003 after Holm, so better)."
    )
    few = words_of(made_store(tmp_path, leave_out=20))
    assert "Grad-CAM has the best mean" in few
    assert "on 2 patients: too few to tell them apart" in few
    assert "better" not in few
    assert "interval" not in few


def test_a_silent_map_is_shown_both_ways_and_compared_on_common_pairs(tmp_path: Path) -> None:
    store = made_store(tmp_path, silent=4)
    board = tables.leaderboard(store, PAIR, ["pixel_auprc"])
    every = board[board.scope == tables.ALL].set_index("title")
    cam = every.loc["Grad-CAM"]
    assert (cam.n, cam.silent, cam.common_n) == (FILMS - 4, 4, FILMS - 4)
    told = [0.8 + i / 100 for i in range(4, FILMS)]
    assert cam["mean"] == pytest.approx(sum(told) / len(told))
    assert cam.mean_silent_0 == pytest.approx(sum(told) / FILMS)
    other = every[(every.kind == "method") & (every.index != "Grad-CAM")].iloc[0]
    assert (other.n, other.silent) == (FILMS, 0)
    assert other.common == pytest.approx(0.5 + sum(range(4, FILMS)) / (FILMS - 4) / 100)
    words = words_of(store)
    assert "on the 20 pairs that all methods have" in words
    assert f"Grad-CAM is undefined on 4 of 24 pairs: {cam['mean']:.3f} without them, 0.779 with those as 0" in words
    write_report(store, tmp_path / "report")
    tex = (tmp_path / "report" / "leaderboard.tex").read_text(encoding="utf-8")
    assert "n 20" in tex
    assert "n 24" in tex


def test_cost(store: Store) -> None:
    costs = tables.costs(store)
    assert list(costs.maps) == [2 * FILMS] * 2
    assert set(costs.median_seconds) == {0.5}
    assert set(costs.total_seconds) == {FILMS}


def test_the_report_is_whole_and_safe(store: Store, tmp_path: Path) -> None:
    made = {path.name for path in write_report(store, tmp_path)}
    assert {"report.html", "leaderboard.csv", "leaderboard.tex", "paired_tests.csv", "cost.csv"} <= made
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "&lt;Made&gt;" in html
    assert "<Made>" not in html
    assert "http-equiv" not in html
    assert 'src="http' not in html
    assert "Grad-CAM has the best mean" in html
    assert "no AUROC" in html or "nobody has measured" in html
    board = pd.read_csv(tmp_path / "leaderboard.csv")
    assert set(board.columns) >= {"collection", "classifier", "mean", "low", "high", "n", "patients", "gain"}
    tex = (tmp_path / "leaderboard.tex").read_text(encoding="utf-8")
    assert tex.count("\\begin{tabular}") == tex.count("\\end{tabular}") == 1
    assert "0.91 (" in tex or "0.92 (" in tex


def test_no_text_of_a_run_becomes_markup(store: Store) -> None:
    report = make_report(store)
    section = report.sections[0]
    section = replace(
        section,
        pair=tables.Pair("<script>", "<script>"),
        verdicts=dict.fromkeys(section.verdicts, Verdict("not shown", "<script>")),
        board=section.board.assign(title="<script>" + section.board.title),
    )
    failures = pd.DataFrame([dict.fromkeys(("method", "metric", "reason"), "<script>")])
    html = html_page(
        replace(
            report,
            name="<script>",
            versions=("<script>",),
            sections=(section,),
            costs=report.costs.assign(title="<script>", classifier="<script>"),
            failures=failures,
        )
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 10


def test_a_run_without_scores_says_so(tmp_path: Path, store: Store) -> None:
    with pytest.raises(ValueError, match="no scores yet"):
        make_report(Store(tmp_path))
    with pytest.raises(ValueError, match="has no score 'entropy'"):
        make_report(store, ["entropy"])


def test_a_run_is_the_same_as_itself(store: Store) -> None:
    found = diff(store, store)
    assert found.same
    assert found.table.changed.sum() == 0


def test_what_changed_is_found(store: Store, tmp_path: Path) -> None:
    found = diff(store, made_store(tmp_path, shift=-0.1, leave_out=1))
    assert not found.same
    assert (found.only_first, found.only_second) == (6, 0)
    changed = found.table[found.table.changed > 0]
    assert list(changed.method) == ["grad-cam"]
    assert changed.difference.iloc[0] == pytest.approx(-0.1)
    assert changed.changed.iloc[0] == 2 * (FILMS - 1)
    assert "grad-cam pixel_auprc" in found.words()


def test_plots_show_each_map_once_and_the_means_of_equal_groups(store: Store) -> None:
    table = tables.values(store, "pixel_auprc", PAIR)
    board = tables.leaderboard(store, PAIR, ["pixel_auprc"])
    every = board[board.scope == tables.ALL]
    means = means_figure(every, "Pixel AUPRC")
    assert [label.get_text() for label in means.axes[0].get_yticklabels()] == list(every.title)
    titles = tables.map_titles(store)
    size = size_figure(table, titles, "Pixel AUPRC")
    assert [text.get_text() for text in size.axes[0].get_legend().get_texts()] == list(titles.values())
    assert svg_of(size).startswith("<svg")


def test_without_an_outline_only_the_means_are_drawn(store: Store) -> None:
    context = tables.context_of(store, tables.pairs_of(store)[0])
    table = tables.values(store, "pixel_auprc", context.pair)
    board = tables.board_of(context, "pixel_auprc", table, draws=100)
    with_outlines = _plots(board, table, context.titles, "Score")
    assert with_outlines.count("</svg>") == 2
    assert _plots(board, table.assign(area=float("nan")), context.titles, "Score").count("</svg>") == 1


def test_groups_hold_equally_many_films() -> None:
    table = pd.DataFrame({"title": ["a"] * 10, "area": range(10), "value": range(10)})
    found = grouped(table, "area", groups=5)
    assert list(found.n) == [2] * 5
    assert list(found.value) == [0.5, 2.5, 4.5, 6.5, 8.5]
