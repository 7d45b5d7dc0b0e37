"""Requests of the compare page: keys are content addresses, and their work explains."""

from __future__ import annotations

from dashboard.compare.request import CompareRequest
from dashboard.shared.film_context import FilmContext
from dashboard.shared.map_notes import notes_on
from tests.dashboard.made import TinyCollection, tiny_classifier, tiny_film
from xai_methods import get_method


def request(seed: int = 0, findings: tuple[str, ...] = ("Nodule",)) -> CompareRequest:
    film = FilmContext("tiny-films/film-0", tiny_film()[0], tuple(TinyCollection().annotations("film-0")))
    return CompareRequest(film, tiny_classifier(), findings, {"grad-cam": get_method("grad-cam").parameters()}, seed)


def test_keys_are_content_addresses():
    assert request().key("Nodule", "grad-cam") == request().key("Nodule", "grad-cam")
    assert request().key("Nodule", "grad-cam") != request().key("Effusion", "grad-cam")
    assert request().keys() != request(seed=1).keys()


def test_work_explains():
    shares: list[float] = []
    made = request().work("Nodule", "grad-cam")(shares.append, lambda: False)
    assert made.finding == "Nodule"
    assert shares[-1] == 1.0
    assert any("native resolution" in note for note in notes_on(made))


def test_another_model_gets_the_findings_that_it_knows():
    other = tiny_classifier("other")
    both = request(findings=("Nodule", "Mass"))
    assert both.with_model(other).findings == ("Nodule",)
    assert both.with_model(other).classifier is other
