"""Everything that the program names as a source is found in the one bibliography, and nothing stands there twice."""

from __future__ import annotations

from collections import Counter

import pytest

from classifiers.registry import list_models
from evaluation.references import bibliography, bibtex, by_key, cite, ids_in, references_of, references_of_packages
from evaluation.runs.worker import PACKAGES
from evaluation.scores import metrics
from radiographs.registry import collections
from xai_methods import methods

NOUNS = {
    **{f"method {name}": one.reference for name, one in methods().items()},
    **{f"metric {name}": one.source for name, one in metrics().items()},
    **{f"collection {name}": one.card.citation for name, one in collections().items()},
    **{f"model {entry.name}": entry.card.citation for entry in list_models()},
}


def test_every_method_metric_collection_and_model_has_its_entries() -> None:
    known = {one for reference in bibliography() for one in reference.ids}
    lacking = {noun: set(ids_in(text)) - known for noun, text in NOUNS.items()}
    assert {noun: ids for noun, ids in lacking.items() if ids} == {}
    own = ("This project", "levels as documented")
    without = [noun for noun, text in NOUNS.items() if not ids_in(text) and not text.startswith(own)]
    assert without == ["collection adult-dicom"]


def test_every_package_that_a_score_hangs_on_has_an_entry() -> None:
    assert {one.package for one in references_of_packages(PACKAGES)} == set(PACKAGES)


def test_no_key_and_no_id_stands_twice_and_braces_close() -> None:
    for name in ("key", "text"):
        assert max(Counter(getattr(one, name) for one in bibliography()).values()) == 1
    assert max(Counter(one for reference in bibliography() for one in reference.ids).values()) == 1
    for one in bibliography():
        assert one.text.count("{") == one.text.count("}"), one.key
        assert "title = {" in one.text
        assert "author = {" in one.text


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Zhang et al. 2016, arXiv:1608.00507; tolerance as in Fong et al. 2019, arXiv 1910.08485", 2),
        ("Rudin et al. 1992, doi:10.1016/0167-2789(92)90242-F, divided by Σ|a|", 1),
        ("This project", 0),
        ("Somebody & others 2031, doi 10.1234/unknown", 1),
        ("A book of 1990", 1),
    ],
)
def test_a_text_is_cited_by_what_it_names_and_else_quoted(text: str, keys: int) -> None:
    found = references_of(text)
    assert len(found) == keys
    assert cite(found).count(",") == max(keys - 1, 0)
    if "Somebody" in text:
        assert r"note = {Somebody \& others 2031" in bibtex(found)


def test_a_key_that_is_not_there_is_refused() -> None:
    with pytest.raises(LookupError, match="no entry 'nobody'"):
        by_key("nobody")
