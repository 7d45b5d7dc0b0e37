"""The score table of methods that are in the registry."""

from __future__ import annotations

from evaluation.one_film.compare import compare
from evaluation.one_film.evaluate import ScoringContext
from evaluation.one_film.table import score_table
from tests.evaluation.looking import Spots, looker


def test_a_baseline_chosen_as_a_method_stands_once_among_the_baselines():
    context = ScoringContext(looker(), Spots().read("00"), Spots().annotations("00"))
    made = compare(context, ["Spot"], {"grad-cam": None, "uniform": None, "random": None})
    table = score_table(made.findings["Spot"])
    assert table.loc[table.kind == "method", "name"].tolist() == ["grad-cam"]
    assert table["name"].is_unique
    assert {"uniform", "random"} <= set(table.loc[table.kind == "baseline", "name"])
