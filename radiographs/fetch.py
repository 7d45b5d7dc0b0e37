"""The films that the program can download: the boxed NIH films, all of them or sixteen for the dashboard."""

from __future__ import annotations

import csv
from pathlib import Path

from radiographs.downloads import Cancelled, Download, FetchCancelled, FetchError, Progress, download_all
from radiographs.places import asset, home_folder

__all__ = ["NIH_DEMO_FILMS", "Download", "FetchCancelled", "FetchError", "download_all", "fetch", "nih_downloads"]

NIH_BOXES_URL = "https://raw.githubusercontent.com/adleberg/medical-ai/56de7f5f706e73159507a01d869f7e6f81b49afc/images"

NIH_DEMO_FILMS: tuple[str, ...] = ()


def fetch(
    name: str,
    *,
    base_url: str | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    manifest: Path | None = None,
) -> Path:
    """Download a set of films into ``home_folder()``; files that are there and whole are left alone.

    Args:
        name: "nih-boxes" (880 films) or "nih-demo" (16 films, two a finding).
        base_url: where the films are served, without the file name; None for the public repository.
        progress: called with (files done, files in all, bytes done, bytes in all).
        cancelled: asked often; once it says True, the download stops and what was got is kept.
        manifest: the table of names, sizes and checksums; None for the one that the project ships.

    Returns:
        The folder with the films.

    Raises:
        FetchError: there is no such set, or a file could not be had.
    """
    folder = home_folder() / "nih-boxes" / "images"
    downloads = nih_downloads(folder, base_url=base_url or NIH_BOXES_URL, manifest=manifest)
    if name == "nih-demo":
        downloads = [d for d in downloads if d.path.stem in NIH_DEMO_FILMS]
    elif name != "nih-boxes":
        raise FetchError(f"there is nothing to fetch under the name {name!r}; there are: nih-boxes, nih-demo")
    download_all(downloads, progress=progress, cancelled=cancelled)
    return folder


def nih_downloads(folder: Path, *, base_url: str = NIH_BOXES_URL, manifest: Path | None = None) -> list[Download]:
    """The 880 boxed NIH films, as the manifest (image, bytes, sha256) lists them, to be put into ``folder``."""
    with (manifest or asset("nih_boxes_manifest.csv")).open(encoding="utf-8", newline="") as file:
        return [
            Download(f"{base_url.rstrip('/')}/{row['image']}", folder / row["image"], row["sha256"], int(row["bytes"]))
            for row in csv.DictReader(file)
        ]
