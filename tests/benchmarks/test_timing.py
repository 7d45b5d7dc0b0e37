import pytest

import benchmarks.__main__ as command
from benchmarks import films
from benchmarks.timing import TimingRow, compare, row_of


def test_ratios_are_medians_over_pairs_not_of_medians():
    row = row_of("what", "rival", [1.0, 4.0, 3.0], [2.0, 2.0, 30.0], target=0.5)
    assert (row.ours, row.theirs, row.ratio, row.pairs) == (3.0, 2.0, 0.5, 3)
    assert row.met is True
    assert row_of("what", "rival", [3.0], [2.0], target=1.0).met is False
    assert row_of("what", "rival", [3.0], [2.0]).met is None


def test_pairs_are_run_in_turns_after_warming_up():
    calls = []
    row = compare("what", "rival", lambda: calls.append("a"), lambda: calls.append("b"), pairs=3)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert row.pairs == 3
    assert row.ratio > 0


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1.0], [1.0, 2.0])])
def test_times_that_are_no_pairs_are_refused(ours, theirs):
    with pytest.raises(ValueError, match="as many times of each"):
        row_of("what", "rival", ours, theirs)
    with pytest.raises(ValueError, match="pairs: expected 1 or more"):
        compare("what", "rival", lambda: None, lambda: None, pairs=0)


def test_a_row_in_markdown():
    row = TimingRow("LRP", "zennit", 0.5, 1.0, 0.5, 1.0, 5)
    assert command.line(row) == "| LRP | zennit | 0.500 | 1.000 | 0.50 | at most 1.00 | yes |"
    assert command.HEAD.splitlines()[0].count("|") == command.line(row).count("|")


def test_the_command_runs_what_it_is_asked_to(monkeypatch, capsys):
    target, kept = [], []

    class Made:
        @staticmethod
        def rows(pairs):
            target.append(pairs)
            return [TimingRow("made", "nothing", 1.0, 2.0, 0.5, None, pairs)]

    monkeypatch.setattr(command.importlib, "import_module", lambda name: Made)
    monkeypatch.setattr(command, "store", lambda machine, name, rows, load: kept.append((name, len(rows))))
    assert {"cams", "lrp"} <= set(command.names())
    assert command.main(["--only", "lrp", "--pairs", "2"]) == 0
    printed = capsys.readouterr().out
    assert target == [2]
    assert kept == [("lrp", 1)]
    assert "2 pairs" in printed
    assert "| made | nothing | 1.000 | 2.000 | 0.50 |  |  |" in printed


def test_models_may_be_limited(monkeypatch):
    monkeypatch.setattr(films, "MODELS", {"one": lambda: 1, "two": lambda: 2})
    films.limit_to(["two"])
    assert films.classifiers() == {"two": 2}
    films.limit_to([])
    assert films.classifiers() == {"one": 1, "two": 2}


@pytest.mark.parametrize("arguments", [["--pairs", "0"], ["--only", "no such benchmark"], ["--model", "no such model"]])
def test_the_command_says_what_it_does_not_know(arguments, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert "usage" in capsys.readouterr().err
