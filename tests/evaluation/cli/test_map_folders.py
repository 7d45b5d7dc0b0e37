"""``lightbox score`` over folders: every map against its mask, what is missing said, the table in three forms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation.cli.parser import main
from evaluation.scores import score_map


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    rng = np.random.default_rng(0)
    for name in ("maps", "masks"):
        (tmp_path / name).mkdir()
    for i in range(3):
        np.save(tmp_path / "maps" / f"film{i}_Mass.npy", rng.random((16, 12)))
        np.save(tmp_path / "masks" / f"film{i}_Mass.npy", rng.random((16, 12)) > 0.7)
    np.save(tmp_path / "maps" / "film3_Mass.npy", rng.random((16, 12)))
    np.save(tmp_path / "masks" / "film4_Mass.npy", np.ones((16, 12), dtype=bool))
    return ["score", "--map", str(tmp_path / "maps"), "--mask", str(tmp_path / "masks")]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
def test_a_folder_is_scored_and_what_is_left_out_is_said(
    folders: list[str], tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / f"scores.{suffix}"
    assert main([*folders, "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert "film3_Mass: there is no mask of this name" in said
    assert "film4_Mass: there is no map of this name" in said
    assert "3 maps scored, 2 left out" in said
    read = {
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
        "json": lambda path: pd.DataFrame(json.loads(path.read_text())),
    }
    table = read[suffix](out)
    row = table[(table.film == "film1_Mass") & (table.metric == "pixel_auroc")].iloc[0]
    values, mask = (np.load(tmp_path / kind / "film1_Mass.npy") for kind in ("maps", "masks"))
    assert row.value == pytest.approx(score_map(values, mask)["pixel_auroc"].value)
    assert row.direction == "higher"


@pytest.mark.parametrize(
    ("words", "said"), [(["--out", "scores.txt"], "does not end in .csv, .parquet or .json"), (["--out", "x.csv"], "")]
)
def test_the_folder_of_masks_and_the_kind_of_table_are_checked_first(
    folders: list[str], capsys: pytest.CaptureFixture, words: list[str], said: str
) -> None:
    if not said:
        folders[-1] += "/film1_Mass.npy"
        said = "give the folder of masks by --mask"
    assert main([*folders, *words]) == 2
    assert said in capsys.readouterr().err
