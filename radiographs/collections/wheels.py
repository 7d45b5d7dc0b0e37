"""Data files that installed packages carry, found without importing the packages."""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata
from pathlib import Path


def wheel_path(distribution: str, path: str) -> Path | None:
    """A file or folder of an installed distribution, or None where it is not there.

    Args:
        distribution: name of the distribution, as it is installed.
        path: where it lies below the folder of installed packages.
    """
    try:
        found = _root(distribution) / path
    except metadata.PackageNotFoundError:
        return None
    return found if found.exists() else None


@lru_cache(maxsize=32)
def _root(distribution: str) -> Path:
    return Path(str(metadata.distribution(distribution).locate_file("")))
