"""Methods, metrics, collections and models from outside the project.

An installed package names its modules as entry points of the groups ``xai_lightbox.methods``, ``.metrics``,
``.collections`` and ``.models``; a person's own Python files lie in one folder. Each registers what it holds when it is
imported. What cannot be imported is left out, and :func:`problems` says why.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Literal

from radiographs.files import read_json
from radiographs.places import home_folder

FOLDER_VARIABLE = "XAI_LIGHTBOX_EXTENSIONS"
"""Environment variable: the folder whose ``*.py`` are imported; else the field ``extensions`` of ``settings.json``."""
Kind = Literal["methods", "metrics", "collections", "models"]
_LONGEST = 200
_log = logging.getLogger(__name__)
# Reentrant, for an extension may look into a registry while it is imported.
_lock = threading.RLock()
_begun: set[str] = set()
_editions: list[str] = []
_problems: list[str] = []


def load(kind: Kind) -> None:
    """Import, once, the entry points of ``xai_lightbox.<kind>`` and all files of the folder."""
    with _lock:
        if kind not in _begun:
            _begun.add(kind)
            for point in entry_points(group=f"xai_lightbox.{kind}"):
                _try(f"{point.name} ({point.value})", point.load)
        if "folder" not in _begun:
            _begun.add("folder")
            for path in _folder_files():
                _try(path.name, partial(_imported, path), path)


def problems() -> list[str]:
    """A sentence for each extension that was left out so far."""
    return list(_problems)


def edition() -> str:
    """What tells the extensions in use, as they were when they were imported, from others: a text, "" for none."""
    return " ".join(_editions)


def _try(name: str, load_one: Callable[[], object], path: Path | None = None) -> None:
    try:
        loaded = load_one()
    except (Exception, SystemExit) as error:  # whatever another's code raises costs that code only
        _leave_out(f"the extension {name} is left out{_line(error, path)}: {_reason(error)}")
        return
    source = inspect.getsourcefile(loaded) if isinstance(loaded, (ModuleType, type)) else None
    if source:
        _editions.append(hashlib.sha256(Path(source).read_bytes()).hexdigest())


def _leave_out(sentence: str) -> None:
    _problems.append(sentence)
    _log.warning(sentence)


def _reason(error: BaseException) -> str:
    words = " ".join(str(error).split())[:_LONGEST]
    return f"{words} ({type(error).__name__})" if words else type(error).__name__


def _line(error: BaseException, path: Path | None) -> str:
    """The last line of the file that ran, in words; "" where none did."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f" (line {lines[-1]})" if lines else ""


def _imported(path: Path) -> ModuleType:
    name = f"lightbox_extension_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _folder_files() -> list[Path]:
    given = os.environ.get(FOLDER_VARIABLE) or _from_settings()
    if not given:
        return []
    folder = Path(given).expanduser()
    if not folder.is_dir():
        _leave_out(f"the folder of extensions is not there; set {FOLDER_VARIABLE} to one that is")
        return []
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


def _from_settings() -> str:
    try:
        given = read_json(home_folder() / "settings.json")["extensions"]
    except (OSError, ValueError, LookupError, TypeError):
        return ""
    return given if isinstance(given, str) else ""
