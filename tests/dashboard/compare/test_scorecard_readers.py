"""Below the scorecard stands what readers made of the same methods, where a study was reported."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

from dashboard.compare import scorecard  # noqa: F401  so that the page need not wait for it


def _drawn() -> None:
    from dashboard.compare.scorecard import draw_readers

    draw_readers("tiny", "Nodule", ["grad-cam"])


def test_readers_results_stand_below_the_scorecard(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    assert not AppTest.from_function(_drawn, default_timeout=60).run().dataframe
    folder = tmp_path / "studies" / "one"
    folder.mkdir(parents=True)
    figures = {"low": 0.4, "high": None, "readers": 6, "cases": 12}
    arms = [
        {"endpoint": "accuracy", "arm": "no map", "method": "", "value": 0.5, **figures},
        {"endpoint": "accuracy", "arm": "map", "method": "grad-cam", "value": 0.8, **figures},
        {"endpoint": "usefulness", "arm": "lime", "method": "lime", "value": 2.0, **figures},
    ]
    told = {"study": "A study", "models": ["tiny"], "findings": ["Nodule"], "arms": arms}
    (folder / "results.json").write_text(json.dumps(told))
    page = AppTest.from_function(_drawn, default_timeout=60).run()
    assert not page.exception
    table = page.dataframe[0].value
    assert table["Map"].tolist() == ["no map", "Grad-CAM"]
    assert table["Value"].tolist() == [0.5, 0.8]
    assert "Actionability, by readers" in page.caption[0].value
