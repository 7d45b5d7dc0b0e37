"""Pictures, PDF and tables: they open, say what the report says, and are safe to paste."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from dashboard.exports.content import ReportContent
from dashboard.exports.figures import DPI, panels_of, slide_png, wrapped
from dashboard.exports.pdf import largest, pdf_report
from dashboard.exports.tables import table_latex
from dashboard.shared.display import View, film_picture
from evaluation.one_film.compare import Comparison, compare
from evaluation.one_film.evaluate import MethodResult, ScoringContext
from evaluation.scores import headline_metrics
from radiographs.annotation import annotations_of
from tests.dashboard.made import CARD, TinyCollection, tiny_classifier, tiny_film


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    film, mask = tiny_film()
    names = {"grad-cam": None, "jacobian": None, "input-x-gradient": None}
    made = compare(
        ScoringContext(tiny_classifier(), film, annotations_of({"Effusion": mask})), ["Effusion", "Nodule"], names
    )
    made.findings["Effusion"].methods["lime"] = MethodResult("Effusion", "lime", "LIME", error="LIME failed: $x$")
    return made


def test_slide_shows_the_film_and_each_map_at_twice_screen_resolution(comparison):
    image = Image.open(io.BytesIO(slide_png(comparison, "Tiny $model$")))
    assert image.format == "PNG"
    assert round(image.info["dpi"][0]) == DPI
    pixels = np.asarray(image.convert("RGB")).astype(int)
    assert image.width > 4 * 500
    dark = (pixels.sum(axis=2) < 600).mean(axis=0) > 0.2
    assert np.count_nonzero(np.diff(dark.astype(int)) == 1) == 4


def test_a_failed_method_has_no_panel_and_an_empty_map_says_so(comparison):
    film = film_picture(comparison.radiograph)
    titles = {f: [p.title for p in panels_of(r, film, View())] for f, r in comparison.findings.items()}
    assert "LIME" not in titles["Effusion"]
    assert titles["Nodule"][0] == "Film"
    result = comparison.findings["Nodule"]
    none = {n: replace(d, on_film=np.zeros_like(d.on_film)) for n, d in result.methods.items()}
    words = [p.words for p in panels_of(replace(result, methods=none), film, View())]
    assert words[1:] == ["No positive evidence"] * len(none)


def text_of(pdf: bytes) -> str:
    """What stands in the PDF's page streams, as far as matplotlib writes it plainly."""
    streams = []
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            streams.append(zlib.decompress(match[1]).decode("latin-1"))
        except zlib.error:
            continue
    pages = [stream for stream in streams if ("BT" in stream and "Tj" in stream) or "TJ" in stream]
    return " ".join("".join(re.findall(r"\(((?:[^()\\]|\\.)*)\)", page)) for page in pages)


def test_pdf_holds_maps_scores_and_settings(comparison):
    link = "http://127.0.0.1:8501/?film=a"
    pdf = pdf_report(ReportContent(comparison, CARD, "tiny-films/film-<0>", TinyCollection.card, link=link))
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b", pdf)) >= 4
    assert len(re.findall(rb"/Subtype /Image", pdf)) >= 8
    words = text_of(pdf).replace(" ", "")
    assert comparison.radiograph.digest[:40] in words
    assert comparison.classifier_digest[:40] in words
    assert "Forresearchandteaching,notfordiagnosis." in words
    assert "Chance" in words
    assert "127.0.0.1:8501" in words


def test_latex_is_a_table_for_each_outlined_finding(comparison):
    text = table_latex(comparison)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    assert "% Nodule: no reference annotation" in text
    columns = len(headline_metrics()) + 1
    body = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert all(len(re.findall(r"(?<!\\)&", line)) == columns - 1 for line in body)
    titles = [line.split(" & ")[0] for line in body]
    assert titles[0] == "Map"
    assert {"Grad-CAM", "LIME", "Chance"} <= set(titles)
    assert comparison.radiograph.digest in text
    failed = next(line for line in body if line.startswith("LIME"))
    assert failed.count("--") == columns - 1


def test_wrapped_cuts_long_words():
    assert [len(line) for line in wrapped("f" * 25, 10)] == [10, 10, 5]
    assert wrapped("", 10) == [""]


def test_panels_are_as_large_as_the_page_allows():
    assert largest(1, 1.0) == pytest.approx((6.52 - 0.65, 1), abs=0.1)
    assert largest(6, 1.0)[1] == 3, "three in a row, in two rows"
    sides = [largest(count, 1.0)[0] for count in range(1, 9)]
    assert sides == sorted(sides, reverse=True)
    assert min(sides) > 2.3
