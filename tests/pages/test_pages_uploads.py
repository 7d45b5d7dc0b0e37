"""Uploaded films: decoded once, and never shown in place of one that is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.shared import caches
from radiographs.reading import read_radiograph
from tests.dashboard.made import tiny_film
from tests.pages.test_compare import FAST, open_with, said


def png(seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.round(255 * tiny_film(seed)[0].pixels).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def decoded(monkeypatch) -> list[bytes]:
    """The files that were decoded so far."""
    given: list[bytes] = []

    def read(content: bytes):
        given.append(content)
        return read_radiograph(content)

    monkeypatch.setattr(caches, "read_film", read)
    return given


@pytest.fixture
def page(registries, decoded) -> AppTest:
    """The compare page with an uploaded film."""
    page = open_with(FAST)
    page.selectbox(key="collection").select("upload").run()
    return upload(page, png())


def upload(page: AppTest, content: bytes) -> AppTest:
    page.file_uploader(key="upload").set_value([("secret-name.png", content, "image/png")]).run()
    assert not page.exception
    return page


def test_an_upload_is_decoded_once(page, decoded):
    assert "Uploaded film" in said(page)
    for seed in (1, 2, 3):
        page.number_input(key="seed").set_value(seed).run()
    assert decoded == [png()]
    upload(page, png(1))
    assert decoded == [png(), png(1)]


def test_an_uploaded_film_outlives_a_visit_to_another_page(page, decoded):
    shown = page.query_params["film"]
    page.switch_page("pages/about.py").run()
    page.switch_page("pages/stability.py").run()
    assert not page.exception
    assert page.query_params["film"] == shown
    assert decoded == [png()]


def test_an_uploaded_film_is_there_again_after_a_reload_and_gone_once_removed(page, monkeypatch):
    from dashboard.shared import belongings

    monkeypatch.setattr(belongings, "person", lambda name=page.session_state["person"]: name)
    address = page.query_params["film"]
    again = open_with(FAST | {"film": address})
    assert "Uploaded film" in said(again)
    assert again.query_params["film"] == address
    next(b for b in again.button if b.label == "Remove it").click().run()
    assert not again.exception
    assert "Uploaded film" not in said(again)
    assert "Choose its file again" in said(open_with(FAST | {"film": address}))


@pytest.mark.parametrize("name", ["compare", "stability"])
def test_a_refused_upload_leaves_no_earlier_film_on_the_page(page, name):
    page.switch_page(f"pages/{name}.py").run()
    assert "Uploaded film" in said(page)
    upload(page, b"not a film")
    assert len(page.error) == 1
    assert "Uploaded film" not in said(page)
    assert "Choose an available film" in said(page)
    upload(page, png(1))
    assert "Uploaded film" in said(page)
    assert not page.error
