from __future__ import annotations

from evaluation.runs import beyond_outline
from tests.evaluation.runs.made import made_store


def test_a_score_has_a_row_with_chance_and_how_many_pairs(tmp_path, monkeypatch):
    monkeypatch.setattr(beyond_outline, "SCORES", ("pixel_auprc", "road"))
    _, _, *rows = beyond_outline.beyond_outline(made_store(tmp_path / "run", silent=4)).splitlines()
    (row,) = [row.strip("| ").split(" | ") for row in rows]
    assert row[:2] == ["Pixel AUPRC", "higher"]
    assert any(cell.startswith("0.94 (") and cell.endswith(" [0.10]") for cell in row), "20 of 24 films: 0.8 + 0.135"
    assert any(cell.startswith("0.62 (") and cell.endswith(" [0.10]") for cell in row), "all 24: 0.5 + 0.115"
    assert row[-1] == "20 to 24"
