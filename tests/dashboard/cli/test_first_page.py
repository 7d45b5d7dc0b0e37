"""The first page imports no more than it needs, all of it early, and opens with a film that is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from classifiers.registry import list_models
from dashboard.shared import choosing
from radiographs.registry import get_collection

ROOT = Path(__file__).resolve().parents[3]
NOT_YET = (
    *("captum", "dask", "distributed", "duckdb", "fontTools", "highdicom", "lime", "matplotlib.figure", "pydicom.sr"),
    *("pytorch_grad_cam", "scipy.optimize", "scipy.stats", "shap", "sklearn", "sympy", "timm", "torch._dynamo"),
    *("torchvision", "torchxrayvision"),
)
"""Slow to import, and no page needs them before somebody runs a method or exports something."""
IMPORTS = """
import ast, sys
from pathlib import Path
from dashboard.cli import first_page
for name in (*first_page._FIRST, *first_page._PAGE):
    __import__(name)
early = set(sys.modules)
for path in ("app.py", "pages/compare.py"):
    lines = [node for node in ast.parse(Path(path).read_text()).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    exec(compile(ast.Module(lines, []), path, "exec"))
from xai_methods import methods
methods()
"""


def ran(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", IMPORTS + code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-800:]
    return done.stdout.strip()


def test_the_first_page_imports_no_more_than_it_needs():
    assert ran(f"print([name for name in {NOT_YET} if name in sys.modules])") == "[]"


def test_nothing_of_this_project_is_left_for_the_page_to_import():
    rooms = ("radiographs", "classifiers", "evaluation", "dashboard")
    assert ran(f"print(sorted(m for m in set(sys.modules) - early if m.split('.')[0] in {rooms}))") == "[]"


@pytest.mark.parametrize("collection", choosing.EXAMPLES)
def test_an_example_has_an_outline_that_its_model_knows(collection):
    film, name = choosing.EXAMPLES[collection]
    if not choosing.film_exists(f"{collection}/{film}"):
        pytest.skip("the film is not at hand")
    model = next(entry for entry in list_models() if entry.name == name)
    findings = {annotation.finding for annotation in get_collection(collection).annotations(film)}
    assert model.available
    assert findings == {"Mass"}
    assert get_collection(collection).entry(film).part == "test"


def test_the_first_film_comes_along(monkeypatch, tmp_path):
    monkeypatch.delenv("XAI_LIGHTBOX_DATA", raising=False)
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    assert choosing.first_film() == "known-truth/mass-04"
    assert choosing.first_model(["nih14", "known-truth"], "known-truth/mass-04") == "known-truth"


def test_an_adult_film_comes_first_where_it_is_at_hand(monkeypatch, tmp_path):
    monkeypatch.delenv("XAI_LIGHTBOX_DATA", raising=False)
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    film, model = choosing.EXAMPLES["nih-boxes"]
    folder = tmp_path / "nih-boxes" / "images"
    folder.mkdir(parents=True)
    (folder / f"{film}.jpg").touch()
    assert choosing.first_film() == f"nih-boxes/{film}"
    assert choosing.first_model(["known-truth", "nih14-localised"], choosing.first_film()) == model
