from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from evaluation.html_pages import render


def test_a_template_fills_the_frame_and_escapes_what_it_is_given(tmp_path):
    (tmp_path / "page.html.j2").write_text(
        '{% extends "base.html.j2" %}{% block heading %}{{ words }}{% endblock %}'
        "{% block body %}{{ html }}{% endblock %}"
    )
    page = render(tmp_path, "page.html.j2", words="<script>", html=Markup("<b>bold</b>"))
    assert page.startswith("<!doctype html>")
    assert "<h1>&lt;script&gt;</h1>" in page
    assert "<b>bold</b>" in page
    assert "prefers-color-scheme: dark" in page
    assert "http" not in page
    assert "prefers-color-scheme" not in render(tmp_path, "page.html.j2", words="", html="", dark=False)


def test_a_value_that_is_missing_is_an_error(tmp_path):
    (tmp_path / "page.html.j2").write_text("{{ words }}")
    with pytest.raises(UndefinedError, match="words"):
        render(tmp_path, "page.html.j2")
