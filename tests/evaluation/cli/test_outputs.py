"""A file's name says what it will hold, in every command that writes one, before any work begins."""

import pytest

from dashboard.cli.main import main
from evaluation.cli.outputs import check_file

ON = ["--film", "nowhere/film", "--model", "nothing"]


@pytest.mark.parametrize(
    "words",
    [
        ["compare", *ON, "--finding", "Mass", "--out", "r.docx"],
        ["compare", *ON, "--finding", "Mass", "--scorecard", "--out", "r.pdf"],
        ["stability", *ON, "--out", "r.pdf"],
        ["counterfactual", *ON, "--finding", "Mass", "--out", "r.pdf"],
        ["explain", *ON, "--finding", "Mass", "--method", "lime", "--out", "map.png"],
        ["show", "--film", "nowhere/film", "--png", "film.jpg"],
        ["show", "--film", "nowhere/film", "--finding", "Mass", "--mask", "mask.npy"],
        ["diff", "a", "b", "--csv", "table.xlsx"],
    ],
)
def test_another_ending_is_refused(words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "end in ." in said
    assert said.count("\n") == 1
    assert [*tmp_path.iterdir()] == []


def test_a_folder_is_needed(tmp_path):
    check_file(tmp_path / "R.PDF", ".html", ".pdf")
    with pytest.raises(ValueError, match=r"--out: there is no folder for r\.pdf"):
        check_file(tmp_path / "none" / "r.pdf", ".pdf")
