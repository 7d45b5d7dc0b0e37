"""Mask images: what an expert painted, in any of the common picture formats."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from radiographs.errors import AnnotationError
from radiographs.film_readers.codestreams import MAX_SIDE
from radiographs.film_readers.orientation import Shape

MASK_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
_HALF = 0.5
MAX_BYTES = 256 * 2**20


def mask_size(path: Path) -> Shape:
    """(H, W) of a mask image, from its header.

    Raises:
        AnnotationError: it is no such image, or too large.
    """
    with _opened(path.name, mask_bytes(path)) as image:
        return image.height, image.width


def read_mask_image(path: Path) -> np.ndarray:
    """Read a mask image: (H, W) bool, True where it is painted.

    The colour decides, never an index of a palette: black is outside, any other colour is inside. What is transparent
    is outside. In a JPEG, whose greys spread, what is at least half as bright as the brightest pixel is inside.

    Args:
        path: a PNG, JPEG, BMP or TIFF, judged by its content.

    Raises:
        AnnotationError: it is no such image, holds several pictures, is damaged or too large.
    """
    return mask_in(mask_bytes(path), path.name)


def mask_in(data: bytes, name: str) -> np.ndarray:
    """As :func:`read_mask_image`, from a file's content; ``name`` is for messages."""
    with _opened(name, data) as image:
        try:
            image.load()
            lossy = image.format == "JPEG"
            return _painted(image, lossy)
        except Exception as error:
            raise AnnotationError(f"the mask {name} is damaged and cannot be decoded") from error


def mask_bytes(path: Path) -> bytes:
    """All bytes of a mask's file; one that is too large is refused before it is read.

    Raises:
        AnnotationError: it is too large, or cannot be opened.
    """
    try:
        if path.stat().st_size <= MAX_BYTES:
            return path.read_bytes()
    except (OSError, ValueError) as error:  # no path may hold a NUL or half a character
        raise AnnotationError(f"the mask {path.name} cannot be opened") from error
    raise AnnotationError(f"the mask {path.name} is larger than {MAX_BYTES // 2**20} MB")


def _opened(name: str, data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; their size is checked below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
            pictures = getattr(image, "n_frames", 1)
    except Image.DecompressionBombError as error:
        raise AnnotationError(f"the mask {name} has more than {MAX_SIDE} pixels a side") from error
    except Exception as error:
        raise AnnotationError(
            f"the mask {name} is {_kind(data)}, or damaged; masks are PNG, JPEG, BMP or TIFF images"
        ) from error
    if max(image.size) > MAX_SIDE:
        raise AnnotationError(f"the mask {name} has more than {MAX_SIDE} pixels a side")
    if pictures > 1:
        raise AnnotationError(f"the mask {name} holds several pictures; give a single one")
    return image


def _kind(data: bytes) -> str:
    known = ((b"\x1f\x8b", "a gzip archive (NIfTI is not read)"), (b"GIF8", "a GIF"), (b"%PDF", "a PDF"))
    if data[344:348] in (b"n+1\0", b"ni1\0"):
        return "a NIfTI file"
    return next((kind for magic, kind in known if data.startswith(magic)), "of another kind")


def _painted(image: Image.Image, lossy: bool) -> np.ndarray:
    transparent = image.info.get("transparency")
    if image.mode in ("P", "PA") or (transparent is not None and not isinstance(transparent, int)):
        image = image.convert("RGBA")
    elif image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        image = image.convert("RGB")
    samples = np.asarray(image)
    if lossy:
        samples = samples > _HALF * max(1, int(samples.max()))
    inside = samples != 0
    if inside.ndim == 3 and image.mode in ("LA", "RGBA", "La", "RGBa"):
        inside = inside[..., :-1].any(axis=2) & inside[..., -1]
    elif inside.ndim == 3:
        inside = inside.any(axis=2)
    if isinstance(transparent, int) and samples.ndim == 2:
        inside &= samples != transparent
    return np.asarray(inside)
