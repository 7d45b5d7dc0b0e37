"""The report is one file that holds everything, escapes everything and asks nothing of a network."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dashboard.exports.content import OVERRULED, ReportContent
from dashboard.exports.report import html_report
from dashboard.exports.tables import table_csv
from dashboard.shared.display import View
from evaluation.one_film.compare import Comparison, compare
from evaluation.one_film.evaluate import MethodResult, ScoringContext
from evaluation.one_film.scorecard import Cell, Scorecard
from evaluation.scores import Score
from evaluation.validity.gate import Verdict
from radiographs import Annotation, Radiograph
from radiographs.annotation import annotations_of
from radiographs.radiograph import Note
from tests.dashboard.made import CARD, SCRIPT, TinyCollection, marked, tiny_classifier, tiny_film


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
    return html_report(ReportContent(comparison, CARD, "tiny-films/film-<0>", TinyCollection.card))


def test_report_refers_to_nothing_outside(html):
    assert not re.search(r"(?:src|href)=(?!\"data:)|url\(|@import", html)
    assert "<script" not in html
    assert "http-equiv" not in html


def test_no_text_of_a_file_or_a_person_becomes_markup(comparison):
    findings = {}
    for name, result in comparison.findings.items():
        methods = {
            key: replace(done, title=SCRIPT, error=done.error and SCRIPT) for key, done in result.methods.items()
        }
        findings[name] = replace(result, finding=SCRIPT, verdict=Verdict("not shown", SCRIPT), methods=methods)
    notes = (Note("inverted", SCRIPT), Note("lateral", SCRIPT, doubt=True))
    film = Radiograph(comparison.radiograph.pixels, notes=notes)
    made = replace(comparison, findings=findings, radiograph=film, classifier_digest=SCRIPT)
    link = f'https://localhost/?{SCRIPT}"onclick='
    content = ReportContent(made, marked(CARD), SCRIPT, marked(TinyCollection.card), link=link)
    score = Score("pixel_auprc", 0.6, 0.1, "higher", "localizability")
    cell = Cell("grad-cam", "localizability", "pixel_auprc", SCRIPT, SCRIPT, score, SCRIPT, 0.3)
    html = html_report(content, {name: Scorecard(SCRIPT, False, SCRIPT, (cell,)) for name in findings})
    assert "<script" not in html
    assert '"onclick' not in html
    assert html.count("&lt;script&gt;") >= 20


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
    assert "No reference annotation for " in html
    assert "nan" not in re.sub(r"base64,[^\"]*", "", html)


def test_report_shows_the_film_pixel_for_pixel(html, comparison):
    large = Radiograph(np.kron(comparison.radiograph.pixels, np.ones((16, 20), dtype=np.float32)))
    found = html_report(ReportContent(replace(comparison, radiograph=large, findings={}), CARD, "a/b"))
    assert "1280 x 1280 pixels" in found
    empty = replace(comparison.findings["Effusion"], methods={})
    found = html_report(ReportContent(replace(comparison, radiograph=large, findings={"Effusion": empty}), CARD, "a/b"))
    picture = base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", found)[1])
    assert Image.open(io.BytesIO(picture)).size == (1280, 1280)


def test_report_holds_the_link_and_how_maps_were_drawn(comparison):
    link = "http://127.0.0.1:8501/?film=a%2Fb&seed=3"
    html = html_report(ReportContent(comparison, CARD, "a/b", view=View(part="signed"), link=link))
    assert f'<a href="{link.replace("&", "&amp;")}" rel="noreferrer">' in html
    assert "colours about 0" in html
    assert len(re.findall(r"(?:src|href)=(?!\"data:)", html)) == 1
    assert "<a " not in html_report(ReportContent(comparison, CARD, "a/b", link="javascript:alert(1)"))


def test_report_says_what_lies_on_outlined_tubes(comparison):
    result, line = comparison.findings["Nodule"], np.eye(*comparison.radiograph.shape)
    methods = {"jacobian": replace(result.methods["jacobian"], on_film=line)}
    made = replace(comparison, findings={"Nodule": replace(result, methods=methods)})
    content = ReportContent(made, CARD, "a/b")
    assert "tubes and lines" not in html_report(content)
    found = html_report(replace(content, annotations=(Annotation("ett", line > 0, "mask", "a reader"),)))
    assert "evidence lies on tubes and lines (1.2% of the film)" in found


def test_report_says_a_doubt_and_that_it_was_overruled(comparison):
    film = Radiograph(comparison.radiograph.pixels, notes=(Note("lateral", "It was taken from the side.", doubt=True),))
    content = ReportContent(replace(comparison, radiograph=film), CARD, "a/b")
    assert "<dd>It was taken from the side.</dd>" in html_report(content)
    assert f"It was taken from the side. {OVERRULED}" in html_report(replace(content, overruled=True))


def test_csv_has_methods_baselines_and_chance(comparison):
    table = pd.read_csv(io.StringIO(table_csv(comparison, "tiny-films/film-0")))
    head = table[["film", "film_digest", "model", "model_digest", "seed"]].drop_duplicates()
    digests = comparison.radiograph.digest, comparison.classifier_digest
    assert head.values.tolist() == [["tiny-films/film-0", digests[0], "tiny", digests[1], comparison.seed]]
    assert list(table)[5:9] == ["finding", "outlined_by", "name", "title"]
    assert {"grad-cam", "jacobian", "chance", "uniform"} <= set(table["name"])


def test_a_scorecard_stands_in_the_report(comparison):
    finding, result = next(iter(comparison.findings.items()))
    method = next(iter(result.methods))
    score = Score("pixel_auprc", 0.6, 0.1, "higher", "localizability")
    cell = Cell(method, "localizability", "pixel_auprc", "Pixel AUPRC", "what it is", score, "Edge map", 0.3)
    cards = {finding: Scorecard(finding, True, "", (cell,))}
    html = html_report(ReportContent(comparison, CARD, "tiny-films/film-0"), cards)
    assert "five elements of interpretability" in html
    assert "0.60 ▲" in html
    assert "five elements" not in html_report(ReportContent(comparison, CARD, "tiny-films/film-0"))
