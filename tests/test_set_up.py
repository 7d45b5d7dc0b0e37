"""What is installed is pinned for every supported Python, and the wheel holds all that the dashboard needs."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from xai_lightbox.rooms import DOOR, ROOMS

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
OF_A_GPU = ("nvidia-", "cuda-", "triton")
"""What torch brings by itself where it has a GPU; its versions hang on torch's build."""


def pins() -> dict[str, str]:
    """The version of each package in constraints.txt; any line but ``name==version`` is an error."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()[1:]
    found = [re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9a-z.]*)", line.lower().replace("_", "-")) for line in lines]
    assert [line for line, match in zip(lines, found) if match is None] == []
    return {match[1]: match[2] for match in found if match}


def requirements() -> list[Requirement]:
    lines = [line for path in ROOT.glob("requirements*.txt") for line in path.read_text(encoding="utf-8").splitlines()]
    of_build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    return [Requirement(line) for line in [*lines, *of_build] if line and not line.startswith(("#", "-r"))]


def test_every_package_is_pinned_once_and_in_order() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert len(pins()) == len(lines)
    assert lines == sorted(lines)


def test_the_pins_lie_within_the_ranges() -> None:
    pinned = pins()
    outside = [str(r) for r in requirements() if not r.specifier.contains(pinned[canonicalize_name(r.name)])]
    assert outside == []


@pytest.mark.parametrize("python", PYTHONS)
def test_what_the_packages_ask_for_is_pinned_too(python: str) -> None:
    pinned, asked, seen, wrong = pins(), requirements(), set(), []
    while asked:
        one = asked.pop()
        name = canonicalize_name(one.name)
        if (name, *one.extras) in seen or name.startswith(OF_A_GPU):
            continue
        seen.add((name, *one.extras))
        if name not in pinned or not one.specifier.contains(pinned[name]):
            wrong.append(f"{one}: pinned is {pinned.get(name)}")
        try:
            there = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        # Another version than the pinned one may ask for other packages; quantus comes without its own.
        if there.version.split("+")[0] == pinned.get(name) and name != "quantus":
            asked += [r for r in map(Requirement, there.requires or ()) if _needed(r, python, one.extras)]
    assert wrong == []
    assert len(seen) > 100


def _needed(one: Requirement, python: str, extras: set[str]) -> bool:
    versions = {"python_version": python, "python_full_version": f"{python}.9"}
    return one.marker is None or any(one.marker.evaluate({**versions, "extra": e}) for e in ("", *extras))


def test_the_supported_pythons_are_those_that_the_pins_are_checked_for() -> None:
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    said = Requirement(f"python{supported}").specifier
    assert tuple(v for v in (f"3.{minor}" for minor in range(30)) if said.contains(v)) == PYTHONS


def build_step() -> ModuleType:
    """The clone's setup.py, as a module."""
    spec = importlib.util.spec_from_file_location("build_step", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_module_can_be_moved_below_the_door() -> None:
    moved = build_step().below_the_door
    theirs = re.compile(rf"^(?:from|import) ({'|'.join(ROOMS)})\b", re.MULTILINE)
    for path in [path for room in (*ROOMS, "pages") for path in (ROOT / room).rglob("*.py")]:
        made = moved(path.read_text(encoding="utf-8"))
        compile(made, str(path), "exec")
        assert theirs.search(made) is None


def test_what_is_moved_below_the_door_means_the_same() -> None:
    moved = build_step().below_the_door
    assert moved("    from evaluation.scores import x") == "    from xai_lightbox.evaluation.scores import x"
    assert moved(">>> from classifiers import x") == ">>> from xai_lightbox.classifiers import x"
    assert moved('import_module("dashboard.cli.main")') == 'import_module("xai_lightbox.dashboard.cli.main")'
    for same in ('"evaluation.of.nothing"', '"dashboard"', "from evaluations import x", '"benchmarks.page needs it"'):
        assert moved(same) == same
    with pytest.raises(ValueError, match=r"import evaluation\.scores"):
        moved("import evaluation.scores")


WITHOUT_PINS = {**os.environ, "PIP_CONSTRAINT": "", "PIP_BUILD_CONSTRAINT": ""}
"""The pins' path is relative to the clone."""


NAMES = (*ROOMS, "pages", "app")
"""What is top-level in a clone, and may be the name of anybody's module elsewhere."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs' folder of an environment outside the clone that has the wheel, and the libraries of this one.

    Beside the wheel lie modules of somebody else's with the names of the clone's packages, which break when imported.
    """
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    left = {".git", ".venv", ".venv-latest", "build", "runs", "tests"}
    shutil.copytree(ROOT, copy, ignore=lambda at, names: left & {*names} if Path(at) == ROOT else ())
    pip = [sys.executable, "-m", "pip", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, copy]
    subprocess.run([*pip, *build], cwd=folder, env=WITHOUT_PINS, check=True)
    (wheel,) = folder.glob("*.whl")
    shutil.rmtree(copy)
    venv.create(folder / "env", with_pip=False)
    (packages,) = folder.glob("env/lib/python*/site-packages")
    (packages / "libraries.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    for name in NAMES:
        (packages / f"{name}.py").write_text(f"raise SystemExit('somebody else\\'s {name} was imported')")
    programs = folder / "env" / "bin"
    install = ["--python", programs / "python", "install", "--no-deps", "--no-index", wheel]
    subprocess.run([*pip, *install], cwd=folder, env=WITHOUT_PINS, check=True)
    return programs


def run(installed: Path, *command: str) -> str:
    """What a program of the environment prints, run in an empty folder with an empty home."""
    home = installed.parents[1] / "home"
    home.mkdir(exist_ok=True)
    unset = ("PYTHONPATH", "XAI_LIGHTBOX_DATA")
    given = {k: v for k, v in os.environ.items() if k not in unset} | {"XAI_LIGHTBOX_HOME": str(home)}
    done = subprocess.run(
        [installed / command[0], *command[1:]], cwd=home, env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_packages(installed: Path) -> None:
    (wheel,) = installed.parents[1].glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        held = set(opened.namelist())
    assert {name.split("/")[0] for name in held if "dist-info" not in name} == {DOOR}
    files = [p.relative_to(ROOT) for name in ROOMS for p in (ROOT / name).rglob("*") if p.is_file()]
    assert [str(p) for p in files if "__pycache__" not in p.parts and f"{DOOR}/{p.as_posix()}" not in held] == []
    assert {f"{DOOR}/dashboard/served/{path.name}" for path in (ROOT / "pages").glob("*.py")} <= {
        name.replace("served/pages/", "served/") for name in held
    }
    (top_level,) = installed.parents[1].glob("env/lib/python*/site-packages/xai_lightbox-*.dist-info/top_level.txt")
    assert top_level.read_text() == f"{DOOR}\n"


@pytest.mark.slow
def test_the_wheel_explains(installed: Path) -> None:
    assert "lime" in run(installed, "lightbox", "methods")
    question = ["--film", "known-truth/nodule-01", "--model", "known-truth", "--finding", "Nodule"]
    run(installed, "lightbox", "explain", *question, "--method", "grad-cam", "--out", "map.npz")
    assert (installed.parents[1] / "home" / "map.npz").is_file()


EXPLAINER = """
from xai_lightbox.classifiers.registry import load_classifier
from xai_lightbox.dashboard.jobs.explaining import Explainer
print(Explainer(1, {"known-truth": load_classifier("known-truth", "cpu").digest}).number)
"""


@pytest.mark.slow
def test_the_wheel_makes_maps_in_a_process_beside_the_server(installed: Path) -> None:
    assert int(run(installed, "python", "-c", EXPLAINER)) > 0


EXECUTED = """
import json, sys, time
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot
for path in sys.argv[1:]:
    space = {"__name__": "__main__"}
    for cell in json.load(open(path, encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), path, "exec"), space)
    matplotlib.pyplot.close("all")
    if "store" in space:
        print(space["ended"].state, space["ended"].done, len(space["store"].failures()), len(space["scores"]))
    if "curves" in space:
        print(sorted(space["curves"]), float(min(space["curves"]["edge-map"])))
"""


@pytest.mark.slow
def test_the_notebooks_run_with_the_wheel(installed: Path) -> None:
    notebooks = sorted(str(path) for path in (ROOT / "docs" / "notebooks").glob("*.ipynb"))
    assert len(notebooks) == 4
    said = run(installed, "python", "-c", EXECUTED, *notebooks).splitlines()
    assert "done 3 0 24" in said
    assert "['edge-map', 'grad-cam', 'input-x-gradient'] 1.0" in said


SHOWN = """
import json, os
from xai_lightbox import dashboard
from xai_lightbox.dashboard.cli.serving import APP
os.chdir(APP.parent)
import streamlit
from streamlit.testing.v1 import AppTest
page = AppTest.from_file(str(APP), default_timeout=120).run()
print(json.dumps({
    "package": dashboard.__file__,
    "errors": [str(e.value) for e in (*page.exception, *page.error)],
    "films": len(page.selectbox("film_id").options),
    "theme": streamlit.get_option("theme.light.primaryColor"),
}))
"""


@pytest.mark.slow
def test_the_wheel_shows_the_dashboard_with_its_films_and_theme(installed: Path) -> None:
    found = json.loads(run(installed, "python", "-c", SHOWN).splitlines()[-1])
    assert Path(found["package"]).is_relative_to(installed.parent)
    assert found["errors"] == []
    assert found["films"] > 0
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert found["theme"] == settings["theme"]["light"]["primaryColor"]
