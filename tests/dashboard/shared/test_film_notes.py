"""What the reader did to a film, or doubts, stands on the page that shows it."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    import numpy as np

    from dashboard.shared.film_notes import draw_notes
    from radiographs import Radiograph
    from radiographs.radiograph import Note

    turned, doubt = Note("turned", "The film was turned."), Note("lateral", "The film was taken from the side.", True)
    draw_notes(Radiograph(np.eye(40), notes=(turned, doubt)))
    draw_notes(Radiograph(np.eye(41)))


def test_doubts_are_a_warning_and_the_rest_a_line():
    shown = AppTest.from_function(page).run(timeout=30)
    assert not shown.exception
    assert [warning.value.startswith("The film was taken from the side.") for warning in shown.warning] == [True]
    assert [caption.value for caption in shown.caption] == ["The film was turned."]


def test_a_person_overrules_a_doubt_and_may_doubt_again():
    shown = AppTest.from_function(page).run(timeout=30)
    shown.button(key="overrule_doubt").click().run()
    assert not shown.exception
    assert not shown.warning
    said = [caption.value for caption in shown.caption]
    assert said == ["Overruled by you: The film was taken from the side.", "The film was turned."]
    shown.button(key="doubt_again").click().run()
    assert len(shown.warning) == 1
