"""What the command line says of questions that cannot be asked: which parameter, and its bounds."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import classifiers.registry
from evaluation.cli.parser import main
from tests.evaluation.looking import SIDE, looker
from xai_methods import methods
from xai_methods.perturbation.masking import RegionParameters

pytestmark = pytest.mark.usefixtures("unchecked_films")

ON_REGIONS = tuple(name for name, method in methods().items() if issubclass(method.parameters, RegionParameters))


@pytest.fixture
def ask(capsys, tmp_path, monkeypatch):
    """Ask for one map on a film smaller than the model's input: (exit status, what was said of it)."""
    monkeypatch.setattr(classifiers.registry, "load_classifier", lambda name: looker())

    def run(method: str, *settings: str, finding: str = "Spot", shape=(33, 40)) -> tuple[int, str]:
        levels = np.random.default_rng(0).integers(0, 65535, shape).astype(np.uint16)
        Image.fromarray(levels).save(tmp_path / "film.png")
        words = ["explain", "--film", str(tmp_path / "film.png"), "--model", "m", "--finding", finding]
        words += ["--method", method, "--out", str(tmp_path / "map.npz")]
        status = main([*words, *(word for setting in settings for word in ("--set", setting))])
        return status, capsys.readouterr().err

    return run


def test_there_are_methods_on_regions():
    assert {"lime", "kernel-shap", "owen-values"} <= set(ON_REGIONS)


@pytest.mark.parametrize("name", ON_REGIONS)
@pytest.mark.parametrize("count", [1, 0, -2, 301])
def test_a_superpixel_count_out_of_bounds_is_refused_with_its_bounds(ask, name, count):
    status, said = ask(name, f"n_superpixels={count}")
    assert (status, said) == (2, f"lightbox: n_superpixels: expected 2 to 300, got {count}\n")


@pytest.mark.parametrize("name", ON_REGIONS)
def test_more_superpixels_than_the_films_content_has_are_refused_by_name(ask, name, monkeypatch):
    monkeypatch.setattr("xai_methods.perturbation.superpixels.SMALLEST_AREA", SIDE * SIDE // 40)
    status, said = ask(name, "n_superpixels=60")
    assert status == 2
    assert f"n_superpixels: expected 2 to 40 on an input of {SIDE} x {SIDE} pixels, got 60" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", ["lime", "kernel-shap"])
def test_a_film_smaller_than_the_input_is_explained(ask, name, tmp_path):
    status, _ = ask(name, "n_superpixels=20", "samples=60", "superpixels=grid")
    assert status == 0
    with np.load(tmp_path / "map.npz", allow_pickle=False) as saved:
        assert saved["values"].shape == (SIDE, SIDE)
        assert saved["on_film"].shape == (33, 40)


@pytest.mark.parametrize("name", [*ON_REGIONS, "grad-cam"])
def test_a_film_too_small_for_any_grid_is_refused_with_the_bound(ask, name):
    status, said = ask(name, shape=(5, 7))
    assert (status, said) == (2, "lightbox: the film is 7 x 5 pixels; at least 32 a side are needed\n")


def test_an_unknown_finding_is_refused_with_those_there_are(ask):
    assert ask("lime", finding="Hiccups") == (
        2,
        f"lightbox: {looker().name} does not know 'Hiccups'; it knows: Spot\n",
    )
