"""Tables as CSV: the one way in which the program writes them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from radiographs.files import write_text
from radiographs.plain_text import csv_cell


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV, undefined numbers empty; a text that a spreadsheet would compute stands behind an apostrophe."""
    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    return table.assign(**{name: table[name].astype(object).map(csv_cell) for name in texts}).to_csv(index=False)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV to ``path``, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    write_text(path, csv_text(table))
