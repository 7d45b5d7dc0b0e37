"""The one package to import: its rooms are the clone's own modules, and another package in the way is a sentence."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import xai_lightbox
from xai_lightbox import rooms

ROOT = Path(__file__).resolve().parents[1]


def test_every_public_name_is_what_its_home_has():
    names = {name: home for home, names in xai_lightbox._HOMES.items() for name in names}
    assert sorted(names) == xai_lightbox.__all__
    for name, home in names.items():
        assert getattr(xai_lightbox, name) is getattr(importlib.import_module(home), name)
    with pytest.raises(AttributeError, match="score_maps"):
        xai_lightbox.score_maps  # noqa: B018


def test_a_room_below_the_door_is_the_room_itself():
    below = importlib.import_module("xai_lightbox.evaluation.scores.registry")
    here = importlib.import_module("evaluation.scores.registry")
    assert below is here
    assert here.__spec__.name == "evaluation.scores.registry"
    assert importlib.import_module("xai_lightbox.xai_methods").Explanation is xai_lightbox.Explanation
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("xai_lightbox.evaluation.nothing")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("xai_lightbox.streamlit")


def test_importing_the_door_loads_nothing_slow():
    code = "import sys, xai_lightbox; sys.exit(len({'torch', 'numpy', 'matplotlib', 'streamlit'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_another_package_in_the_way_is_a_sentence(tmp_path):
    (tmp_path / "evaluation.py").write_text("x = 1\n")
    given = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", "xai_lightbox", "methods"]
    done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert str(tmp_path / "evaluation.py") in done.stderr
    assert "pip install" in done.stderr


def test_the_clones_own_packages_are_no_others():
    for room in rooms.ROOMS:
        rooms.check_room(room)
