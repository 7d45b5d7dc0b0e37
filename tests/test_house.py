"""The rules of the house: imports point one way and in no circle, one name means one thing, tests mirror the tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from graphlib import TopologicalSorter
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


def modules() -> dict[str, Path]:
    """Every module of the product and its benchmarks by dotted name."""
    paths = [path for room in [*FLOORS, "benchmarks"] for path in sources(room)]
    return {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in paths}


def imported_modules(name: str, path: Path, known: Collection[str]) -> set[str]:
    """Modules of ours that a module imports, at any depth; a package where only its own names are taken."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & set(known)
            if inner - set(known):
                found.add(node.module)
    return (found & set(known)) - {name}


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = modules()
    graph = TopologicalSorter({name: imported_modules(name, path, known) for name, path in known.items()})
    graph.prepare()  # raises CycleError, which names the circle


def taken_lazily(path: Path, package: str) -> set[str]:
    """Submodules that ``path`` takes from a package by attribute alone, so that the first use imports them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    used = {
        f"{package}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == package
    }
    return {name for name in used if not any(given == name or given.startswith(f"{name}.") for given in imports)}


def test_submodules_of_skimage_are_imported_by_name() -> None:
    """Two threads that import them at their first use, by different names, can leave them half made for good."""
    found = {name: taken_lazily(path, "skimage") for name, path in modules().items()}
    assert {name: taken for name, taken in found.items() if taken} == {}


def test_a_public_class_name_is_used_once() -> None:
    homes: dict[str, list[str]] = {}
    for name, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def namesakes(folder: Path) -> list[str]:
    """What a test in the mirror of ``folder`` may be named after: its modules, its packages, or the folder itself."""
    return [folder.name, *(p.stem for p in folder.iterdir() if p.suffix == ".py" or p.is_dir())]


def test_every_test_module_mirrors_what_it_tests() -> None:
    """``tests/a/b/test_c.py`` or ``test_c_more.py`` tests ``a/b/c.py``, the package ``a/b/c`` or the room ``a/b``."""
    tests = ROOT / "tests"
    lost = []
    for path in tests.rglob("test_*.py"):
        room = ROOT / path.parent.relative_to(tests)
        name = path.stem.removeprefix("test_")
        if path.parent in (tests, tests / "browser"):
            continue
        if not room.is_dir() or not any(f"{name}_".startswith(f"{known}_") for known in namesakes(room)):
            lost.append(str(path.relative_to(ROOT)))
    assert lost == []


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


@pytest.mark.parametrize("room", ["evaluation", "dashboard"])
def test_tables_become_csv_in_one_place(room: str) -> None:
    wrong = [str(p) for p in sources(room) if p.name != "csv_table.py" and ".to_csv(" in p.read_text(encoding="utf-8")]
    assert wrong == []


@pytest.mark.parametrize("room", ["radiographs", "evaluation", "dashboard"])
def test_only_films_of_published_collections_are_decoded_in_the_program(room: str) -> None:
    published = {"paediatric.py", "chestx_det.py", "adult_dicom.py", "nih_boxes.py", "nih_release.py"}
    here = {
        p.name for p in sources(room) if re.search(r"\bread_(radiograph|mask_image)\(", p.read_text(encoding="utf-8"))
    }
    assert here <= published | {"reading.py", "mask_images.py", "decoder.py"}
