"""The export menu's raw maps, and the link that stands in reports."""

from __future__ import annotations

import io
import json
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from dashboard.compare.downloads import _joining, address_of, maps_npz
from dashboard.shared.display import View
from dashboard.shared.state import Choice, Known, from_query
from evaluation.one_film.compare import compare
from evaluation.one_film.evaluate import MethodResult, ScoringContext
from radiographs import FilmError
from radiographs.annotation import annotations_of
from tests.dashboard.made import tiny_classifier, tiny_film
from xai_methods import methods


def test_npz_holds_raw_maps_and_opens_without_pickle():
    film, mask = tiny_film()
    context = ScoringContext(tiny_classifier(), film, annotations_of({"Nodule": mask}))
    made = compare(context, ["Nodule"], {"grad-cam": None, "jacobian": None})
    made.findings["Nodule"].methods["lime"] = MethodResult("Nodule", "lime", "LIME", error="LIME failed")
    with np.load(io.BytesIO(maps_npz(made)), allow_pickle=False) as arrays:
        done = made.findings["Nodule"].methods["jacobian"]
        assert np.array_equal(arrays["Nodule.jacobian.values"], done.explanation.values)
        assert arrays["Nodule.jacobian.on_film"].shape == film.shape
        assert arrays["Nodule.outline"].dtype == bool
        assert {row["method"] for row in json.loads(str(arrays["meta"]))} == {"grad-cam", "jacobian"}


def test_the_link_of_a_view_opens_the_same_view():
    choice = Choice("a/b", "tiny", "", ("Nodule",), ("lime",), {"lime": {"samples": 150}}, 7, View("map"), True)
    query = parse_qs(urlsplit(address_of("http://127.0.0.1:1/", choice)).query)
    known = Known(lambda film: True, ["tiny"], lambda name: ["Nodule"], methods())
    assert from_query(query, known) == (choice, [])
    assert address_of("", choice) == ""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FilmError("the original has no study"), "The original has no study. Export without identifiers."),
        (TypeError("DOE^JOHN"), "The original's header does not allow it. Export without identifiers."),
    ],
)
def test_an_export_that_an_original_spoils_says_the_way_out(error, said):
    def make() -> bytes:
        raise error

    with pytest.raises(FilmError) as raised:
        _joining(b"header", make)()
    assert str(raised.value) == said
    with pytest.raises(type(error)) as raised:
        _joining(None, make)()
    assert raised.value is error
