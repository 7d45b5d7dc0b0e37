"""Where the rooms of the house lie: below ``xai_lightbox`` in a wheel, beside it in a clone.

In a clone ``import xai_lightbox.evaluation.scores`` gives the module ``evaluation.scores`` itself, never a second copy
of it: registries and classes are the same under both names.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

ROOMS = ("radiographs", "classifiers", "xai_methods", "evaluation", "dashboard", "assets", "benchmarks")
"""Top-level packages of a clone, the lowest first; setup.py puts them below ``xai_lightbox`` in a wheel."""
DOOR = __name__.partition(".")[0]
_HERE = Path(__file__).resolve().parent
_checked: set[str] = set()


class HiddenRoomError(ImportError):
    """Another package stands under the name of one of ours. The message says which, where, and what to do."""


class RoomFinder(MetaPathFinder, Loader):
    """Finds ``xai_lightbox.evaluation`` and what is below it as the clone's ``evaluation``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module below the door; None for every other.

        Raises:
            HiddenRoomError: somebody else's package has the room's name.
        """
        door, _, inner = fullname.partition(".")
        room = inner.partition(".")[0]
        if door != DOOR or room not in ROOMS:
            return None
        for one in ROOMS[: ROOMS.index(room) + 1]:  # a room imports from those before it
            check_room(one)
        known = sys.modules.get(inner)
        found = known.__spec__ if known is not None else find_spec(inner)
        if found is None:
            return None
        return ModuleSpec(fullname, self, origin=found.origin, is_package=found.submodule_search_locations is not None)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The clone's own module, imported by its own name."""
        module = importlib.import_module(spec.name.partition(".")[2])
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """The module ran when it was imported; the import system has only overwritten whose it is."""
        given = module.__spec__
        if given is not None and given.loader is self:
            module.__spec__ = given.loader_state


def check_room(room: str) -> None:
    """Make sure that a room's name leads to the clone's own package.

    Raises:
        HiddenRoomError: it leads elsewhere.
    """
    if room in _checked:
        return
    there = sys.modules.get(room)
    spec = there.__spec__ if there is not None else PathFinder.find_spec(room) or find_spec(room)
    ours = _HERE.parent / room
    places = [] if spec is None else [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.origin else [])]
    if not any(Path(place).resolve() in (ours, ours / "__init__.py") for place in places):
        where = f"another one, {spec.origin or places[0]}, comes first" if spec and places else "it is not on the path"
        raise HiddenRoomError(
            f"XAI Lightbox in {_HERE.parent} has a package {room}, but {where}. Install it instead "
            f"(pip install {_HERE.parent}): its packages then lie below xai_lightbox and meet no others"
        )
    _checked.add(room)


def open_rooms() -> None:
    """Let the rooms of a clone be found below the door; a wheel has them there."""
    if not (_HERE / ROOMS[0]).is_dir() and not any(isinstance(one, RoomFinder) for one in sys.meta_path):
        sys.meta_path.insert(0, RoomFinder())
