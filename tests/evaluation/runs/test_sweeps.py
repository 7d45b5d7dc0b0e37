"""A setting is recommended only where the half it was not chosen on says so, and never over a default not swept."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from evaluation.runs.plan import digest_of
from evaluation.runs.sweeps import Sweep, halves, sweep_figure, sweep_table, sweeps_of
from evaluation.runs.tables import Pair, PairContext
from evaluation.validity.gate import Verdict
from xai_methods import get_method

CONTEXT = PairContext(Pair("films", "model"), {}, {"Nodule": Verdict("not measured", "")})


def values(means: dict[int, float], patients: int = 60, noise: float = 0.05) -> pd.DataFrame:
    """Scores of RISE with so many masks, two films a patient; noise is drawn for each film and setting."""
    rng, rows = np.random.default_rng(1), []
    for masks, mean in means.items():
        parameters = get_method("rise").parameters.parse({"masks": masks}).as_dict()
        for film in range(2 * patients):
            rows.append(
                {
                    "film_id": f"f{film}", "finding": "Nodule", "patient": f"p{film // 2}", "kind": "method",
                    "method": "rise", "map": f"rise/{digest_of(parameters)}", "parameters": json.dumps(parameters),
                    "value": mean + noise * rng.standard_normal(), "seconds": masks / 100,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


USUAL = get_method("rise").parameters().as_dict()["masks"]


def swept(means: dict[int, float], metric: str = "pixel_auroc", **more: float) -> Sweep:
    (found,) = sweeps_of(CONTEXT, {metric: values(means, **more)})
    return found


def test_a_better_setting_is_recommended_with_its_gain_and_cost() -> None:
    found = swept({USUAL: 0.5, 2 * USUAL: 0.6, USUAL // 2: 0.4})
    assert found.swept == ("masks",)
    assert found.table["setting"].tolist() == [f"masks {n}" for n in (USUAL // 2, USUAL, 2 * USUAL)]
    assert found.table["mean"].tolist() == pytest.approx([0.4, 0.5, 0.6], abs=0.02)
    assert found.table.default.tolist() == [False, True, False]
    assert found.recommended
    assert found.choice is not None
    assert found.choice.gain is not None
    assert found.choice.gain.value == pytest.approx(0.1, abs=0.03)
    assert (found.choice.validation, found.choice.test) == (30, 30)
    assert f"masks {2 * USUAL} is recommended" in found.words
    assert f"{2 * USUAL / 100:.2f} s instead of {USUAL / 100:.2f} s" in found.words


def test_lower_is_better_where_the_score_says_so() -> None:
    assert swept({USUAL: 0.5, 2 * USUAL: 0.4}, "deletion_blur").recommended
    assert not swept({USUAL: 0.5, 2 * USUAL: 0.6}, "deletion_blur").recommended


def test_chance_is_not_recommended() -> None:
    """Of twenty sweeps over settings that are all alike, Holm lets none pass."""
    many = {
        name: values(dict.fromkeys((USUAL, USUAL + 100, USUAL + 200, USUAL + 300), 0.5)).assign(
            value=lambda table, seed=seed: 0.5 + 0.05 * np.random.default_rng(seed).standard_normal(len(table))
        )
        for seed, name in enumerate(["pixel_auroc", "pixel_auprc", "pointing_game", "area_matched_iou"])
    }
    found = sweeps_of(CONTEXT, many)
    assert len(found) == 4
    assert not any(one.recommended for one in found)
    assert all("no setting is better than the default" in one.words for one in found)


def test_the_default_wins_where_it_is_best_and_is_needed_to_recommend_another() -> None:
    assert "is the default: no setting is better" in swept({USUAL: 0.6, 2 * USUAL: 0.5}).words
    assert "the default was not swept" in swept({USUAL + 1: 0.6, 2 * USUAL: 0.5}).words


def test_too_few_patients_choose_nothing() -> None:
    found = swept({USUAL: 0.5, 2 * USUAL: 0.9}, patients=19)
    assert found.choice is None
    assert not found.recommended
    assert "19 patients are too few" in found.words


def test_the_halves_are_of_patients_and_always_the_same() -> None:
    names = [f"p{i}" for i in range(31)]
    first, second = halves(names)
    assert first | second == set(names)
    assert not first & second
    assert (len(first), len(second)) == (16, 15)
    assert halves(names[::-1] * 2) == (first, second)


def test_the_figure_and_the_table_hold_every_setting() -> None:
    found = swept({100: 0.4, 1000: 0.5, 5000: 0.55}, patients=12)
    above, below = sweep_figure(found).axes
    assert above.get_lines()[0].get_xdata().tolist() == [100, 1000, 5000]
    assert below.get_lines()[0].get_ydata().tolist() == [1, 10, 50]
    table = sweep_table([found])
    assert len(table) == 3
    assert not math.isnan(table.low[0])
    assert sweep_table([]).empty
