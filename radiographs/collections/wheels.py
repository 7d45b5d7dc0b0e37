"""Data files that installed packages carry, found without importing the packages."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def wheel_files(distribution: str, below: str) -> tuple[Path, ...]:
    """Files of an installed distribution whose recorded path starts with ``below``, in the order of their paths.

    Empty where the distribution is not installed or carries no such file.
    """
    try:
        recorded = metadata.distribution(distribution).files or []
    except metadata.PackageNotFoundError:
        return ()
    found = sorted((f for f in recorded if f.as_posix().startswith(below)), key=lambda f: f.as_posix())
    return tuple(Path(str(f.locate())) for f in found)


def wheel_file(distribution: str, path: str) -> Path | None:
    """One data file of an installed distribution, or None where it is not there."""
    for file in wheel_files(distribution, path):
        if file.as_posix().endswith(path) and file.is_file():
            return file
    return None
