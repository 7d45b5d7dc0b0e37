"""The paper package: what is in bold, what is cited, and that nothing about persons or places is in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from evaluation.runs import tables
from evaluation.runs.paper import best_table, paper_texts
from evaluation.runs.report import Section
from evaluation.runs.store import Store
from evaluation.runs.tables import ALL, Pair, costs
from evaluation.statistics.critical_difference import rank_methods
from evaluation.statistics.paired_tests import PairTest
from evaluation.validity.gate import Verdict
from radiographs.places import HOME_VARIABLE
from tests.evaluation.runs.made import made_store

METHODS = {"Grad-CAM": 0.5, "LIME": 0.48, "LRP": 0.2}


def section(p_values: dict[str, float], metric: str = "pixel_auprc") -> Section:
    """Three methods and a baseline; the p value of each against Grad-CAM."""
    titles = {**METHODS, "Uniform map": 0.9}
    board = pd.DataFrame(
        [
            {
                "scope": ALL, "metric": metric, "title": title, "kind": "method" if title in METHODS else "baseline",
                "mean": mean, "low": mean - 0.1, "high": mean + 0.1, "n": 40.0, "common": mean, "silent": 0,
            }
            for title, mean in titles.items()
        ]
    )  # fmt: skip
    tests = {}
    if p_values:
        pairs = tuple(PairTest("Grad-CAM", name, 0.1, 40, p, p) for name, p in p_values.items())
        tests = {metric: tables.Tests(ALL, rank_methods(pd.DataFrame([METHODS] * 12).to_numpy(), list(METHODS)), pairs)}
    return Section(Pair("films_a", "net"), {"Nodule": Verdict("not measured", "")}, board, tests)


@pytest.mark.parametrize(
    ("p_values", "bold"),
    [
        ({"LIME": 0.4, "LRP": 0.001}, ["0.500", "0.480"]),
        ({"LIME": 0.01, "LRP": 0.001}, ["0.500"]),
        ({}, []),
    ],
)
def test_the_best_and_what_is_not_told_from_it_is_bold(p_values: dict[str, float], bold: list[str]) -> None:
    text = best_table(section(p_values), SimpleNamespace(metrics=("pixel_auprc",)))  # type: ignore[arg-type]
    assert [part[:5] for part in text.split(r"\bfseries ")[1:]] == bold
    assert r"Pixel AUPRC $\uparrow$" in text
    assert ("nothing is bold: Pixel AUPRC" in text) == (not bold)
    assert r"films\_a" in text


def test_where_lower_is_better_the_lowest_is_bold() -> None:
    given = section({"LIME": 0.4, "LRP": 0.001}, "deletion_blur")
    pairs = tuple(replace(one, first="LRP", second=other) for one, other in zip(
        given.tests["deletion_blur"].pairs, ("Grad-CAM", "LIME")
    ))  # fmt: skip
    tests = {"deletion_blur": replace(given.tests["deletion_blur"], pairs=pairs)}
    text = best_table(replace(given, tests=tests), SimpleNamespace(metrics=("deletion_blur",)))  # type: ignore[arg-type]
    assert r"$\downarrow$" in text
    assert [part[:5] for part in text.split(r"\bfseries ")[1:]] == ["0.500", "0.200"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    store: Store = made_store(tmp_path / "run")
    plan = store.folder / "plan.toml"
    plan.write_text(plan.read_text() + f'[[methods]]\nname = "mine"\nmaps = "{tmp_path}/maps"\n')
    report: Any = SimpleNamespace(
        metrics=("pixel_auprc",), sections=(section({"LIME": 0.4, "LRP": 0.01}),), units="patients", unfinished="",
        versions=("python 3.11.7, torch 2.9.1, numpy 2.3.0",), films=24, doubts=pd.DataFrame(
            {"collection": ["c"], "film_id": ["f"], "film": ["x"], "doubt": [""]}
        ), costs=costs(store), failures=store.failures(), sweeps=(),
    )  # fmt: skip
    return paper_texts(store, report)


def test_what_is_cited_has_an_entry_and_every_entry_is_cited(package: dict[str, str]) -> None:
    keys = {key for part in package["methods.tex"].split(r"\cite{")[1:] for key in part.split("}")[0].split(",")}
    entries = {line.split("{")[1].rstrip(",\n") for line in package["references.bib"].splitlines() if line[:1] == "@"}
    assert keys == entries
    assert {"selvaraju2017gradcam", "judd2009predict", "paszke2019pytorch", "holm1979multiple"} <= keys


def test_the_package_names_films_by_their_pixels_and_no_place(package: dict[str, str], tmp_path: Path) -> None:
    assert len(package["films.csv"].splitlines()) == 25
    assert f"{3:064d}" in package["films.csv"]
    for name, text in package.items():
        assert str(tmp_path) not in text, name
        assert "film-0-" not in text, name
    assert "24 films of 12 patients" in package["methods.tex"]
    assert "jacobian,2,reading,signed,0 1" in package["parameters.csv"]
    assert "How were the maps of mine made?" in package["checklist.md"]
