from __future__ import annotations

import math

import pandas as pd
import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from evaluation.html_pages import number, render


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


def test_the_shared_parts_escape_what_they_are_given(tmp_path):
    (tmp_path / "page.html.j2").write_text(
        '{% from "parts.html.j2" import facts, picture, table %}'
        "{{ picture(data, words, words) }}{{ table(frame) }}{{ facts({words: words}, words) }}"
    )
    words = '<script>"'
    page = render(tmp_path, "page.html.j2", words=words, data=b"\x00\xff", frame=pd.DataFrame({words: [words]}))
    assert "<script" not in page
    assert page.count("&lt;script&gt;&#34;") == 8
    assert 'src="data:image/png;base64,AP8="' in page


def test_numbers():
    assert number(0.12345) == "0.123"
    assert number(0.5, ".0%") == "50%"
    assert number(math.nan, ".0%") == "–"
