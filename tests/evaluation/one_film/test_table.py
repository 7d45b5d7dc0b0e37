"""The score table of methods that are in the registry."""

from __future__ import annotations

from evaluation.one_film.compare import compare
from evaluation.one_film.table import score_table
from tests.evaluation.looking import Spots, looker


def test_a_baseline_chosen_as_a_method_stands_once_among_the_baselines():
    film, mask = Spots().read("00"), Spots().annotations("00")[0].mask
    made = compare(looker(), film, ["Spot"], {"grad-cam": None, "uniform": None, "random": None}, {"Spot": mask})
    table = score_table(made.findings["Spot"])
    assert table.loc[table.kind == "method", "name"].tolist() == ["grad-cam"]
    assert table["name"].is_unique
    assert {"uniform", "random"} <= set(table.loc[table.kind == "baseline", "name"])
