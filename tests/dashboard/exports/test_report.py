"""The report is one file that holds everything, escapes everything and asks nothing of a network."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from dashboard.compare.question import Film, Question, default_findings, mask_digest, notes_on, seen_in_training
from dashboard.exports.downloads import maps_npz
from dashboard.exports.report import html_report
from dashboard.exports.reported import Reported
from dashboard.exports.tables import table_csv
from dashboard.shared.display import View
from evaluation.one_film.compare import Comparison, compare
from evaluation.one_film.evaluate import MethodResult, ScoringContext
from evaluation.one_film.scorecard import Cell, Scorecard
from evaluation.scores import Score
from radiographs import Radiograph
from radiographs.annotation import annotations_of
from radiographs.collection import FilmEntry
from tests.dashboard.made import CARD, TinyCollection, tiny_classifier, tiny_film
from xai_methods import get_method


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    film, mask = tiny_film()
    context = ScoringContext(tiny_classifier(), film, annotations_of({"Nodule": mask}))
    made = compare(context, ["Nodule", "Effusion"], {"grad-cam": None, "jacobian": None})
    broken = MethodResult("Nodule", "lime", "LIME", error="LIME failed: <b>no</b> regions")
    made.findings["Nodule"].methods["lime"] = broken
    return made


@pytest.fixture(scope="module")
def html(comparison: Comparison) -> str:
    return html_report(Reported(comparison, CARD, "tiny-films/film-<0>", TinyCollection.card))


def test_report_refers_to_nothing_outside(html):
    assert not re.search(r"(?:src|href)=(?!\"data:)|url\(|@import", html)
    assert "<script" not in html
    assert "http-equiv" not in html


def test_report_escapes_what_it_is_given(html):
    assert "film-&lt;0&gt;" in html
    assert "Tiny &lt;model&gt;" in html
    assert "&lt;b&gt;no&lt;/b&gt;" in html
    assert "Nobody &amp; co." in html


def test_report_holds_what_is_needed_to_do_it_again(html, comparison):
    assert comparison.radiograph.digest in html
    assert comparison.classifier_digest in html
    assert "Grad-CAM settings" in html
    assert re.search(r"torch \d", html)
    assert html.count("data:image/png;base64,") >= 6
    assert "Chance" in html
    assert "For research and teaching, not for diagnosis." in html
    assert "Nobody outlined this finding on this film." in html
    assert "nan" not in re.sub(r"base64,[^\"]*", "", html)


def test_report_shows_the_film_pixel_for_pixel(html, comparison):
    large = Radiograph(np.kron(comparison.radiograph.pixels, np.ones((16, 20), dtype=np.float32)))
    found = html_report(Reported(replace(comparison, radiograph=large, findings={}), CARD, "a/b"))
    assert "1280 x 1280 pixels" in found
    empty = replace(comparison.findings["Effusion"], methods={})
    found = html_report(Reported(replace(comparison, radiograph=large, findings={"Effusion": empty}), CARD, "a/b"))
    picture = base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", found)[1])
    assert Image.open(io.BytesIO(picture)).size == (1280, 1280)


def test_report_holds_the_link_and_how_maps_were_drawn(comparison):
    link = "http://127.0.0.1:8501/?film=a%2Fb&seed=3"
    html = html_report(Reported(comparison, CARD, "a/b", view=View(part="signed"), link=link))
    assert f'<a href="{link.replace("&", "&amp;")}" rel="noreferrer">' in html
    assert "colours about 0" in html
    assert len(re.findall(r"(?:src|href)=(?!\"data:)", html)) == 1
    assert "<a " not in html_report(Reported(comparison, CARD, "a/b", link="javascript:alert(1)"))


def test_csv_has_methods_baselines_and_chance(comparison):
    text = table_csv(comparison)
    assert text.splitlines()[0].startswith("finding,name,title,kind")
    assert {"grad-cam", "jacobian", "chance", "uniform"} <= {line.split(",")[1] for line in text.splitlines()[1:]}


def test_npz_holds_raw_maps_and_opens_without_pickle(comparison):
    with np.load(io.BytesIO(maps_npz(comparison)), allow_pickle=False) as arrays:
        done = comparison.findings["Nodule"].methods["jacobian"]
        assert np.array_equal(arrays["Nodule.jacobian.values"], done.explanation.values)
        assert arrays["Nodule.jacobian.on_film"].shape == comparison.radiograph.shape
        assert arrays["Nodule.outline"].dtype == bool
        assert {row["method"] for row in json.loads(str(arrays["meta"]))} == {"grad-cam", "jacobian"}


def question(seed: int = 0) -> Question:
    film = Film("tiny-films/film-0", tiny_film()[0], tuple(TinyCollection().annotations("film-0")))
    return Question(film, tiny_classifier(), ("Nodule",), {"grad-cam": get_method("grad-cam").parameters()}, seed)


def test_keys_are_content_addresses():
    assert question().key("Nodule", "grad-cam") == question().key("Nodule", "grad-cam")
    assert question().key("Nodule", "grad-cam") != question().key("Effusion", "grad-cam")
    assert question().keys() != question(seed=1).keys()


def test_work_explains():
    shares: list[float] = []
    made = question().work("Nodule", "grad-cam")(shares.append, lambda: False)
    assert made.finding == "Nodule"
    assert shares[-1] == 1.0
    assert any("cells" in note for note in notes_on(made))


def test_default_findings_are_the_outlined_else_the_likeliest():
    film = question().film
    assert default_findings(film, {"Effusion": 0.9, "Nodule": 0.1}) == ("Nodule",)
    assert default_findings(Film("x/y", film.radiograph), {"Effusion": 0.9, "Nodule": 0.1}) == ("Effusion",)


@pytest.mark.parametrize(
    ("collection", "part", "split", "seen"),
    [
        ("nih-boxes", "train", "nih", True),
        ("nih-boxes", "train", "nih.csv", True),
        ("nih-boxes", "test", "nih", False),
        ("nih-boxes", "train", "known_truth", False),
        ("nih-boxes", "train", None, False),
        ("upload", None, "nih", False),
    ],
)
def test_seen_in_training(collection, part, split, seen):
    film = Film(f"{collection}/a", tiny_film()[0], entry=FilmEntry("a", part=part) if part else None)
    assert seen_in_training(film, split) is seen


def test_mask_digest_tells_masks_apart():
    mask = tiny_film()[1]
    assert mask_digest(None) == ""
    assert mask_digest(mask) != mask_digest(~mask)
    assert mask_digest(mask) != mask_digest(mask.T)


def test_a_scorecard_stands_in_the_report(comparison):
    finding, result = next(iter(comparison.findings.items()))
    method = next(iter(result.methods))
    score = Score("pixel_auprc", 0.6, 0.1, "higher", "localizability")
    cell = Cell(method, "localizability", "pixel_auprc", "Pixel AUPRC", "what it is", score, "Edge map", 0.3)
    cards = {finding: Scorecard(finding, True, "", (cell,))}
    html = html_report(Reported(comparison, CARD, "tiny-films/film-0"), cards)
    assert "five elements of interpretability" in html
    assert "0.60 ▲" in html
    assert "five elements" not in html_report(Reported(comparison, CARD, "tiny-films/film-0"))
