"""Build step: a wheel holds one package, xai_lightbox, with all that is top-level in a clone below it.

The pages and Streamlit's settings travel inside the package dashboard. pyproject.toml says all else.
"""

import re
import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from xai_lightbox.rooms import DOOR, ROOMS  # noqa: E402

_ANY = "|".join(ROOMS)
_FROM = re.compile(rf"^(\s*(?:>>> )?from )({_ANY})(?=[. ])", re.MULTILINE)
_IMPORT = re.compile(rf"^\s*(?:>>> )?import ({_ANY})\b.*$", re.MULTILINE)
_TEXT = re.compile(rf"""(?<=["'])({_ANY})((?:\.\w+)+)(?=["'])""")
_COMMAND = re.compile(rf"(python -m )({_ANY})\b")


class BuildBelowTheDoor(build_py):
    """Puts every package below xai_lightbox, and app.py, pages/ and .streamlit/ into dashboard/served."""

    def run(self) -> None:
        """Build, then move; an editable install serves the clone itself."""
        super().run()
        if self.editable_mode:
            return
        built = Path(self.build_lib)
        served = built / "dashboard" / "served"
        for source in (Path("app.py"), *Path("pages").glob("*.py"), Path(".streamlit", "config.toml")):
            target = served / source
            self.mkpath(str(target.parent))
            self.copy_file(str(source), str(target))
        for room in ROOMS:
            shutil.rmtree(built / DOOR / room, ignore_errors=True)
            (built / room).rename(built / DOOR / room)
        for path in (built / DOOR).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            path.write_text(below_the_door(source, names_too=path.parent.name != DOOR), encoding="utf-8")


class NameTheDoor(egg_info):
    """Writes down that the one top-level package is xai_lightbox."""

    def run(self) -> None:
        """Write the facts of the distribution."""
        super().run()
        Path(self.egg_info, "top_level.txt").write_text(f"{DOOR}\n", encoding="utf-8")


def below_the_door(source: str, names_too: bool = True) -> str:
    """Source in which each of our packages is imported from below the door.

    Args:
        source: of one module. names_too: whether texts that name a module of ours are changed as well.

    Raises:
        ValueError: it imports a package in a form that has no equal below the door.
    """
    bare = _IMPORT.search(source)
    if bare:
        raise ValueError(f"{bare[0].strip()!r}: write it as `from ... import ...`, which can be moved below {DOOR}")
    moved = _COMMAND.sub(rf"\1{DOOR}.\2", _FROM.sub(rf"\1{DOOR}.\2", source))
    return _TEXT.sub(_named, moved) if names_too else moved


def _named(found: re.Match[str]) -> str:
    """A text as it is, unless it names a module or package of ours."""
    place = ROOT.joinpath(*found[0].split("."))
    return f"{DOOR}.{found[0]}" if place.is_dir() or place.with_suffix(".py").is_file() else found[0]


if __name__ == "__main__":
    setup(cmdclass={"build_py": BuildBelowTheDoor, "egg_info": NameTheDoor})
