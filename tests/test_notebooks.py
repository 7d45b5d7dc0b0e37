"""The notebooks are whole, hold no output, import by names that an installation has, and are listed where people look.

That they run is tested with the wheel (``tests/test_set_up.py``).
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from xai_lightbox.rooms import ROOMS

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_whole_and_holds_no_output(path):
    read = json.loads(path.read_text(encoding="utf-8"))
    assert (read["nbformat"], read["nbformat_minor"]) == (4, 5)
    assert read["metadata"]["kernelspec"]["name"] == "python3"
    assert len({cell["id"] for cell in read["cells"]}) == len(read["cells"])
    assert read["cells"][0]["source"][0].startswith("# ")
    for cell in read["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            imported = ast.walk(ast.parse("".join(cell["source"])))
            rooms = {node.module.split(".")[0] for node in imported if isinstance(node, ast.ImportFrom) and node.module}
            assert not rooms & {*ROOMS}
    assert path.stat().st_size < 10_000


def test_there_are_four_and_readme_names_them():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 4
    assert [path.name for path in NOTEBOOKS if f"docs/notebooks/{path.name}" not in readme] == []
