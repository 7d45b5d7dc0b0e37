"""In a real browser: every export opens, and work survives a reload of the page."""

from __future__ import annotations

import io
import re
import zipfile

import numpy as np
import pydicom
import pytest
from PIL import Image

from tests.browser.conftest import PATIENCE, idle, known_truth_model

QUICK = "film=known-truth/nodule-03&model=known-truth&finding=Nodule&method=grad-cam&method=jacobian&run=1"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not known_truth_model(), reason="needs the known-truth model's weights in assets/models"),
]


def download(page, name: str) -> tuple[str, bytes]:
    with page.expect_download() as waited:
        page.get_by_role("button", name=name).click()
    with open(waited.value.path(), "rb") as stream:
        return waited.value.suggested_filename, stream.read()


def test_every_export_opens(page, address):
    page.goto(f"{address}/?{QUICK}", wait_until="commit")
    page.locator("canvas[aria-label^='Jacobian sensitivity map for Nodule']").first.wait_for()
    idle(page)
    page.get_by_role("button", name="Export").click()
    name, html = download(page, "Report (HTML)")
    assert re.fullmatch(r"lightbox-known-truth-[\w-]+-known-truth\.html", name)
    text = html.decode()
    assert "Grad-CAM settings" in text
    link = re.search(r'<a href="([^"]+)"', text)[1].replace("&amp;", "&")
    assert link.startswith(address)
    assert "?film=known-truth%2Fnodule-03&model=known-truth&finding=Nodule&method=grad-cam" in link
    name, pdf = download(page, "Report (PDF)")
    assert pdf.startswith(b"%PDF-")
    table = int(re.search(rb"startxref\s+(\d+)\s+%%EOF\s*$", pdf)[1])
    assert pdf[table : table + 4] == b"xref"
    assert len(re.findall(rb"/Type /Page\b", pdf)) >= 3
    _, png = download(page, "Picture for slides (PNG)")
    assert Image.open(io.BytesIO(png)).width > 1500
    _, csv = download(page, "Scores (CSV)")
    assert csv.decode().startswith("film,film_digest,model,model_digest,seed,finding,")
    _, tex = download(page, "Scores (LaTeX)")
    assert b"\\begin{tabular}" in tex
    _, npz = download(page, "Raw maps (npz)")
    with np.load(io.BytesIO(npz), allow_pickle=False) as arrays:
        assert "Nodule.grad-cam.values" in arrays
        values = arrays["Nodule.grad-cam.on_film"]
    _, archive = download(page, "DICOM (zip)")
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        stored = pydicom.dcmread(io.BytesIO(files.read("map-nodule-grad-cam.dcm")))
        assert np.array_equal(stored.pixel_array, values)
        assert str(stored.PatientName) == "Anonymous^"
    report = page.context.browser.new_page()
    report.set_default_timeout(PATIENCE * 1000)
    asked: list[str] = []
    report.on("request", lambda request: asked.append(request.url))
    report.set_content(text)
    report.wait_for_timeout(500)
    pictures = report.locator("img").evaluate_all("images => images.map(i => i.naturalWidth)")
    assert len(pictures) >= 5
    assert min(pictures) > 100
    assert [url for url in asked if url.startswith("http")] == []
    report.goto(link, wait_until="commit")
    report.locator("canvas[aria-label^='Jacobian sensitivity map for Nodule']").first.wait_for()
    report.close()
