"""Where commands write: looked at before any work begins."""

from __future__ import annotations

from pathlib import Path


def check_file(path: Path, *endings: str, option: str = "--out") -> None:
    """Make sure that a file can be meant by ``path``, and that its name says what it will hold.

    Args:
        path: the file to write. endings: those that its name may have, such as ".html". option: what named it.

    Raises:
        ValueError: it ends otherwise, or there is no folder for it.
    """
    if endings and path.suffix.lower() not in endings:
        allowed = " or ".join([", ".join(endings[:-1]), endings[-1]] if len(endings) > 1 else endings)
        raise ValueError(f"{option}: {path.name or path} should end in {allowed}")
    check_folder(path, option)


def check_folder(path: Path, option: str = "--out") -> None:
    """Make sure that there is a folder for what ``option`` names.

    Raises:
        ValueError: there is none.
    """
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{option}: there is no folder for {path.name}; make it first")
