"""The rules of the house: imports point one way, library rooms know nothing of streamlit, pages hold no mathematics."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ["radiographs", "classifiers", "xai_methods", "evaluation", "dashboard", "pages"]
LIBRARY = FLOORS[:4]
MATHEMATICS = {"numpy", "torch", "scipy", "sklearn", "skimage"}


def imported_rooms(path: Path) -> set[str]:
    """First names of all modules that ``path`` imports, at any depth."""
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            rooms.add(node.module.split(".")[0])
    return rooms


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", FLOORS)
def test_imports_point_down(room: str) -> None:
    above = set(FLOORS[FLOORS.index(room) + 1 :]) | {"app"}
    wrong = {str(p.relative_to(ROOT)): imported_rooms(p) & above for p in sources(room)}
    assert {name: rooms for name, rooms in wrong.items() if rooms} == {}


@pytest.mark.parametrize("room", LIBRARY)
def test_library_rooms_do_not_know_streamlit(room: str) -> None:
    assert [str(p) for p in sources(room) if "streamlit" in imported_rooms(p)] == []


def test_pages_hold_no_mathematics() -> None:
    assert {p.name: imported_rooms(p) & MATHEMATICS for p in sources("pages") if imported_rooms(p) & MATHEMATICS} == {}


def test_pages_have_no_bare_strings_that_streamlit_would_draw() -> None:
    bare = [
        f"{path.name}:{node.lineno}"
        for path in [*sources("pages"), ROOT / "app.py"]
        for node in ast.parse(path.read_text(encoding="utf-8")).body[1:]
        if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Constant, ast.Name))
    ]
    assert bare == []


def test_importing_a_library_room_does_not_load_streamlit() -> None:
    import subprocess
    import sys

    code = "import sys, evaluation.cli.parser, xai_methods; xai_methods.methods(); sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("room", [*LIBRARY, "dashboard", "pages", "assets"])
def test_nothing_unsafe_is_loaded(room: str) -> None:
    banned = (
        "weights_only=False",
        "pickle.load",
        "joblib.load",
        "torch.jit.load",
        "allow_pickle=True",
        'filterwarnings("ignore")',
    )
    found = [(str(p.relative_to(ROOT)), b) for p in sources(room) for b in banned if b in p.read_text(encoding="utf-8")]
    assert found == []


def test_dependency_table_names_every_requirement() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        name = line.split("#")[0].strip().split("[")[0]
        for mark in "<>=~!":
            name = name.split(mark)[0]
        if name:
            assert f"`{name}`" in readme, f"{name} has no line in README's dependency table"


def test_readme_has_no_line_over_120_characters() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert [(number, len(line)) for number, line in enumerate(lines, 1) if len(line) > 120] == []


def test_pictures_are_there_shown_and_small() -> None:
    shown = set()
    for page in (ROOT / "README.md", ROOT / "docs" / "results.md"):
        for link in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            shown.add((page.parent / link).resolve())
    made = {path.resolve() for path in (ROOT / "docs" / "pictures").iterdir()}
    assert shown == made
    assert sum(path.stat().st_size for path in made) <= 1_000_000
