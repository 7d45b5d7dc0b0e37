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


def test_a_doubt_about_an_outline_alone_is_one_about_scores():
    def script():
        import numpy as np

        from dashboard.shared.film_notes import draw_notes
        from evaluation.validity.outline_fit import CODE
        from radiographs import Radiograph
        from radiographs.radiograph import Note

        draw_notes(Radiograph(np.eye(40), notes=(Note(CODE, "The outline lies outside.", True),)))

    (warning,) = AppTest.from_function(script).run().warning
    assert warning.value == "The outline lies outside. Scores against it stand under that doubt."


def test_a_person_overrules_a_doubt_and_may_doubt_again():
    shown = AppTest.from_function(page).run(timeout=30)
    shown.button(key="overrule_doubt").click().run()
    assert not shown.exception
    assert not shown.warning
    said = [caption.value for caption in shown.caption]
    assert said == ["Overruled by you: The film was taken from the side.", "The film was turned."]
    shown.button(key="doubt_again").click().run()
    assert len(shown.warning) == 1


def odd_page() -> None:
    import numpy as np
    import streamlit as st

    from dashboard.shared.corrections import with_corrections
    from dashboard.shared.film_context import FilmContext
    from dashboard.shared.film_notes import draw_notes, is_overruled
    from radiographs import Annotation, Radiograph
    from radiographs.radiograph import Note

    pixels = np.linspace(0, 1, 12).reshape(3, 4)
    context = FilmContext("a/b", Radiograph(pixels), (Annotation("Mass", pixels > 0.8, "mask", "a reader"),))
    found = with_corrections(context)
    film = found.radiograph
    if film.pixels[0, 0] == 0:
        odd = Note("mirrored", "The film looks mirrored.", True), Note("inverted", "The film looks inverted.", True)
        film = film.with_notes((*film.notes, *odd))
    draw_notes(film)
    stands = bool(film.doubts) and not is_overruled(film)
    st.text(f"{stands} {film.pixels[0, 3]:.1f} {found.annotations[0].mask.argmax()}")


def test_an_odd_film_is_grey_and_corrected_and_uncorrected_again():
    shown = AppTest.from_function(odd_page).run(timeout=30)
    assert not shown.exception
    assert "The film looks mirrored. The film looks inverted." in shown.warning[0].value
    assert any("grayscale" in str(html.proto.body) for html in shown.get("html"))
    assert shown.text[0].value == "True 0.3 9"
    button = shown.button(key="correct_film")
    assert button.label == "Correct it: mirrored left to right and inverted"
    button.click().run()
    assert not shown.exception
    assert not shown.warning
    assert not shown.get("html")
    assert shown.text[0].value == "False 1.0 8"
    assert [c.value for c in shown.caption] == [
        "The film was mirrored left to right and inverted by hand, for it looked wrong."
    ]
    shown.button(key="undo_correction").click().run()
    assert shown.text[0].value == "True 0.3 9"
    shown.button(key="overrule_doubt").click().run()
    assert not shown.warning
    assert not shown.get("html")
    assert shown.text[0].value == "False 0.3 9"
