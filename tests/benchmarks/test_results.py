"""The tables of docs/speed.md are those of the files of figures, and a file holds what was measured last."""

from dataclasses import replace

import pytest

from benchmarks.machine import this_machine
from benchmarks.results import BEGIN, END, PAGE, in_text, store, tables
from benchmarks.timing import TimingRow

ROW = TimingRow("LRP, a model", "zennit", 0.75, 1.0, 0.75, 1.0, 5)


def test_readme_holds_the_tables_of_the_files():
    text = PAGE.read_text(encoding="utf-8")
    assert in_text(text, tables()) == text, "run python -m benchmarks.results"


def test_a_file_holds_the_last_run_of_each_benchmark_and_becomes_a_table(tmp_path):
    machine = this_machine()
    store(machine, "lrp", [replace(ROW, ratio=2.0)], 1.0, tmp_path)
    store(machine, "cams", [replace(ROW, what="CAMs", target=None)], 2.0, tmp_path)
    path = store(machine, "lrp", [ROW], 3.0, tmp_path)
    other = store(replace(machine, precision="float64"), "lrp", [replace(ROW, ratio=1.5)], 1.0, tmp_path)
    assert path != other
    made = tables(tmp_path)
    assert str(machine) in made
    assert "Load while it ran: 2 to 3." in made
    assert "| LRP, a model | zennit | 0.750 | 1.000 | 0.75 | at most 1.00 | yes |" in made
    assert "| CAMs | zennit | 0.750 | 1.000 | 0.75 |  |  |" in made
    assert "| 1.50 | at most 1.00 | **no** |" in made
    assert "2.00" not in made


def test_text_keeps_what_stands_around_the_tables():
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = in_text(text, "new")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert in_text(once, "new") == once
    with pytest.raises(ValueError, match="has no place for the tables"):
        in_text("nothing here", "new")
