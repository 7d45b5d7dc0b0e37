"""The same methods under two models."""

import pytest
import scipy.stats

from evaluation.runs.between_models import between_models
from evaluation.runs.results_page import SCORES
from evaluation.runs.store import Store
from evaluation.runs.tables import values


@pytest.fixture(scope="module")
def stores() -> tuple[Store, Store]:
    return Store(SCORES / "known-truth"), Store(SCORES / "known-truth-vit")


def test_a_model_differs_from_itself_by_nothing(stores):
    made = between_models(stores[0], stores[0], ["area_matched_iou"])
    assert made.count("+0.00 (+0.00 to +0.00), 46; p = 1.000") == 5


def test_the_difference_is_the_mean_over_the_films_that_both_have(stores):
    columns = [
        values(store, "area_matched_iou").query("method == 'grad-cam'").set_index(["film", "finding"]).value
        for store in stores
    ]
    difference = (columns[1] - columns[0]).dropna()
    made = between_models(*stores, ["area_matched_iou"])
    row = next(line for line in made.splitlines() if line.startswith("| Grad-CAM "))
    assert row.startswith(f"| Grad-CAM | {difference.mean():+.2f} (")
    assert f"), {len(difference)}; p " in row
    # Every film of known-truth is another child's; Holm's smallest of five p values is five times as large.
    p = 5 * scipy.stats.wilcoxon(difference).pvalue
    assert row.endswith(f"p = {p:.3f} |")


def test_films_that_one_model_lacks_are_left_out(stores):
    both = between_models(*stores, ["pointing_game"])
    assert ", 20; p " in both
    assert ", 46; p " not in both
