"""The pass rule over saved maps whose likeness is known."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from evaluation.runs.pass_rule import pass_rule
from evaluation.runs.report import make_report
from evaluation.runs.report_files import html_page
from evaluation.runs.store import SCHEMA, Store
from evaluation.runs.tables import Pair, context_of
from evaluation.scores.randomisation import PAIRS
from tests.evaluation.runs.made import FILMS, made_row
from xai_methods import Explanation

SIDE = 32


def saved(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    Explanation(values.astype(np.float32), True, "m", {}, 0, "F", 0.0, "film", "model", 0.0, 1).save(file, half=True)
    return file.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Grad-CAM's maps are all one and the same, the Jacobian's are noise; both keep 0.5 of theirs when randomised."""
    store, rng = Store(tmp_path), np.random.default_rng(0)
    store.make()
    bump = np.outer(*2 * [np.hanning(SIDE)])
    rows, maps = [], {}
    for i in range(FILMS):
        for method in ("grad-cam", "jacobian"):
            row = made_row(i, method, "method", 0, 0.5) | {"metric": "randomised_ssim"}
            rows.append(row)
            maps[row["question"]] = saved(bump if method == "grad-cam" else rng.normal(size=(SIDE, SIDE)))
    store.write([pa.Table.from_pylist(rows, schema=SCHEMA)], [], maps)
    return store


def test_a_method_passes_where_its_maps_of_two_films_are_more_alike(store: Store) -> None:
    found = pass_rule(store, context_of(store, Pair("tiny-films", "tiny"))).set_index("map")
    found.index = [key.split("/")[0] for key in found.index]
    # Twelve patients have each of two findings: of 66 pairs each, as many as are drawn.
    assert found.pairs.tolist() == [2 * PAIRS, 2 * PAIRS]
    assert found.loc["grad-cam", "two_films"] == pytest.approx(1, abs=1e-3)
    assert found.loc["jacobian", "two_films"] < 0.2
    assert found.passes.to_dict() == {"grad-cam": True, "jacobian": False}
    page = html_page(make_report(store))
    assert "when the network forgets" in page
    assert page.count("<td>yes</td>") == page.count("<td>no</td>") == 1


def test_without_saved_maps_nothing_is_said(store: Store) -> None:
    for number, path in enumerate(sorted((store.folder / "maps").iterdir())):
        path.unlink() if number % 2 else path.write_bytes(b"half a file")
    assert pass_rule(store, context_of(store, Pair("tiny-films", "tiny"))).empty
    assert "when the network forgets" not in html_page(make_report(store))
