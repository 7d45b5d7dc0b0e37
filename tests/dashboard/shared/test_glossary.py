"""The glossary: found in texts, the same on its page and in tooltips."""

from __future__ import annotations

import re

import pytest

from dashboard.shared.glossary import TERMS, explained, meaning
from dashboard.shared.map_notes import DIAGNOSTICS
from evaluation.scores import headline_metrics


def test_terms_are_sorted_and_plain_sentences():
    assert list(TERMS) == sorted(TERMS, key=str.lower)
    for written, words in TERMS.values():
        assert words.endswith(".")
        assert re.compile(written)


def test_a_text_is_explained_by_the_terms_that_it_uses():
    words = explained("native resolution 14 × 14 · 98% relevance conserved · 2% absorbed by biases")
    assert words == meaning("Biases", "Conservation", "Native resolution", "Relevance")
    assert explained("1.2 s") == ""
    with pytest.raises(KeyError):
        meaning("Magic")


@pytest.mark.parametrize("text", [*DIAGNOSTICS.values(), "50 superpixels"])
def test_every_diagnostic_under_a_map_has_a_tooltip(text):
    assert explained(text)


def test_every_headline_score_is_explained():
    assert [m.title for m in headline_metrics().values() if not explained(f"{m.title} {m.meaning}")] == []
