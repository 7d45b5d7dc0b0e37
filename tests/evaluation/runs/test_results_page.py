from __future__ import annotations

import re

from evaluation.markdown import markdown_table
from evaluation.runs.results_page import BLOCKS, PAGE, means, written


def test_the_page_says_what_the_committed_scores_and_cards_say():
    text = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- ([\w -]+) -->", text)) - {"end"} == set(BLOCKS)
    assert written(text) == text


def test_every_cell_carries_its_own_n_and_silent_maps_are_shown_both_ways():
    made = means("nih-boxes")
    assert "0.37 (0.32 to 0.42), 148" in made
    assert "Relevance mass of LRP is undefined on 13 of 161 pairs" in made
    assert "0.371 without them, 0.341 with those as 0" in made
    assert "On the 148 pairs that all methods have: LIME 0.178, SHAP 0.181, Grad-CAM 0.321, LRP 0.371" in made


def test_only_what_stands_between_the_marks_is_written():
    page = "before\n<!-- held-out -->\nold\n<!-- end -->\nafter\n"
    made = written(page)
    assert made.startswith("before\n<!-- held-out -->\n|")
    assert made.endswith("<!-- end -->\nafter\n")
    assert "old" not in made
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |"
