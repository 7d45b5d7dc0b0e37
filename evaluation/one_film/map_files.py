"""Maps and masks from files: .npz, .npy and PNG. Nothing is unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from radiographs import Radiograph
from radiographs.annotation import union_mask
from radiographs.annotation_readers import Outline, is_table, read_table
from radiographs.annotation_readers.geometry import Painted
from radiographs.arrays import ArraySizeError, check_size
from radiographs.decoding.pool import read_mask_file
from radiographs.errors import AnnotationError
from radiographs.film_readers.mask_images import MASK_SUFFIXES
from radiographs.findings import canonical

MAP_SUFFIXES = (".npz", ".npy", ".png")
MAP_FILES = ".npz, .npy nor .png"
MASK_FILES = ".npz, .npy, nor a PNG, JPEG, BMP or TIFF image"
LARGEST_SIDE = 8192
"""Pixels a side at most."""


PNG_NOTE = "lightbox-map"
"""Name of the text in a PNG of ours that says what the map is of, and how grey levels become raw units."""


class MapError(ValueError):
    """A map or mask file cannot be used. The message names the file and what was wrong."""


def read_mask(path: Path) -> np.ndarray:
    """Read what an expert outlined: (H, W) bool; whatever is not 0 is inside.

    Args:
        path: an image (see ``film_readers.mask_images``), a .npy array, or a .npz with the array ``mask`` or one
            array.

    Raises:
        MapError: the file cannot be read, or does not hold one two-dimensional array of finite numbers.
    """
    if path.suffix.lower() not in MASK_SUFFIXES:
        return _plane(_one_array(_arrays(path, MASK_FILES), ("mask",), path), path) != 0
    if not path.is_file():
        raise MapError(f"there is no file {path.name} at the place given; check the path")
    try:
        return read_mask_file(path)
    except AnnotationError as error:
        raise MapError(str(error)) from error


def read_outline(path: Path, finding: str, film: Radiograph, film_name: str) -> np.ndarray:
    """Read what an expert outlined for one finding on a film: (H, W) bool in the film's own pixels.

    Args:
        path: a mask (see :func:`read_mask`), or a table of outlines of any published format.
        finding: whose outlines are taken from a table. film: the film. film_name: by which a table knows it.

    Raises:
        MapError, AnnotationError: the file cannot be read, was drawn on an image of other proportions, or has no
            outline of the finding on this film.
    """
    if not is_table(path):
        outline = Outline(finding, "expert", Painted(read_mask(path)), where=f"the mask {path.name}")
        return outline.place(film.shape, film.stored)
    drawn, problems = read_table(path).read_film(film_name, film.shape, film.stored)
    mask = union_mask([replace(each, finding=canonical(each.finding)) for each in drawn], canonical(finding))
    if mask is None:
        raise MapError("; ".join([f"{path.name} has no outline of {finding} on this film", *problems]))
    return mask


def read_map_file(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """Read a map to be scored against a mask of ``shape`` (H, W): (H, W) float32 or float64, raw units.

    Args:
        path: a .npz as ``lightbox explain`` writes it (``on_film`` is preferred, then ``values``) or with one array, a
            .npy array, or an 8 or 16-bit grey PNG.
        shape: of the mask.

    Raises:
        MapError: the file cannot be read, does not hold one two-dimensional array of finite real numbers, or has
            another shape than the mask.
    """
    plane = read_raw_map(path, [shape]).values
    if plane.shape != shape:
        raise MapError(
            f"the map in {path.name} has shape {size_words(plane.shape)} but the mask has shape {size_words(shape)} "
            "(rows x columns); resize the map to the film's own pixels, as lightbox explain does in on_film"
        )
    return plane


@dataclass(frozen=True, eq=False)
class RawMap:
    """A map as a file holds it: (H, W) float32 or float64 in raw units, and what the file says of it.

    ``facts`` is empty where other code wrote the file.
    """

    values: np.ndarray
    facts: Mapping[str, Any] = field(default_factory=dict)


def read_raw_map(path: Path, shapes: Sequence[tuple[int, ...]] = ()) -> RawMap:
    """Read a map of any size; of several in a file, the one whose shape comes first in ``shapes``.

    Args:
        path: see :func:`read_map_file`.

    Raises:
        MapError: the file cannot be read, or does not hold one two-dimensional array of finite real numbers.
    """
    arrays = _arrays(path)
    facts = _facts(arrays.pop("meta", None))
    fitting = [n for s in shapes for n in ("on_film", "values") if n in arrays and _squeezed(arrays[n]).shape == s]
    # A run stores maps as 16-bit floats beside the scale that brings their raw units back.
    scale = arrays.pop("scale", None)
    arrays.pop("regions", None)
    chosen = _one_array(arrays, (*fitting, "on_film", "values"), path)
    if scale is not None and scale.ndim == 0:
        chosen = chosen.astype(np.float32) * scale
    _refuse_colours(chosen, path)
    plane = _plane(chosen, path)
    if path.suffix.lower() == ".png" and "scale" in facts:
        plane = ((plane - facts["zero"]) * facts["scale"]).astype(np.float32)
    return RawMap(plane, facts)


def _facts(meta: np.ndarray | None) -> dict[str, Any]:
    """What a file of ours says of its map; empty where it says nothing that can be read."""
    try:
        found = {} if meta is None else json.loads(str(meta[()]))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def size_words(shape: tuple[int, ...]) -> str:
    """A shape for people: "512 x 400"."""
    return " x ".join(str(side) for side in shape)


def _arrays(path: Path, kinds: str = MAP_FILES) -> dict[str, np.ndarray]:
    suffix = path.suffix.lower()
    if suffix not in MAP_SUFFIXES:
        raise MapError(f"{path.name} is neither {kinds}; save it as one of these")
    if not path.is_file():
        raise MapError(f"there is no file {path.name} at the place given; check the path")
    try:
        if suffix == ".png":
            return _read_png(path)
        check_size(path)
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"array": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except MapError:
        raise
    except Exception as error:  # what zipfile, zlib and Pillow raise for damage has no common base
        reason = str(error) if isinstance(error, ArraySizeError) else "it is damaged or of another format"
        if "allow_pickle" in str(error):
            reason = "it holds Python objects"
        raise MapError(f"{path.name} cannot be read: {reason}; save a plain array of numbers") from error


def _read_png(path: Path) -> dict[str, np.ndarray]:
    with Image.open(path, formats=["PNG"]) as image:
        if max(image.size) > LARGEST_SIDE:
            raise MapError(f"{path.name} is larger than {LARGEST_SIDE} pixels a side")
        if image.mode in ("1", "L", "I;16", "I;16B", "I"):
            pixels = np.asarray(image)
        else:
            colours = np.asarray(image.convert("RGB"))
            pixels = colours[..., 0] if (colours == colours[..., :1]).all() else colours
        said = image.text.get(PNG_NOTE) if isinstance(image, PngImageFile) else None
    return {"image": pixels} if said is None else {"image": pixels, "meta": np.array(str(said))}


def _refuse_colours(array: np.ndarray, path: Path) -> None:
    if path.suffix.lower() == ".png" and array.ndim == 3:
        raise MapError(f"{path.name} is a colour picture; give the numbers themselves, as .npy or as a grey PNG")


def _one_array(arrays: Mapping[str, np.ndarray], preferred: tuple[str, ...], path: Path) -> np.ndarray:
    for name in preferred:
        if name in arrays:
            return arrays[name]
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    held = ", ".join(arrays) or "none"
    raise MapError(f"{path.name} holds several arrays or none ({held}); name the one to use {preferred[0]}")


def _squeezed(array: np.ndarray) -> np.ndarray:
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    return array


def _plane(array: np.ndarray, path: Path) -> np.ndarray:
    plane = _squeezed(array)
    if plane.ndim != 2 or plane.size == 0:
        raise MapError(f"{path.name} has shape {array.shape}; a map or mask has two dimensions, rows and columns")
    if max(plane.shape) > LARGEST_SIDE:
        raise MapError(f"{path.name} is larger than {LARGEST_SIDE} pixels a side")
    if not (plane.dtype == bool or np.issubdtype(plane.dtype, np.integer) or np.issubdtype(plane.dtype, np.floating)):
        raise MapError(f"{path.name} holds {plane.dtype} instead of real numbers")
    if not np.isfinite(plane).all():
        raise MapError(
            f"{path.name} holds values that are not finite (NaN or infinity); a score of them would mean nothing"
        )
    return plane if plane.dtype in (np.float32, np.float64) else plane.astype(np.float64)
