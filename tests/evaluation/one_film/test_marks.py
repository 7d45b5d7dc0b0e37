"""What share of a map's evidence lies on lettering and tubes, and when it is said."""

import math

import numpy as np

from evaluation.one_film.compare import FindingResult
from evaluation.one_film.evaluate import MethodResult
from evaluation.one_film.marks import evidence_on, marks_in_words, marks_on
from radiographs import Annotation, Radiograph

MASK = np.zeros((20, 20), dtype=bool)
MASK[:2, :2] = True


def result(on_film: np.ndarray, method: str = "lrp") -> FindingResult:
    done = {method: MethodResult("Mass", method, method.upper(), on_film=on_film)}
    return FindingResult("Mass", 0.0, 0.5, None, None, done, {}, {})


def test_the_share_counts_positive_evidence_alone():
    values = np.where(MASK, 1.0, -1.0)
    values[10, 10] = 12.0
    assert evidence_on(values, MASK) == 0.25
    assert math.isnan(evidence_on(-np.ones((20, 20)), MASK))


def test_a_large_share_is_said_and_a_usual_one_is_not():
    values = np.where(MASK, 1.0, 0.0)
    values[10, 10] = 16.0
    said = marks_in_words(result(values), {"the lettering": MASK})
    assert said == "20% of LRP's evidence lies on the lettering (1.0% of the film)."
    assert marks_in_words(result(np.ones((20, 20))), {"the lettering": MASK}) == ""
    assert marks_in_words(result(np.ones((20, 20))), {"the lettering": np.ones((20, 20), dtype=bool)}) == ""
    assert marks_in_words(result(values, "random"), {"the lettering": MASK}) == ""
    assert marks_in_words(result(np.ones((5, 5))), {"the lettering": MASK}) == ""


def test_tubes_count_where_a_reader_outlined_them():
    film = Radiograph(np.linspace(0, 1, 400).reshape(20, 20))
    drawn = [Annotation("ett", MASK, "mask", "a reader"), Annotation("heart", ~MASK, "mask", "a reader")]
    assert list(marks_on(film)) == []
    found = marks_on(film, drawn)
    assert list(found) == ["tubes and lines"]
    assert np.array_equal(found["tubes and lines"], MASK)
