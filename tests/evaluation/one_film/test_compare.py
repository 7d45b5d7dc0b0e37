from __future__ import annotations

import math

import numpy as np
import pytest

from evaluation.one_film.compare import compare
from evaluation.one_film.evaluate import ScoringContext
from evaluation.one_film.table import best_names, comparison_table, score_table
from tests.evaluation.looking import SIDE, Spots, looker


def spot(outlined: bool = True) -> ScoringContext:
    spots = Spots()
    return ScoringContext(
        looker(), spots.read("00"), spots.annotations("00") if outlined else (), spots, spots.entry("00")
    )


def test_methods_baselines_and_chance_side_by_side():
    context = spot()
    done = compare(context, ["Spot"], {"jacobian": None, "grad-cam": None})
    table = score_table(done.findings["Spot"])
    assert table.name.tolist() == [
        *("jacobian", "grad-cam", "uniform", "centre-prior", "edge-map", "average-mask", "chance")
    ]
    assert table.kind.tolist() == ["method"] * 2 + ["baseline"] * 4 + ["chance"]
    by_name = table.set_index("name")
    assert by_name.loc["grad-cam", "pointing_game"] > by_name.loc["chance", "pointing_game"]
    result = done.findings["Spot"]
    assert by_name.loc["chance", "pointing_game"] == pytest.approx(result.mask.mean())
    best = best_names(table)["pixel_auprc"]
    assert best == [by_name.loc[["jacobian", "grad-cam"], "pixel_auprc"].idxmax()]
    assert result.logit == pytest.approx(float(context.classifier.logits(context.radiograph)[0]))
    assert result.probability == pytest.approx(1 / (1 + math.exp(-result.logit)))
    assert result.verdict.status == "not measured"
    assert comparison_table(done).finding.unique().tolist() == ["Spot"]


def test_without_an_outline_nothing_is_set_against_one():
    result = compare(spot(outlined=False), ["Spot"], {"grad-cam": None}).findings["Spot"]
    assert result.mask is None
    assert result.methods["grad-cam"].scores == result.baselines == result.chance == {}
    table = score_table(result)
    assert table.name.tolist() == ["grad-cam"]
    assert best_names(table)["pointing_game"] == []


def test_superpixel_maps_keep_their_ties_on_the_film():
    labels = np.kron(np.arange(16).reshape(4, 4), np.ones((12, 12), dtype=int))
    values = np.random.default_rng(0).normal(size=16).astype(np.float32)[labels]
    for side in (97, 100, 512):
        large = looker().preprocessing.to_film(values, (side, side))
        peaks = np.count_nonzero(large == large.max())
        assert peaks >= 0.8 * (side / 4 - side / SIDE) ** 2
