"""Which version this is, and which of the libraries that its numbers hang on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

NUMERIC = ("torch", "numpy", "scipy", "scikit-image", "scikit-learn")


def version_words() -> str:
    """One line: the program's version, then Python's and the libraries'."""
    try:
        own = version("xai-lightbox")
    except PackageNotFoundError:
        own = "(not installed: run from its folder)"
    libraries = ", ".join(f"{name} {version(name)}" for name in NUMERIC)
    return f"XAI Lightbox {own}, Python {platform.python_version()}, {libraries}"
