"""The examples in the docstrings of public modules are true."""

import doctest
import importlib
from pathlib import Path

import pytest

from radiographs.errors import CollectionError
from radiographs.registry import find_film


@pytest.mark.parametrize("name", ["radiographs.arrays", "radiographs.nearness", "xai_methods", "xai_methods.display"])
def test_examples(name: str) -> None:
    if name == "xai_methods":
        try:
            find_film("known-truth/mass-01")
        except CollectionError as error:
            pytest.skip(str(error))
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


def test_the_lines_of_python_in_the_readme_run(tmp_path, monkeypatch, capsys):
    readme = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    code = readme.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert "pixel_auprc" in capsys.readouterr().out
    assert (tmp_path / "map.npz").is_file()
