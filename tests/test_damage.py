"""When a library notices a damaged file, and by which error, differs by version; readers say it in words anyhow."""

from __future__ import annotations

import base64
import contextlib
import gzip
import os
import pkgutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

from classifiers.safe_unpickling import read_network_tensors
from classifiers.weights import WeightsError, read_state_dict
from dashboard.viewer.pictures import region_mask
from evaluation.one_film.map_files import MapError, read_map_file
from radiographs.annotation_readers.rows import read_text
from radiographs.errors import AnnotationError, FilmError
from radiographs.film_readers.mask_images import read_mask_image
from radiographs.reading import read_radiograph
from tests.damage_seeds import READERS as SEEDS
from tests.damage_seeds import NothingError, damaged
from tests.radiographs.film_readers.test_dicom import film, save

WAVE = np.sin(np.arange(64 * 64)).reshape(64, 64)


class _NewError(Exception):
    """Of a type that no version of a library has had yet."""


def png(folder: Path) -> Path:
    Image.fromarray(((WAVE > 0) * 255).astype(np.uint8)).save(folder / "film.png")
    return folder / "film.png"


def tiff(folder: Path) -> Path:
    Image.fromarray(((WAVE > 0) * 255).astype(np.uint8)).save(folder / "film.tiff")
    return folder / "film.tiff"


def npz(folder: Path) -> Path:
    np.savez_compressed(folder / "map.npz", values=WAVE)
    return folder / "map.npz"


def packed(folder: Path) -> Path:
    with gzip.open(folder / "boxes.csv.gz", "wt") as file:
        file.write(str(WAVE))
    return folder / "boxes.csv.gz"


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "boxes.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("boxes.csv", str(WAVE))
    return folder / "boxes.zip"


def tensors(folder: Path) -> Path:
    save_file({"weight": torch.ones(3)}, folder / "network.safetensors")
    return folder / "network.safetensors"


def torch_file(folder: Path) -> Path:
    torch.save({"weight": torch.arange(3000.0)}, folder / "network.pt")
    return folder / "network.pt"


def dicom(folder: Path) -> Path:
    (folder / "film.dcm").write_bytes(save(film()))
    return folder / "film.dcm"


def region(path: Path) -> np.ndarray:
    return region_mask("data:image/png;base64," + base64.b64encode(path.read_bytes()).decode(), (64, 64))


def read_map(path: Path) -> np.ndarray:
    return read_map_file(path, WAVE.shape)


PILLOW = ["PIL.Image.open", "PIL.ImageFile.ImageFile.load"]
READERS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], object], type[Exception], list[str]]] = {
    "film": (png, read_radiograph, FilmError, PILLOW),
    "DICOM": (dicom, read_radiograph, FilmError, ["pydicom.dcmread", "pydicom.pixels.pixel_array"]),
    "outline": (png, read_mask_image, AnnotationError, PILLOW),
    "outline, TIFF": (tiff, read_mask_image, AnnotationError, ["PIL.TiffImagePlugin.TiffImageFile.n_frames"]),
    "region": (png, region, ValueError, PILLOW),
    "map, PNG": (
        png,
        read_map,
        MapError,
        PILLOW,
    ),
    "map, npz": (
        npz,
        read_map,
        MapError,
        ["numpy.load", "numpy.lib.npyio.NpzFile.__getitem__"],
    ),
    "gzipped table": (packed, read_text, AnnotationError, ["gzip.open", "gzip.GzipFile.read"]),
    "zipped table": (zipped, read_text, AnnotationError, ["zipfile.ZipFile.__init__", "zipfile.ZipExtFile.read"]),
    "safetensors": (tensors, read_state_dict, WeightsError, ["classifiers.weights.load_file"]),
    "state dict": (torch_file, read_state_dict, WeightsError, ["zipfile.ZipFile.__init__", "torch.load"]),
    "network": (torch_file, read_network_tensors, WeightsError, ["zipfile.ZipFile.__init__", "zipfile.ZipFile.read"]),
}


@pytest.mark.parametrize(("name", "moment"), [(name, moment) for name, kind in READERS.items() for moment in kind[3]])
def test_damage_is_said_whenever_it_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, moment: str
) -> None:
    make, read, expected, _ = READERS[name]
    path = make(tmp_path)
    read(path)

    def notice(*_: object, **__: object) -> None:
        raise _NewError

    is_property = isinstance(pkgutil.resolve_name(moment), property)
    monkeypatch.setattr(moment, property(notice) if is_property else notice)
    with pytest.raises(expected):
        read(path)


UNSEEN = ("safetensors", "state dict", "DICOM", "outline, TIFF")
"""Kinds of files in which other numbers in the middle are no damage that can be seen."""


@pytest.mark.parametrize("name", [name for name in READERS if name not in UNSEEN])
def test_damage_inside_a_file_is_said(tmp_path: Path, name: str) -> None:
    make, read, expected, _ = READERS[name]
    path = make(tmp_path)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[: middle - 20] + bytes(40) + whole[middle + 20 :])
    with pytest.raises(expected):
        read(path)


NUMBERS = st.integers(0, 2**16 - 1)
EDITS = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=4)
TIMES = int(os.environ.get("XAI_LIGHTBOX_MUTATIONS", "25"))
"""Mutations of each file; ``make test-damage`` asks for thousands."""


@pytest.mark.timeout(300 + TIMES)
@pytest.mark.filterwarnings("ignore")  # libraries warn of much in damaged files; what counts is how reading ends
@pytest.mark.parametrize("name", SEEDS)
def test_a_mutated_file_is_read_or_refused_in_words(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file_name, make, read, expected = SEEDS[name]
    path, whole = tmp_path / file_name, make()
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    path.write_bytes(whole)
    with contextlib.suppress(WeightsError if name == "models" else NothingError):
        read(path)

    @settings(max_examples=TIMES, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
    @given(EDITS)
    def check(edits: list[tuple[int, int, int, int]]) -> None:
        path.write_bytes(damaged(whole, edits))
        with contextlib.suppress(expected):
            read(path)

    check()
