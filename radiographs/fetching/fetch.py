"""The films that the program can download: the boxed NIH films, all of them or sixteen for the dashboard."""

from __future__ import annotations

import csv
from pathlib import Path

from radiographs.fetching.chest_det_files import chest_det_downloads, chest_det_readings
from radiographs.fetching.downloads import (
    Cancelled,
    Download,
    DownloadProgress,
    FetchCancelled,
    FetchError,
    download_all,
)
from radiographs.nearness import near
from radiographs.places import asset, home_folder

__all__ = [
    "FILM_SETS",
    "NIH_DEMO",
    "NIH_DEMO_FILMS",
    "Download",
    "FetchCancelled",
    "FetchError",
    "download_all",
    "fetch",
    "nih_downloads",
    "outlined_by_chest_det",
]

FILM_SETS = ("nih-boxes", "nih-demo", "chestx-det")
NIH_BOXES_URL = "https://raw.githubusercontent.com/adleberg/medical-ai/56de7f5f706e73159507a01d869f7e6f81b49afc/images"

# Adults of patients never trained on, one box each, near the 75th percentile of the finding in area; chosen by eye.
NIH_DEMO: dict[str, tuple[str, str]] = {
    "Atelectasis": ("00016191_017", "00030635_001"),
    "Cardiomegaly": ("00004342_020", "00004822_051"),
    "Effusion": ("00003072_028", "00013337_000"),
    "Infiltration": ("00013106_000", "00017544_003"),
    "Mass": ("00012892_010", "00022192_003"),
    "Nodule": ("00020274_021", "00020393_001"),
    "Pneumonia": ("00002980_000", "00023138_009"),
    "Pneumothorax": ("00021782_028", "00026392_005"),
}
NIH_DEMO_FILMS: tuple[str, ...] = tuple(film for pair in NIH_DEMO.values() for film in pair)


def fetch(
    name: str,
    *,
    base_url: str | None = None,
    progress: DownloadProgress | None = None,
    cancelled: Cancelled | None = None,
    manifest: Path | None = None,
) -> Path:
    """Download a set of films into ``home_folder()``; files that are there and whole are left alone.

    Args:
        name: "nih-boxes" (880 films), "nih-demo" (16 films, two a finding), or "chestx-det" (the published outlines
            and the 62 of those 880 films that they are drawn on).
        base_url: where the films are served, without the file name; None for the public repository.
        progress: called with (files done, files in all, bytes done, bytes in all).
        cancelled: called often; once it says True, the download stops and what was got is kept.
        manifest: the table of names, sizes and checksums; None for the one that the project ships.

    Returns:
        The folder with the films.

    Raises:
        FetchError: there is no such set, or a file could not be had.
    """
    if name not in FILM_SETS:
        raise FetchError(f"there is nothing to fetch under the name {name!r}; {near(name, FILM_SETS)}")
    folder = home_folder() / "nih-boxes" / "images"
    downloads = nih_downloads(folder, base_url=base_url or NIH_BOXES_URL, manifest=manifest)
    if name == "nih-demo":
        downloads = [d for d in downloads if d.path.stem in NIH_DEMO_FILMS]
    elif name == "chestx-det":
        tables = chest_det_downloads(base_url)
        download_all(tables, cancelled=cancelled)
        downloads = tables + outlined_by_chest_det(downloads)
    download_all(downloads, progress=progress, cancelled=cancelled)
    return folder


def outlined_by_chest_det(downloads: list[Download]) -> list[Download]:
    """Those of NIH's films that ChestX-Det outlines; none where its tables are not on this machine."""
    readings = chest_det_readings()
    return [download for download in downloads if download.path.stem in readings]


def nih_downloads(folder: Path, *, base_url: str = NIH_BOXES_URL, manifest: Path | None = None) -> list[Download]:
    """The 880 boxed NIH films, as the manifest (image, bytes, sha256) lists them, to be put into ``folder``."""
    with (manifest or asset("nih_boxes_manifest.csv")).open(encoding="utf-8", newline="") as file:
        return [
            Download(f"{base_url.rstrip('/')}/{row['image']}", folder / row["image"], row["sha256"], int(row["bytes"]))
            for row in csv.DictReader(file)
        ]
