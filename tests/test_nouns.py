"""What stands in a notebook or a debugger for each noun: one line that says what it is."""

import matplotlib
import numpy as np
import pytest

from classifiers.registry import card_of
from evaluation.one_film.compare import compare
from evaluation.one_film.evaluate import ScoringContext
from evaluation.scores import Score, get_metric, score_map
from radiographs import Annotation, Radiograph
from radiographs.radiograph import Note
from radiographs.registry import get_collection
from tests.families import random_classifier
from xai_methods import get_method


@pytest.fixture(autouse=True)
def figures_are_closed(monkeypatch):
    from matplotlib import pyplot

    monkeypatch.setitem(matplotlib.rcParams, "backend", "agg")
    yield
    pyplot.close("all")


def test_each_noun_says_in_one_line_what_it_is():
    film = Radiograph(np.zeros((20, 10)), view="PA", notes=(Note("lateral", "It may be lateral.", doubt=True),))
    assert repr(film) == f"Radiograph(20 x 10, PA, digest {film.digest[:8]}, doubt: lateral)"
    mask = np.arange(200).reshape(20, 10) < 50
    assert repr(Annotation("Mass", mask, "box", "expert")) == "Annotation(Mass, box by expert, 25.0% of the film)"
    assert repr(random_classifier("resnet", 3, 32)).endswith(", 3 findings, 32 x 32, cpu)")
    assert repr(Score("pixel_auprc", 0.25, 0.1)) == "Score(pixel_auprc 0.25, chance 0.1, higher)"
    assert repr(Score("pixel_auprc", float("nan"))) == "Score(pixel_auprc undefined, higher)"
    assert repr(get_metric("entropy")) == "Metric(entropy, visual recognizability, lower)"
    assert repr(get_method("occlusion")).startswith("Method(occlusion, perturbation, further; patch, stride, ")


def shown(noun) -> str:
    """What a notebook shows; nothing of a name that a file gives is markup."""
    html = noun._repr_html_()
    assert "<script" not in html
    assert "$" not in html
    return html


EVIL = "<script>alert(1)</script>$x$"


def test_films_in_a_notebook():
    film = Radiograph(np.linspace(0, 1, 200).reshape(20, 10), notes=(Note("lateral", EVIL, doubt=True),))
    assert "data:image/png" in shown(film)
    assert film.to_frame().loc[0, ["height", "width", "doubts"]].tolist() == [20, 10, "lateral"]
    outline = Annotation(EVIL, np.arange(200).reshape(20, 10) < 50, "box", "expert")
    axes = film.plot([outline])
    np.testing.assert_array_equal(axes.images[0].get_array(), film.pixels)
    assert len(axes.get_legend().get_texts()) == 1
    with pytest.raises(ValueError, match="the film"):
        film.plot([Annotation("Mass", np.zeros((3, 3)), "box", "expert")])


def test_collections_and_models_in_a_notebook():
    collection = get_collection("adult-dicom")
    assert collection.card.title in shown(collection)
    assert list(collection.to_frame()["film_id"]) == [entry.film_id for entry in collection.entries()]
    card = card_of("nih14-localised")
    assert card.title in shown(card)
    assert card.to_frame().loc["Mass", "auroc"] == card.figures["findings"]["Mass"]["auroc"]
    dots = card.plot().collections[-1].get_offsets()
    assert dots[:, 0].tolist() == pytest.approx(card.to_frame()["auroc"].tolist())
    with pytest.raises(ValueError, match="no AUROC"):
        random_classifier("resnet", 3, 32).card.plot()


def test_maps_and_scores_in_a_notebook():
    network = random_classifier("resnet", 3, 32)
    film = Radiograph(np.random.default_rng(0).random((40, 50)))
    explanation = get_method("grad-cam").explain(network, film, network.findings[0])
    assert "data:image/png" in shown(explanation)
    assert explanation.to_frame().loc[0, "highest"] == explanation.values.max()
    drawn = explanation.plot(film, network).images[-1].get_array()
    np.testing.assert_allclose(drawn, network.to_film(explanation, film))
    with pytest.raises(ValueError, match="the film and the model"):
        explanation.plot(film)
    with pytest.raises(ValueError, match="another film"):
        explanation.plot(Radiograph(np.zeros((40, 50))), network)
    mask = np.zeros((40, 50), bool)
    mask[:10, :20] = True
    scores = score_map(network.to_film(explanation, film), mask, names=["pixel_auprc", "pointing_game"])
    assert scores.to_frame()["value"].to_dict() == {name: score.value for name, score in scores.items()}
    assert "pixel_auprc" in shown(scores)
    assert "pointing_game" in shown(scores["pointing_game"])
    assert len(scores.plot().collections[0].get_offsets()) == 2
    method = get_method("lime")
    assert method.title in shown(method)
    assert method.to_frame().loc["samples", "default"] == method.parameters().samples


def test_a_comparison_in_a_notebook():
    network = random_classifier("resnet", 3, 32)
    finding = network.findings[0]
    film = Radiograph(np.random.default_rng(0).random((40, 50)))
    mask = np.zeros((40, 50), bool)
    mask[:10, :20] = True
    context = ScoringContext(network, film, [Annotation(finding, mask, "mask", "expert")])
    made = compare(context, [finding], {"grad-cam": None})
    table = made.to_frame().set_index(["finding", "map", "metric"])
    of_map = made.findings[finding].methods["grad-cam"].scores["pixel_auprc"]
    assert table.loc[(finding, "grad-cam", "pixel_auprc"), "value"] == of_map.value
    assert {"method", "baseline", "chance"} == set(table["kind"])
    assert "grad-cam" in shown(made)
    assert len(made.plot(finding).axes) >= 2
    with pytest.raises(LookupError, match="did you mean"):
        made.plot(finding + "s")
