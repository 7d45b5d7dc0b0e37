"""Maps that other code made, scored beside the program's own methods."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation.cli.parser import main
from evaluation.one_film.external_maps import film_names
from evaluation.runs.plan import Plan, PlanError, parse_plan
from evaluation.runs.selection import open_plan, work_items
from evaluation.runs.worker import Outcome, run_work_item
from radiographs.registry import get_collection
from tests.evaluation.runs.conftest import OUTLINED

HEAD = """
collections = ["folder-1"]
classifiers = ["tiny-net"]
findings = ["Nodule"]
metrics = ["pixel_auroc", "pixel_auprc", "gini_sparseness", "insertion_blur", "randomised_ssim"]
seeds = [0, 1]
baselines = []
"""
EXTERNAL = '[[methods]]\nname = "{name}"\nmaps = "{path}"\n'


def carried_out(plan: Plan) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    outcomes: list[Outcome] = [run_work_item(item, threads=1) for item in work_items(plan, open_plan(plan))]
    rows = [row for outcome in outcomes for row in outcome.scores.to_pylist()]
    return pd.DataFrame(rows), [row for outcome in outcomes for row in outcome.failures]


@pytest.fixture(scope="module")
def written(world: Path) -> Path:
    """Grad-CAM's maps of the outlined films, as files of each kind."""
    for grid, kind in (("film", "npz"), ("film", "png"), ("input", "npz"), ("input", "png")):
        words = ["explain", "--collection", "folder-1", "--model", "tiny-net", "--method", "grad-cam", "--finding"]
        words += ["Nodule", "--grid", grid, "--format", kind, "--maps", str(world / "maps" / f"{grid}-{kind}")]
        assert main(words) == 0
    return world / "maps"


def test_maps_that_were_written_are_read_back_and_scored_alike(written: Path, capsys: pytest.CaptureFixture) -> None:
    kinds = sorted(path.name for path in written.iterdir())
    text = "".join(EXTERNAL.format(name=f"from {kind}", path=written / kind) for kind in kinds)
    plan = parse_plan(HEAD.replace(', "randomised_ssim"', "") + '[[methods]]\nname = "grad-cam"\n' + text)
    scores, failures = carried_out(plan)
    assert failures == []
    assert len(kinds) == 4
    own = scores[(scores.method == "grad-cam") & (scores.seed == 0)].set_index(["film_id", "metric"]).value
    assert own[:, "pixel_auroc"].nunique() > 1
    for kind in kinds:
        theirs = scores[scores.method == f"from {kind}"].set_index(["film_id", "metric"]).value
        assert theirs.size == own.size  # one seed only
        for metric, tolerance in (("pixel_auroc", 2e-3), ("pixel_auprc", 5e-3), ("gini_sparseness", 2e-2)):
            # On the film and back on the grid a map is a little smoother.
            assert np.allclose(own[:, metric], theirs[:, metric], atol=tolerance, equal_nan=True), (kind, metric)
    assert scores[scores.method.str.startswith("from")].seconds.isna().all()


def test_a_second_time_nothing_is_written(written: Path, capsys: pytest.CaptureFixture) -> None:
    words = ["explain", "--collection", "folder-1", "--model", "tiny-net", "--method", "grad-cam", "--format", "png"]
    assert main([*words, "--maps", str(written / "film-png"), "--finding", "Nodule"]) == 0
    assert "0 maps written" in capsys.readouterr().out


def test_a_film_without_a_map_is_counted_and_a_map_of_another_size_refused(world: Path, tmp_path: Path) -> None:
    for number in range(1, OUTLINED):
        shape = (50, 50) if number == 1 else (96, 96)
        np.save(tmp_path / f"film{number}_nodule.npy", np.random.default_rng(number).random(shape))
    plan = parse_plan(HEAD + EXTERNAL.format(name="my maps", path=tmp_path.name), tmp_path.parent)
    scores, failures = carried_out(plan)
    reasons = sorted(row["reason"] for row in failures)
    assert len(reasons) == 2
    assert "50 x 50 pixels" in reasons[0]
    assert "film1_nodule.npy" in reasons[0]
    assert reasons[1] == "there is no map of nodule for this film"
    assert set(scores.metric) == {"pixel_auroc", "pixel_auprc", "gini_sparseness", "insertion_blur"}
    assert scores[scores.metric == "pixel_auroc"].value.notna().sum() == OUTLINED - 2


def test_other_maps_are_another_question(world: Path, tmp_path: Path) -> None:
    name = sorted(set(film_names(get_collection("folder-1"))))[-1]
    keys = []
    for seed in (0, 1):
        np.save(tmp_path / f"{name}_Nodule.npy", np.random.default_rng(seed).random((96, 96)))
        plan = parse_plan(HEAD + EXTERNAL.format(name="my maps", path=tmp_path))
        keys.append({one.key for item in work_items(plan, open_plan(plan)) for one in item.requests})
    assert not keys[0] & keys[1]


def test_maps_of_no_film_of_the_plan_are_refused_before_the_run(world: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "somebody_Nodule.npy", np.ones((96, 96)))
    with pytest.raises(PlanError, match=r"my maps: .* somebody_Nodule.npy fits none"):
        open_plan(parse_plan(HEAD + EXTERNAL.format(name="my maps", path=tmp_path)))
