import csv

import numpy as np
import pandas as pd

from evaluation.csv_table import csv_text, write_csv


def test_numbers_stay_and_formulas_become_text(tmp_path):
    table = pd.DataFrame({"finding": ["=1+1", "Mass", None], "score": [0.5, np.nan, -1.0], "n": [1, 2, 3]})
    table["kind"] = pd.Categorical(["@x", "y", "y"])
    write_csv(tmp_path / "table.csv", table)
    assert (tmp_path / "table.csv").read_text() == csv_text(table)
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["finding", "score", "n", "kind"],
        ["'=1+1", "0.5", "1", "'@x"],
        ["Mass", "", "2", "y"],
        ["", "-1.0", "3", "y"],
    ]
