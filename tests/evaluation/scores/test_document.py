"""The reference page is what the registries say."""

from __future__ import annotations

import pytest

from evaluation.scores import metrics
from evaluation.scores.document import PAGE, main, reference_page


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference_page(), "run python -m evaluation.scores.document"


def test_every_score_is_on_the_page_once():
    page = reference_page()
    for name, score in metrics().items():
        assert page.count(f"\n`{name}`. {score.meaning}") == 1, name
    for heading in ("Direction", "Chance", "Formula", "Source", "Pitfall"):
        assert page.count(f"- {heading}: ") == len(metrics())


def test_check_says_whether_the_page_has_drifted(tmp_path, monkeypatch, capsys):
    page = tmp_path / "metrics.md"
    monkeypatch.setattr("evaluation.scores.document.PAGE", page)
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
    page.write_text("drifted", encoding="utf-8")
    assert main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["--help"], ["x", "y"]])
def test_other_words_are_refused(argv, capsys):
    assert main(argv) == 2
    assert "--check" in capsys.readouterr().err
