"""Where things lie on disk: what the project ships, what the user points at, what was fetched."""

from __future__ import annotations

import os
from pathlib import Path

DATA_VARIABLE = "XAI_LIGHTBOX_DATA"
HOME_VARIABLE = "XAI_LIGHTBOX_HOME"


def asset(*parts: str) -> Path:
    """Path of a file that the project ships."""
    return Path(__file__).resolve().parent.parent.joinpath("assets", *parts)


def import_root() -> Path:
    """The folder from which Python imports the program's packages: the clone, or where the wheel is installed."""
    depth = (__package__ or "").count(".") + 1
    return Path(__file__).resolve().parents[depth]


def data_folder() -> Path | None:
    """The folder of films that ``XAI_LIGHTBOX_DATA`` points at, or None where it is not set or not there."""
    given = os.environ.get(DATA_VARIABLE)
    if not given:
        return None
    folder = Path(given).expanduser().resolve()
    return folder if folder.is_dir() else None


def home_folder() -> Path:
    """Where fetched films and weights are kept: ``XAI_LIGHTBOX_HOME``, else ``~/.cache/xai-lightbox``."""
    given = os.environ.get(HOME_VARIABLE)
    return Path(given).expanduser() if given else Path.home() / ".cache" / "xai-lightbox"
