"""What is explained where nothing was chosen."""

from __future__ import annotations

from dashboard.shared.choosing import default_findings
from dashboard.shared.film_context import FilmContext
from tests.dashboard.made import TinyCollection, tiny_film


def test_default_findings_are_the_outlined_else_the_likeliest():
    film = FilmContext("tiny-films/film-0", tiny_film()[0], tuple(TinyCollection().annotations("film-0")))
    assert default_findings(film, {"Effusion": 0.9, "Nodule": 0.1}) == ("Nodule",)
    assert default_findings(FilmContext("x/y", film.radiograph), {"Effusion": 0.9, "Nodule": 0.1}) == ("Effusion",)
