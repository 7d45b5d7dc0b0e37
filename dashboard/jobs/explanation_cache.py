"""Explanations cached on disk by content, so that a second look is instant, also after the server was restarted.

A file holds a map and what it came by, never a film's pixels or its name. What other code computed is not found again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import threading
import time
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from radiographs import extensions
from radiographs.places import home_folder
from xai_methods import Explanation, ExplanationFileError
from xai_methods.explanation import EARLY

SIZE_VARIABLE = "XAI_LIGHTBOX_KEEP_MB"
"""Environment variable: megabytes of explanations to cache on disk; 0 for none."""
UPLOADS_VARIABLE = "XAI_LIGHTBOX_KEEP_UPLOADS"
"""Environment variable: 1 caches the explanations of uploaded films too. They stay in memory only by default."""
USUAL_MB = 512
ABANDONED_SECONDS = 3600
"""After this time a half-written file is one that nobody writes any more."""
_CODE = ("xai_methods", "classifiers")
_log = logging.getLogger(__name__)


class ExplanationCache:
    """Explanations by content address in one folder of bounded size; the longest unused go first.

    Args:
        folder: where files lie; made when the first is written. most_bytes: size of all files together.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self._lock = threading.Lock()

    def get(self, wanted: str) -> Explanation | None:
        """The explanation of this address, see :func:`address_of`; None where there is none that can be read."""
        path = self._path(wanted)
        try:
            found = Explanation.load(path)
            os.utime(path)
        except FileNotFoundError:
            return None
        except ExplanationFileError as error:
            _log.warning("a cached explanation is damaged and is computed anew (%s)", type(error.__cause__).__name__)
            _drop(path)
            return None
        if address(found) != wanted:
            _drop(path)
            return None
        return found

    def put(self, explanation: Explanation) -> None:
        """Store an explanation under its own address; where the disk does not take it, nothing is stored."""
        path = self._path(address(explanation))
        try:
            explanation.save(path)
            self._trim()
        except OSError as error:
            _log.warning("an explanation could not be cached on disk: %s", error.strerror)

    def _path(self, place: str) -> Path:
        return self.folder / f"{place}.npz"

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for path in self.folder.glob("*.npz"):
            try:
                seen = path.stat()
            except OSError:
                continue
            found.append((seen.st_mtime, seen.st_size, path))
        return sorted(found)

    def _trim(self) -> None:
        with self._lock:
            for path in self.folder.glob("*.part"):
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    _drop(path)
            files = self._files()
            size = sum(size for _, size, _ in files)
            for _, least, path in files:
                if size <= self.most_bytes:
                    return
                _drop(path)
                size -= least


def _drop(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def explanations() -> ExplanationCache | None:
    """The cache: under the home folder, within ``XAI_LIGHTBOX_KEEP_MB``; None where it says 0."""
    given = os.environ.get(SIZE_VARIABLE, "")
    megabytes = int(given) if given.isascii() and given.isdecimal() else USUAL_MB
    return _opened(home_folder() / "explanations", megabytes * 2**20) if megabytes else None


def uploads_too() -> bool:
    """Whether the explanations of uploaded films may be cached on disk."""
    return os.environ.get(UPLOADS_VARIABLE) == "1"


@lru_cache(maxsize=4)
def _opened(folder: Path, most_bytes: int) -> ExplanationCache:
    return ExplanationCache(folder, most_bytes)


def address_of(film: str, classifier: str, method: str, parameters: dict[str, Any], finding: str, seed: int) -> str:
    """The content address of one explanation: SHA-256 over what it depends on, this program's code included.

    Args:
        film, classifier: digests. method: registered name. parameters: all of the method's. finding, seed: its own.
    """
    content = [film, classifier, method, parameters, finding, seed, _edition()]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def address(made: Explanation) -> str:
    """The content address of an explanation that was made, see :func:`address_of`; an early map has one of its own."""
    place = address_of(made.film, made.classifier, made.method, made.parameters, made.finding, made.seed)
    return f"{place}-{made.diagnostics[EARLY]:.0f}" if made.early else place


def _edition() -> str:
    """What tells the code that maps come from: this program's and that of extensions."""
    return f"{_own_edition()} {extensions.edition()}"


@lru_cache(maxsize=1)
def _own_edition() -> str:
    """SHA-256 over the code and the packages that maps come from."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256(f"{version('torch')} {version('numpy')}".encode())
    for room in _CODE:
        for path in sorted((root / room).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()
