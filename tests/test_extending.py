"""``docs/extending.md``, carried out outside the repository: from a folder of files, and as an installed package."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from xai_methods import Explanation

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = {name: text for name, text in re.findall(r"```\w+ ([\w.]+)\n(.*?)```", PAGE, flags=re.DOTALL)}
COMMANDS = re.findall(r"^lightbox (.*)$", PAGE, flags=re.MULTILINE)
PARTS = ("bands.py", "bands.md", "border_share.py", "discs.py", "brightness.py")


def run(words: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in ``folder``, where nothing of the repository lies."""
    home = {"XAI_LIGHTBOX_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    path = os.pathsep.join([str(ROOT), environment.pop("path", "")]).strip(os.pathsep)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("XAI_LIGHTBOX")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=inherited | home | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def written(folder: Path) -> Path:
    folder.mkdir()
    for name in PARTS:
        (folder / name).write_text(BLOCKS[name], encoding="utf-8")
    return folder


def as_folder(tmp_path: Path) -> dict[str, str]:
    return {"XAI_LIGHTBOX_EXTENSIONS": str(written(tmp_path / "extensions"))}


def as_setting(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "home").mkdir()
    content = json.dumps({"extensions": str(written(tmp_path / "extensions"))})
    (tmp_path / "home" / "settings.json").write_text(content, encoding="utf-8")
    return {}


def as_package(tmp_path: Path) -> dict[str, str]:
    """What installing a package leaves behind: its modules, and its entry points in a dist-info folder."""
    site = tmp_path / "site"
    site.mkdir()
    (written(site / "my_lightbox") / "__init__.py").touch()
    about = site / "my_lightbox-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-lightbox\nVersion: 1.0\n", encoding="utf-8")
    points = configparser.ConfigParser()
    points.read_dict(tomllib.loads(BLOCKS["pyproject.toml"])["project"]["entry-points"])
    with (about / "entry_points.txt").open("w", encoding="utf-8") as file:
        points.write(file)
    return {"path": str(site)}


EVERYTHING = """
import json, sys
from classifiers import list_models
from evaluation import scores
from radiographs import extensions
from radiographs.registry import collections
from xai_methods import get_method, methods
json.dump({
    "methods": list(methods()), "metrics": list(scores.metrics()), "collections": list(collections()),
    "models": [e.name for e in list_models() if e.origin == "extension"],
    "problems": extensions.problems(), "edition": extensions.edition(), "card": get_method("bands").card(),
}, sys.stdout)
"""


@pytest.mark.parametrize("install", [as_folder, as_setting, as_package])
def test_all_four_are_found(install, tmp_path: Path) -> None:
    result = run(["-c", EVERYTHING], tmp_path, **install(tmp_path))
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["problems"] == []
    assert "bands" in found["methods"]
    assert "border_share" in found["metrics"]
    assert "discs" in found["collections"]
    assert found["models"] == ["brightness"]
    assert len(set(found["edition"].split())) == 4
    assert found["card"] == BLOCKS["bands.md"]


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    environment = as_folder(tmp_path)
    assert len(COMMANDS) == 4
    in_turn = f"from dashboard.cli.main import main\nprint([main(w) for w in {[shlex.split(w) for w in COMMANDS]}])"
    result = run(["-c", in_turn], tmp_path, **environment)
    # The page's film is a made one, of which the film check says so.
    assert (result.returncode, set(result.stderr.splitlines())) == (
        0, {"doubt: This does not look like a frontal chest film."},
    )  # fmt: skip
    assert result.stdout.endswith("[0, 0, 0, 0]\n")
    assert "bands " in result.stdout
    assert "border_share " in result.stdout
    explanation = Explanation.load(tmp_path / "map.npz")
    assert (explanation.method, explanation.cells) == ("bands", (4, 1))
    assert explanation.values[:112].max() > 0
    assert explanation.values[112:].max() == 0
    assert "Bands" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_test_of_the_page_passes(tmp_path: Path) -> None:
    environment = as_folder(tmp_path)
    (tmp_path / "test_bands.py").write_text(BLOCKS["test_bands.py"], encoding="utf-8")
    result = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_bands.py"], tmp_path, **environment)
    assert result.returncode == 0, result.stdout


def test_a_broken_extension_costs_a_sentence(tmp_path: Path) -> None:
    environment = as_folder(tmp_path)
    broken = {
        "broken.py": "x = 1\ny = x / 0\n",
        "half.py": "def (\n",
        "leaves.py": "import sys\nsys.exit('good bye')\n",
        "taken.py": BLOCKS["bands.py"].replace('name = "bands"', 'name = "lrp"'),
        "unsaid.py": BLOCKS["bands.py"].replace('"bands"', '"bends"').replace("    signed = True\n", ""),
        "metric.py": BLOCKS["border_share.py"].replace("physical attribution", "beauty").replace("border_", "other_"),
        "cardless.py": BLOCKS["discs.py"].replace('"discs"', '"disks"').replace("    card = Coll", "    no = Coll"),
        "model.py": BLOCKS["brightness.py"].replace('"brightness"', '"nih14"'),
    }
    for name, text in broken.items():
        (tmp_path / "extensions" / name).write_text(text, encoding="utf-8")
    result = run(["-c", EVERYTHING], tmp_path, **environment)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert {"bands", "lrp"} <= set(found["methods"])
    assert found["models"] == ["brightness"]
    for name, words in {
        "broken.py": "(line 2): division by zero",
        "half.py": "invalid syntax",
        "leaves.py": "good bye",
        "taken.py": "a method named 'lrp' is registered already",
        "unsaid.py": "does not declare signed",
        "metric.py": "the element 'beauty'",
        "cardless.py": "left out",
        "model.py": "a model named 'nih14' is registered already",
    }.items():
        (sentence,) = [problem for problem in found["problems"] if f" {name} " in problem]
        assert words in sentence
        assert sentence in result.stderr
    assert len(found["problems"]) == len(broken)
    assert "Traceback" not in result.stderr
    assert str(tmp_path) not in result.stderr


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    result = run(["-m", "dashboard.cli.main", "methods"], tmp_path, XAI_LIGHTBOX_EXTENSIONS=str(tmp_path / "none"))
    assert result.returncode == 0
    assert result.stderr == "the folder of extensions is not there; set XAI_LIGHTBOX_EXTENSIONS to one that is\n"


def test_a_model_that_cannot_be_built_is_a_sentence(tmp_path: Path) -> None:
    environment = as_folder(tmp_path)
    text = BLOCKS["brightness.py"].replace("nn.Linear(28 * 28, 1)", "nn.Linear(28 * 28, 2)")
    (tmp_path / "extensions" / "brightness.py").write_text(text, encoding="utf-8")
    result = run(["-m", "dashboard.cli.main", *shlex.split(COMMANDS[2])], tmp_path, **environment)
    assert result.returncode == 2
    assert result.stderr.startswith("lightbox: The network does not give one logit for each finding")
