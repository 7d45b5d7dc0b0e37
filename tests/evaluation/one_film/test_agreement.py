"""How far maps agree, by hand, and what is said of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluation.one_film.agreement import agreement_matrix, half_a_cell, in_words, top_overlap
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.evaluate import MethodResult
from evaluation.scores import Score
from evaluation.validity.gate import Verdict
from xai_methods import Explanation

NAMES = {"Edge map": "edge-map"}


def peak(row: int, column: int, side: int = 20) -> np.ndarray:
    down, across = np.mgrid[:side, :side]
    return np.exp(-((down - row) ** 2 + (across - column) ** 2) / 20).astype(np.float32)


def test_overlap_by_hand():
    first = np.zeros((10, 10))
    first[0, :] = 1
    second = np.zeros((10, 10))
    second[0, :5] = 2
    assert top_overlap(first, first) == 1
    assert top_overlap(first, second) == 0.5
    assert top_overlap(first, 7 * second) == 0.5
    assert np.isnan(top_overlap(first, -second))


def test_the_matrix_is_symmetric_and_says_who_agrees():
    maps = {"a": peak(5, 5), "b": peak(5, 6), "c": peak(15, 15)}
    table = agreement_matrix(maps)
    assert (np.diag(table) == 1).all()
    np.testing.assert_array_equal(table.to_numpy(), table.to_numpy().T)
    assert table.loc["a", "b"] > 0.5 > table.loc["a", "c"]
    assert agreement_matrix({"a": peak(5, 5), "d": -peak(5, 5)}, "rank correlation").loc["a", "d"] == pytest.approx(-1)


def test_an_unknown_measure_is_named():
    with pytest.raises(ValueError, match="overlap, rank correlation"):
        agreement_matrix({}, "magic")


def made(pointing: float, auprc: float, *, auroc: float = 0.8, cells: tuple[int, int] | None = None, at: int = 5):
    """A map of a film of 200 x 200 pixels whose peak lies ``at`` pixels right of the left border, with its scores."""
    values = peak(5, 5)
    on_film = np.zeros((200, 200), dtype=np.float32)
    on_film[50, at] = 1
    explanation = Explanation(values, True, "grad-cam", {}, 0, "Mass", 1.0, "f", "c", 0.1, 1, cells=cells)
    names = {"pointing_game": pointing, "pixel_auprc": auprc, "pixel_auroc": auroc}
    return explanation, on_film, {name: Score(name, value) for name, value in names.items()}


def told(status: str = "shown", auprc: float = 0.3, **maps) -> str:
    """What is said of maps by their titles; the annotation reaches from column 40 to 60."""
    mask = np.zeros((200, 200), dtype=bool)
    mask[40:60, 40:60] = True
    methods = {
        title: MethodResult("Mass", NAMES.get(title, "grad-cam"), title, *given) for title, given in maps.items()
    }
    best = {"pixel_auprc": Score("pixel_auprc", auprc), "pixel_auroc": Score("pixel_auroc", 0.8)}
    result = FindingResult("Mass", 1.0, 0.7, mask, Verdict(status, "a reason"), methods, {"edge-map": best}, {})
    return in_words(result)


MORE, LESS = "more than every model-independent baseline", "less than the best model-independent baseline"
ALIKE = "not told apart from the best baseline"
TABLES = {
    "peak inside, clearly better": (
        {"A": made(1, 0.6)}, ["A peaks inside the annotation of mass.", f"A overlaps the annotation {MORE}"], [ALIKE]),
    "0.094 against 0.092 is no difference": (
        {"auprc": 0.092, "A": made(1, 0.094)}, [f"A is {ALIKE}"], [MORE, LESS]),
    "just below the margin": ({"A": made(1, 0.349)}, [ALIKE], [MORE]),
    "just above the margin": ({"A": made(1, 0.351)}, [MORE], [ALIKE]),
    "worse beyond the margin": ({"A": made(0, 0.1)}, [f"A overlaps the annotation {LESS}"], [MORE]),
    "worse within the margin": ({"A": made(0, 0.28)}, [ALIKE], [LESS]),
    "another score says the opposite": (
        {"A": made(1, 0.6, auroc=0.6)}, ["Scores disagree on A against the baselines"], [MORE, LESS]),
    "another score says no more": ({"A": made(1, 0.6, auroc=0.79)}, [MORE], ["disagree"]),
    "worse by one, better by another": ({"A": made(1, 0.1, auroc=0.95)}, ["Scores disagree on A"], [MORE, LESS]),
    "all better": ({"A": made(1, 0.6), "B": made(1, 0.7)}, [f"All 2 maps overlap the annotation {MORE}"], [ALIKE]),
    "one better, one alike": (
        {"A": made(1, 0.6), "B": made(1, 0.31)}, [f"A overlaps the annotation {MORE}; B is {ALIKE}"], ["All 2"]),
    "no baseline has the score": ({"auprc": math.nan, "A": made(1, 0.6)}, ["A peaks inside"], [MORE, ALIKE, LESS]),
    "an undefined score": ({"A": made(math.nan, math.nan)}, [], [MORE, ALIKE, LESS, "peaks"]),
    "a fine map's peak outside": (
        {"A": made(0, 0.1, at=20)}, ["A peaks outside the annotation of mass."], ["resolution"]),
    "a coarse map's peak within half a cell": (
        {"A": made(0, 0.1, at=20, cells=(5, 5))},
        ["A peaks as near to the annotation of mass as its resolution can tell."], ["outside", "inside"]),
    "a coarse map's peak farther off": (
        {"A": made(0, 0.1, at=150, cells=(5, 5))}, ["A peaks outside the annotation of mass."], ["resolution"]),
    "a superpixel larger than the mass": ({"A": made(0.2, 0.1)}, ["as its resolution can tell"], ["outside"]),
    "inside, near and outside": (
        {"A": made(1, 0.6), "B": made(0, 0.6, at=20, cells=(5, 5)), "C": made(0, 0.6, at=150)},
        ["A peaks inside the annotation of mass; B peaks as near to it as its resolution can tell; C peaks outside"],
        []),
    "nothing was measured": (
        {"status": "not measured", "A": made(1, 0.6)}, ["by the annotated region was not measured."],
        ["did not pass", "gate", "shown"]),
    "measured on other films": (
        {"status": "measured on other films", "A": made(1, 0.6)}, ["measured on other films only"], ["did not pass"]),
    "not shown": ({"status": "not shown", "A": made(1, 0.6)}, ["these films do not show that"], ["not measured"]),
    "shown not to": ({"status": "shown not to", "A": made(1, 0.6)}, ["shown not to depend"], ["not measured"]),
    "shown": ({"A": made(1, 0.6)}, [], ["care", "gate"]),
    "a baseline among the methods": (
        {"A": made(1, 0.6), "Edge map": made(1, 0.9)}, ["A peaks inside"], ["Edge map", "All 2", "pairs"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_what_is_said_of_a_made_up_table(name):
    given, said, unsaid = TABLES[name]
    words = told(**given)
    assert [phrase for phrase in said if phrase not in words] == [], words
    assert [phrase for phrase in unsaid if phrase in words] == [], words


def test_agreement_is_spoken_of_with_a_margin():
    def of(*places: int) -> str:
        methods = {}
        for number, place in enumerate(places):
            one = Explanation(peak(10, place), True, "grad-cam", {}, 0, "Mass", 1.0, "f", "c", 0.1, 1)
            methods[f"{number}"] = MethodResult("Mass", "grad-cam", "ABC"[number], one, one.values)
        return in_words(FindingResult("Mass", 1.0, 0.7, None, Verdict("shown", ""), methods, {}, {}))

    assert of(5) == ""
    assert of(5, 5) == "The top-10 % pixels of B and A overlap by 100%."
    assert of(5, 5, 15) == "The top-10 % pixels of B and A overlap most (100%), those of C and A least (0%)."
    assert of(5, 5, 5) == "The top-10 % pixels of all pairs of maps overlap about equally (100% to 100%)."


def test_half_a_cell_is_no_less_than_the_published_tolerance():
    assert half_a_cell((7, 7), (1024, 800)) == 74
    assert half_a_cell((56, 56), (500, 500)) == 15
