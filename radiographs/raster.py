"""PNG and JPEG films."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image

from radiographs.errors import FilmError
from radiographs.radiograph import Radiograph

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
MAX_SIDE = 8192
MIN_SIDE = 32
_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float64)
_DEPTHS = (8, 10, 12, 14, 16)
_NOT_A_SIZE = {0xC4, 0xC8, 0xCC}
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True)
class JpegHeader:
    """What a JPEG or JPEG-LS stream says of its frame: size in pixels, bits a sample, coding process (SOF number)."""

    height: int
    width: int
    precision: int
    process: int


def check_side_lengths(height: int, width: int) -> None:
    """Refuse a film whose announced size is out of bounds, before anything is decoded.

    Raises:
        FilmError: a side is longer than 8192 pixels or shorter than 32.
    """
    if max(height, width) > MAX_SIDE:
        raise FilmError(f"the film is {width} x {height} pixels; at most {MAX_SIDE} a side can be read")
    if min(height, width) < MIN_SIDE:
        raise FilmError(f"the film is {width} x {height} pixels; at least {MIN_SIDE} a side are needed")


def check_contrast(values: np.ndarray) -> None:
    """Refuse a film of one single grey.

    Raises:
        FilmError: all pixels are alike.
    """
    if values.min() == values.max():
        raise FilmError("the film is one even grey: there is nothing to see on it")


def depth_of(largest: int) -> int:
    """Bits of the film inside a 16-bit file: the smallest of 8, 10, 12, 14 and 16 that holds ``largest``."""
    return next(bits for bits in _DEPTHS if largest < 2**bits)


def luminance(colour: np.ndarray) -> np.ndarray:
    """Turn (H, W, 3) RGB into (H, W) float64 luminance (ITU-R BT.601); grey stays exactly as it is."""
    if (colour[..., 0] == colour[..., 1]).all() and (colour[..., 0] == colour[..., 2]).all():
        return colour[..., 0].astype(np.float64)
    return colour.astype(np.float64) @ _LUMINANCE


def png_size(data: bytes) -> tuple[int, int]:
    """(height, width) that a PNG announces.

    Raises:
        FilmError: the header is cut off or broken.
    """
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise FilmError("the PNG is cut off or damaged at its beginning")
    width, height = struct.unpack(">II", data[16:24])
    return height, width


def jpeg_header(data: bytes) -> JpegHeader:
    """The first frame header of a JPEG or JPEG-LS stream.

    Raises:
        FilmError: there is none.
    """
    at = 2
    while at + 9 < len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker == 0xFF:
            at += 1
        elif (0xC0 <= marker <= 0xCF and marker not in _NOT_A_SIZE) or marker == 0xF7:
            precision, height, width = struct.unpack(">BHH", data[at + 4 : at + 9])
            return JpegHeader(height, width, precision, marker - 0xC0)
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise FilmError("the JPEG is cut off or damaged at its beginning")


def read_raster(data: bytes) -> Radiograph:
    """Read a PNG or JPEG film.

    Colour and palettes are turned to luminance (ITU-R BT.601), transparency is laid over black, the EXIF
    orientation is applied. Pixels are divided by 255 for 8-bit files. A 16-bit file keeps its depth: it is divided
    by 2^b - 1, where b is the smallest of 8, 10, 12, 14 and 16 bits that holds the brightest pixel, because 10 to
    14-bit films are commonly stored in 16-bit files. Pixel spacing is not read: a PNG's is that of a printer.

    Args:
        data: the whole file.

    Raises:
        FilmError: the file is damaged, animated, too large, too small or shows one even grey.
    """
    is_png = data.startswith(PNG_MAGIC)
    header = None if is_png else jpeg_header(data)
    height, width = png_size(data) if header is None else (header.height, header.width)
    check_side_lengths(height, width)
    name = "PNG" if is_png else "JPEG"
    try:
        if header is not None and (header.precision > 8 or header.process == 3):
            pixels, deep = _decode_deep_jpeg(data), True
        else:
            pixels, deep = _decode(data, name, (height, width))
    except FilmError:
        raise
    except Exception as error:
        raise FilmError(f"the {name} is cut off or damaged and cannot be decoded") from error
    check_contrast(pixels)
    bits = depth_of(round(float(pixels.max()))) if deep else 8
    return Radiograph(np.clip(pixels / (2**bits - 1), 0.0, 1.0), bits=bits)


def _decode(data: bytes, name: str, size: tuple[int, int]) -> tuple[np.ndarray, bool]:
    """Decode with Pillow: (H, W) float64 in stored units, upright, and whether the file has 16 bits a sample."""
    with Image.open(io.BytesIO(data), formats=[name]) as image:
        if image.size != size[::-1]:
            raise FilmError(f"the {name} is damaged: it announces two different sizes")
        if name == "PNG" and getattr(image, "is_animated", False):
            raise FilmError("the PNG is animated; give a single film")
        image.load()
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
        deep = name == "PNG" and data[24] == 16
        if deep and image.mode not in ("I;16", "I"):
            stored = _decode_deep_colour_png(data)
        else:
            stored = _samples(image)
    return _upright(_flatten(stored, 65535 if deep else 255), orientation), deep


def _samples(image: Image.Image) -> np.ndarray:
    """Samples of a decoded image: (H, W), (H, W, 2) grey and alpha, (H, W, 3) or (H, W, 4)."""
    if image.mode == "P" or "transparency" in image.info:
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode not in ("L", "LA", "RGB", "RGBA", "I;16", "I"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return np.asarray(image)


def _flatten(stored: np.ndarray, top: int) -> np.ndarray:
    """One grey channel from one to four; a transparent pixel becomes black."""
    if stored.ndim == 2:
        return stored.astype(np.float64)
    channels = stored.shape[2]
    grey = luminance(stored[..., :3]) if channels >= 3 else stored[..., 0].astype(np.float64)
    return grey if channels == 3 else grey * (stored[..., -1] / top)


def _decode_deep_colour_png(data: bytes) -> np.ndarray:
    """16-bit colour or grey-with-alpha PNG at full depth; Pillow would keep the upper byte only."""
    import cv2

    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16:
        raise FilmError("the PNG is damaged and cannot be decoded")
    if stored.ndim == 3:
        order = [2, 1, 0, 3][: stored.shape[2]]
        stored = stored[..., order]
    return stored


def _decode_deep_jpeg(data: bytes) -> np.ndarray:
    """12 and 16-bit or lossless JPEG, which Pillow cannot decode."""
    from libjpeg import decode

    return _flatten(np.asarray(decode(data)), 65535)


def _upright(pixels: np.ndarray, orientation: object) -> np.ndarray:
    """Apply the EXIF orientation (1 to 8; anything else leaves the film as it is)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
