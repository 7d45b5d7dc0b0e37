"""Assessments over a collection: rows, means, chance, the pass rule, the command line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from classifiers.families import random_classifier
from evaluation.assess import Assessed, as_markdown, assess, pass_rule, summary
from tests.evaluation.test_survey import Three
from xai_methods import Cancelled

NAMES = ["deletion_blur", "randomised_ssim", "entropy", "expert_blur_drop"]


@pytest.fixture(scope="module")
def classifier():
    return random_classifier("vgg", n_findings=2, side=64, seed=0)


@pytest.fixture(scope="module")
def done(classifier) -> Assessed:
    methods = {"grad-cam": None, "jacobian": None}
    return assess(classifier, Three(classifier.findings[0]), methods, NAMES)


def test_one_row_a_film_method_and_assessment(done: Assessed) -> None:
    assert len(done.rows) == 2 * 2 * len(NAMES)
    assert set(done.rows.film) == {"a", "b"}
    assert not done.rows.duplicated(["film", "finding", "method", "score"]).any()
    assert done.rows[done.rows.score == "entropy"].value.between(0, 1).all()
    drops = done.rows[done.rows.score == "expert_blur_drop"]
    assert (drops.groupby("film").value.nunique() == 1).all()


def test_the_summary_keeps_n_and_sets_chance_beside_the_mean(done: Assessed) -> None:
    table = summary(done.rows).set_index(["method", "score"])
    row = table.loc[("grad-cam", "deletion_blur")]
    part = done.rows[(done.rows.method == "grad-cam") & (done.rows.score == "deletion_blur")]
    assert row.n == 2
    assert row.value == pytest.approx(part.value.mean())
    assert row.gain == pytest.approx((part.chance - part.value).mean())
    assert np.isnan(table.loc[("grad-cam", "entropy")].chance)
    text = as_markdown(summary(done.rows))
    assert "| Deletion (blur) | lower |" in text
    assert text.count("\n") == 1 + len(NAMES)


def test_the_pass_rule_compares_with_maps_of_other_patients(done: Assessed) -> None:
    assert len(done.pairs("grad-cam")) == 1
    assert "| Grad-CAM |" in pass_rule(done)
    assert len(done.pairs("lime")) == 0
    assert pass_rule(Assessed(done.rows[done.rows.score == "entropy"])) == ""


def test_undefined_scores_do_not_enter_a_mean() -> None:
    rows = pd.DataFrame(
        {
            "film": ["a", "b", "c"], "patient": ["p", "q", "r"], "finding": "F", "method": "m", "title": "M",
            "score": "road", "value": [1.0, 2.0, np.nan], "chance": [0.0, 0.0, np.nan],
        }
    )  # fmt: skip
    row = summary(rows).iloc[0]
    assert (row.value, row.n, row.gain) == (1.5, 2, 1.5)
    nothing = as_markdown(summary(rows.assign(value=np.nan)))
    assert "| ROAD | higher | – | 0 |" in nothing


def test_only_the_findings_asked_for(classifier) -> None:
    collection = Three(classifier.findings[0])
    assert assess(classifier, collection, {"jacobian": None}, ["entropy"], findings=["Other"]).rows.empty
    with pytest.raises(LookupError, match="there is no assessment"):
        assess(classifier, collection, {"jacobian": None}, ["nonsense"])


def test_progress_grows_and_cancels(classifier) -> None:
    seen: list[float] = []
    collection = Three(classifier.findings[0])
    assess(classifier, collection, {"jacobian": None, "grad-cam": None}, ["road", "entropy"], progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    def cancel(share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        assess(classifier, collection, {"jacobian": None}, ["road"], progress=cancel)
