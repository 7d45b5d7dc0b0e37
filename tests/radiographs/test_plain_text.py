import pytest

from radiographs.findings import FURTHER_FINDINGS, NIH_FINDINGS, canonical
from radiographs.plain_text import LONGEST_NAME, csv_cell, name_in_words, neutral

HARM = [
    "www.evil.example",
    "https://evil.example/x",
    "someone@evil.example",
    "[here](//evil.example)",
    "![x](//evil.example/pixel.png)",
    "[here][1]",
    "[1]: //evil.example",
    ":red[text]",
    "<https://evil.example>",
    "$\\int$",
    "`code`",
    "\u202eright to left",
    "half a character \udc80",
    "mailto:a",
]


@pytest.mark.parametrize("text", HARM)
def test_markdown_makes_nothing_of_a_neutral_text(text):
    shown = neutral(text)
    for start in ("www.", "://", "](", "][", "]:", "![", "[x](", "$", "`", "mailto:a"):
        assert start not in shown
    assert "e@e" not in shown
    assert ":red[" not in shown
    shown.encode()
    eye = shown.replace("\u2060", "").replace("＄", "$").replace("'", "`")
    assert eye == text.replace("\u202e", "").replace("\udc80", "")


@pytest.mark.parametrize("text", [*HARM, "=1+1", "@SUM(A1)", "+1", "-1", "<img src=x onerror=y>", "a|b", "x" * 500])
def test_a_name_from_a_file_is_words(text):
    name = canonical(text)
    assert len(name) <= LONGEST_NAME
    assert not set(name) & set('[]<>$`|=@*~#\\!"')
    assert not name.startswith(("=", "+", "-", "@"))
    for start in ("www.", "://", "evil.e"):
        assert start not in name


def test_names_that_people_use_stay():
    for name in (*NIH_FINDINGS, *FURTHER_FINDINGS, "Old TB, left (2.5 cm)", "Grade 2: severe", "Épanchement", "PA+LAT"):
        assert name_in_words(name) == name
    assert canonical("***") == "Unnamed"
    assert canonical(" ") == ""


def test_a_spreadsheet_computes_nothing():
    for text in ("=1+1", "+cmd|'/c calc'!A0", "-2+3", "@SUM(1)", "\t=1"):
        assert csv_cell(text) == "'" + text
    for value in ("Mass", "-0.5", "+1e-3", 0.5, None, "a=b"):
        assert csv_cell(value) == value
