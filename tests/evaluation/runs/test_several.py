"""Runs set beside each other: only where films, outlines and settings are the same, and with a reason where not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from evaluation.cli.parser import main
from evaluation.runs.report import latex
from evaluation.runs.several import make_joint_report
from evaluation.runs.store import SCHEMA, Store
from evaluation.runs.tables import ALL
from radiographs.places import HOME_VARIABLE
from tests.evaluation.runs.made import made_store


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


def changed(store: Store, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Store:
    rows = [change(row) for row in store.query("SELECT * FROM scores").to_dict("records")]
    made = Store(folder)
    made.make()
    made.write([pa.Table.from_pylist(rows, schema=SCHEMA)], [], {})
    return made


def test_maps_of_two_runs_stand_in_one_table_with_tests_between_them(tmp_path: Path) -> None:
    first, second = made_store(tmp_path / "a"), made_store(tmp_path / "b", shift=0.05)
    renamed = changed(
        second, tmp_path / "c", lambda row: row | {"collection": "theirs", "film_id": "x" + row["film_id"]}
    )
    report = make_joint_report({"ours": first, "theirs": renamed})
    (section,) = report.sections
    means = section.board[section.board.scope == ALL].set_index("title")["mean"]
    assert means["Grad-CAM [theirs]"] - means["Grad-CAM [ours]"] == pytest.approx(0.05)
    assert sorted(means.index) == sorted(
        ["Grad-CAM [ours]", "Grad-CAM [theirs]", "Jacobian sensitivity [ours]", "Jacobian sensitivity [theirs]"]
        + [title for title in means.index if "[" not in title]
    )
    assert (section.board.kind == "baseline").sum() == 2 * 3  # two baselines, once each, over both findings and each
    pair = section.tests["pixel_auprc"].between("Grad-CAM [ours]", "Grad-CAM [theirs]")
    assert pair is not None
    assert pair.n == 12
    assert pair.p_holm < 0.05
    assert report.films == 24
    assert report.refused == ()
    assert "Grad-CAM [theirs]" in latex(report)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda row: row | {"area": row["area"] * 1.01}, "other outlines on 24 of 24"),
        (
            lambda row: row | {"film": "f" + row["film"][1:]} if row["film_id"].endswith("-3") else row,
            "other films of nod",
        ),
        (lambda row: row | {"reading": "abs"}, "another polarity"),
        (lambda row: row | {"value": row["value"] + (row["method"] == "uniform") / 9}, "24 scores of baselines differ"),
        (lambda row: row | {"film": "f" + row["film"][1:]}, "No film is in two"),
    ],
)
def test_what_is_not_comparable_is_refused_and_said(
    tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], words: str
) -> None:
    first = made_store(tmp_path / "a")
    other = changed(first, tmp_path / "b", change)
    with pytest.raises(ValueError, match=words):
        make_joint_report({"a": first, "b": other})


def test_the_command_reports_folders_and_files_together(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    made_store(tmp_path / "a")
    changed(made_store(tmp_path / "b", shift=0.05), tmp_path / "c", lambda row: row | {"reading": "abs"})
    assert main(["publish", str(tmp_path / "b"), str(tmp_path / "b.json")]) == 0
    out = tmp_path / "both"
    given = [str(tmp_path / name) for name in ("a", "b.json", "c")]
    assert main(["report", *given, "--out", str(out)]) == 0
    said = "c (tiny on tiny-films) is not set beside a (tiny on tiny-films): another polarity"
    assert said in capsys.readouterr().err
    page = (out / "report.html").read_text()
    assert said in page
    assert "Grad-CAM [b]" in page
    assert "Grad-CAM [c]" not in page
    assert "a beside b" in page
    assert main(["report", str(tmp_path / "a"), str(tmp_path / "a")]) == 2
    assert "named twice" in capsys.readouterr().err
