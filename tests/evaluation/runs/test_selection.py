"""Which films a run takes."""

from __future__ import annotations

import pytest

from evaluation.runs import worker as work
from evaluation.runs.plan import Plan
from evaluation.runs.selection import RunModel, films_of, work_items
from tests.evaluation.looking import Effusions, looker


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """The rows of a run over films whose outlines go by another name than the model's finding."""
    classifier, collection = looker(finding="Effusion"), Effusions()
    monkeypatch.setattr("evaluation.runs.selection.collections", lambda: {"effusions": collection})
    monkeypatch.setattr(work, "get_collection", lambda name: collection)
    monkeypatch.setattr(work, "_classifier", lambda name: classifier)
    plan = Plan(("effusions",), ("looking",), per_finding=1, metrics=("pixel_auprc",), baselines=("uniform",))
    model = RunModel("looking", classifier.digest, classifier.findings)
    assert len(films_of(plan, model, collection)) == 1
    (one,) = work_items(plan, [model])
    return work.run_work_item(one).scores.to_pylist()


def test_an_outline_under_another_name_is_scored(found: list[dict[str, object]]) -> None:
    (row,) = found
    assert row["finding"] == "Effusion"
    assert row["area"] == pytest.approx(81 / 48**2)
    assert row["value"] == pytest.approx(row["chance"], abs=1e-2)
