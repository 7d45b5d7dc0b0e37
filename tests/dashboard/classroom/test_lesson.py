"""Lessons as files: what is read, and what is said of a file that will not do."""

from __future__ import annotations

import pytest

from dashboard.classroom.lesson import LessonError, read_lesson
from dashboard.classroom.lessons import LESSONS_VARIABLE, load_lessons

HEAD = 'title = "T"\nsummary = "S"\nminutes = 5\n'
STEP = '[[step]]\nkind = "choose"\ntitle = "One"\nquestion = "Q?"\nchoices = ["a", "b"]\n'
POINT = (
    '[[step]]\nkind = "point"\ntitle = "Two"\nquestion = "Where?"\nfilm = "known-truth/mass-01"\n'
    'model = "known-truth"\nfinding = "Mass"\nmethods = ["grad-cam"]\n'
)


@pytest.fixture
def write(tmp_path):
    def written(text: str, notes: str = "", name: str = "my-lesson"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "lesson.toml").write_text(text, encoding="utf-8")
        if notes:
            (folder / "notes.md").write_text(notes, encoding="utf-8")
        return folder

    return written


def test_a_lesson_is_read_with_its_notes(write):
    better = '[step.better]\nfilm = "nih-boxes/x"\nmodel = "nih14"\nfinding = "Mass"\n'
    folder = write(HEAD + STEP + "answer = 2\n" + POINT + better, "First.\n\n## Two\nSay *this*.\n")
    lesson = read_lesson(folder)
    assert (lesson.name, lesson.minutes, lesson.notes) == ("my-lesson", 5, "First.")
    one, two = lesson.steps
    assert (one.answer, one.choices, one.notes) == (1, ("a", "b"), "")
    assert [subject.film for subject in two.subjects] == ["nih-boxes/x", "known-truth/mass-01"]
    assert two.notes == "Say *this*."
    assert two.marks


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = ", "is no lesson yet"),
        ('title = "T"\n', "the lesson lacks minutes, step, summary"),
        (HEAD + STEP + "colour = 3\n", "keys that it cannot have: colour"),
        (HEAD + STEP.replace('"choose"', '"dance"'), "the kind 'dance'; there are: tell, choose"),
        (HEAD + STEP.replace('question = "Q?"\n', ""), r"step 1 \(choose\) lacks question"),
        (HEAD + STEP + "answer = 3\n", "number of the right choice, from 1 to 2"),
        (HEAD + STEP.replace('["a", "b"]', '["a"]'), "choices are 2 to 8"),
        (HEAD + POINT.replace("grad-cam", "grad-kam"), "a method that is not here, 'grad-kam'"),
        (HEAD + POINT.replace('model = "known-truth"', 'model = "nobody"'), "a model that is not here, 'nobody'"),
        (HEAD + POINT.replace("known-truth/mass-01", "moon/1"), "a collection that is not here, 'moon'"),
        (HEAD.replace("5", '"long"') + STEP, "minutes is a whole number"),
        (HEAD + STEP.replace('"Q?"', '""'), "question is a text of 1 to 300 letters"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_sentence(write, text, words):
    with pytest.raises(LessonError, match=words) as caught:
        read_lesson(write(text))
    assert "lesson.toml" in str(caught.value)
    assert "load the page again" in str(caught.value)


def test_notes_under_a_heading_that_is_no_step_are_not_lost_in_silence(write):
    with pytest.raises(LessonError, match="heading that is no step's title, 'Three'"):
        read_lesson(write(HEAD + STEP, "## Three\nx\n"))


def test_own_lessons_stand_beside_the_shipped_ones_and_a_bad_one_costs_itself_alone(write, tmp_path, monkeypatch):
    monkeypatch.setenv(LESSONS_VARIABLE, str(tmp_path))
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    shipped = set(load_lessons().found)
    write(HEAD + STEP)
    write("nonsense", name="bad")
    write(HEAD + STEP, name="where-would-you-look")
    found = load_lessons()
    assert set(found.found) == shipped | {"my-lesson"}
    assert len(found.wrong) == 2
    assert "where-would-you-look has the name of another lesson" in found.wrong[1]
