import io
import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dashboard.cli.main import main
from dashboard.stability import charts as stability_charts
from dashboard.stability import tables as stability_tables
from dashboard.stability import words
from dashboard.stability.report import html_report
from evaluation.stability import study
from radiographs.radiograph import Note
from tests.dashboard.made import CARD, SCRIPT, marked, tiny_classifier, tiny_film
from xai_methods import display


@pytest.fixture(scope="module")
def found():
    return study(tiny_classifier(), tiny_film()[0])


def test_the_report_stands_alone_and_escapes_what_it_is_given(found):
    html = html_report(found, CARD, "films/<b>", tiny_film()[0])
    assert html.count("<img ") == html.count('src="data:image/png;base64,') >= 5
    assert "http" not in html.replace("https://", "http")
    assert "<script" not in html
    assert "films/&lt;b&gt;" in html
    assert "Tiny &lt;model&gt;" in html
    assert found.film in html
    assert found.availability.reason[:40] in html


def test_no_text_becomes_markup(found):
    availability = replace(found.availability, reason=SCRIPT)
    perturbed = [replace(done, title=SCRIPT, words=SCRIPT) for done in found.perturbed]
    film = replace(tiny_film()[0], notes=(Note("lateral", SCRIPT, doubt=True),))
    html = html_report(replace(found, availability=availability, perturbed=perturbed), marked(CARD), SCRIPT, film)
    assert "<b>In doubt.</b> &lt;script&gt;" in html
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 8


def test_a_number_that_is_not_known_is_a_dash(found):
    distances = [replace(reach, l2=math.nan, linf=math.nan) for reach in found.distances]
    html = html_report(replace(found, distances=distances), CARD, "films/nanosecond", tiny_film()[0])
    cells = re.findall(r"<td>([^<]*)</td>", html)
    assert cells.count("–") >= 2 * len(distances)
    assert "nan" not in cells
    assert "films/nanosecond" in html


def test_tables_hold_the_study_and_charts_can_be_drawn(found):
    table = stability_tables.findings_table(found)
    assert list(table["distance"]) == sorted(table["distance"])
    middle = len(found.strongest.steps) // 2
    slider = stability_tables.slider_table(found, middle)
    np.testing.assert_allclose(slider["now"], slider["before"])
    for chart in (
        stability_charts.probabilities(found, 0),
        stability_charts.perturbed(found, 1),
        stability_charts.forecast(found),
        stability_charts.line(found, 0),
        stability_charts.spectrum(found),
        stability_charts.together(found),
        stability_charts.curves(found),
    ):
        assert chart.to_dict()["height"] >= 100


def test_words_for_sizes():
    assert words.levels(math.nan) == "–"
    assert "followed" in words.levels(math.inf)
    assert words.levels(0.0123) == "0.012 grey levels"


def test_the_command_writes_a_report(tmp_path, monkeypatch, capsys):
    import classifiers.registry

    monkeypatch.setattr(classifiers.registry, "load_classifier", tiny_classifier)
    film = tmp_path / "somebody.png"
    Image.fromarray(np.round(255 * tiny_film()[0].pixels).astype(np.uint8)).save(film)
    out = tmp_path / "report.html"
    assert main(["stability", "--film", str(film), "--model", "tiny", "--out", str(out)]) == 0
    html = out.read_text(encoding="utf-8")
    assert "from a file" in html
    assert "somebody" not in html
    assert main(["stability", "--film", str(film), "--model", "tiny", "--out", str(tmp_path / "no" / "x.html")]) == 2
    assert "no folder" in capsys.readouterr().err
    assert main(["stability", "--film", str(film), "--model", "tiny", "--seed", "-1", "--out", str(out)]) == 2
    assert "--seed" in capsys.readouterr().err
    assert main(["stability", "--film", "nowhere.png", "--model", "tiny", "--out", str(out)]) == 2


def test_the_map_names_the_colours_that_it_has():
    low, middle, high = display.coloured(np.array([[-1.0, 0.0, 1.0]]), display.Scale(-1, 1, display.SIGNED_COLOURS))[0]
    assert high[0] > high[2], "red"
    assert low[2] > low[0], "blue"
    assert middle.max() < 40, "black"
    assert [colour for colour in ("Red", "blue", "black") if colour not in words.MAP] == []


def test_the_numbers_say_what_they_are_of(found):
    table = pd.read_csv(io.StringIO(stability_tables.numbers_csv(found, "tiny-films/film-0", "tiny")))
    assert list(table)[:5] == ["film", "film_digest", "model", "model_digest", "finding"]
    assert set(table["film"]) == {"tiny-films/film-0"}
    assert set(table["model_digest"]) == {found.classifier}
