"""PNG and JPEG films."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from radiographs.errors import FilmError
from radiographs.film_readers.codestreams import check_jpeg, check_side_lengths, decode
from radiographs.film_readers.colour import flatten, is_coloured, is_luma_first
from radiographs.film_readers.depth import depth_notes, depth_of
from radiographs.film_readers.orientation import StoredFrame, Turn
from radiographs.radiograph import Note, Radiograph

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_ORIENTATION_TAG = 0x0112
_EXIF_TURNS = {
    2: Turn(mirrored=True),
    3: Turn(upside_down=True, mirrored=True),
    4: Turn(upside_down=True),
    5: Turn(transposed=True),
    6: Turn(transposed=True, mirrored=True),
    7: Turn(transposed=True, upside_down=True, mirrored=True),
    8: Turn(transposed=True, upside_down=True),
}
_NOT_SQUARE = 0.01


def check_contrast(values: np.ndarray) -> None:
    """Refuse a film of one single grey.

    Raises:
        FilmError: all pixels are alike.
    """
    if values.min() == values.max():
        raise FilmError("the film is one even grey: there is nothing to see on it")


def png_size(data: bytes) -> tuple[int, int]:
    """(height, width) that a PNG announces.

    Raises:
        FilmError: the header is cut off or broken.
    """
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise FilmError("the PNG is cut off or damaged at its beginning")
    width, height = struct.unpack(">II", data[16:24])
    return height, width


def read_raster(data: bytes) -> Radiograph:
    """Read a PNG or JPEG film.

    Colour and palettes are turned to luminance (ITU-R BT.601), transparency is laid over black, the EXIF
    orientation is applied. Pixels are divided by 255 for 8-bit files; a 16-bit file keeps its depth and is scaled over
    the bits that the film makes use of (``depth``). Pixel spacing is not read: a PNG's is that of a
    printer. What was done or is doubted stands in ``notes``.

    Args:
        data: the whole file.

    Raises:
        FilmError: the file is damaged, animated, too large, too small or shows one even grey.
    """
    is_png = data.startswith(PNG_MAGIC)
    name = "PNG" if is_png else "JPEG"
    try:
        if is_png:
            check_side_lengths(*png_size(data))
            pixels, bits, turn, notes = _decode_png(data)
        else:
            header = check_jpeg(data)
            deep = header.precision > 8 or header.process == 3
            pixels, bits, turn, notes = _decode_deep_jpeg(data) if deep else _decode_with_pillow(data, "JPEG")
    except FilmError:
        raise
    except Exception as error:
        raise FilmError(f"the {name} is cut off or damaged and cannot be decoded") from error
    check_contrast(pixels)
    depth = depth_of(pixels, bits)
    notes += depth_notes(depth, bits)
    stored_shape = (pixels.shape[0], pixels.shape[1])
    if turn:
        notes.append(Note("turned", f"The film was {turn.words}, as the file asks (EXIF)."))
        pixels = turn.apply(pixels)
    np.subtract(pixels, depth.low, out=pixels)
    np.divide(pixels, depth.high - depth.low, out=pixels)
    return Radiograph(
        np.clip(pixels, 0.0, 1.0, out=pixels),
        bits=depth.bits,
        notes=tuple(notes),
        stored=StoredFrame(stored_shape, turn, shown_turned=True) if turn else None,
    )


_Picture = tuple[np.ndarray, int, Turn, list[Note]]


def _decode_png(data: bytes) -> _Picture:
    """A PNG as (H, W) float64 in stored units, its bits, its turn, and notes."""
    deep, has_three = data[24] == 16, data[25] in (2, 6)
    if deep and (has_three or data[25] == 4):
        return _decode_deep_png(data)
    return _decode_with_pillow(data, "PNG")


def _decode_with_pillow(data: bytes, name: str) -> _Picture:
    with Image.open(io.BytesIO(data), formats=[name]) as image:
        if name == "PNG" and image.size != png_size(data)[::-1]:
            raise FilmError("the PNG is damaged: it announces two different sizes")
        if name == "PNG" and getattr(image, "is_animated", False):
            raise FilmError("the PNG is animated; give a single film")
        turn = _EXIF_TURNS.get(image.getexif().get(_ORIENTATION_TAG, 1), Turn())
        notes = _aspect_note(image)
        image.load()
        bits = 16 if image.mode.startswith("I") else 8
        samples = _samples(image)
    return _flattened(samples, bits, turn, notes)


def _flattened(samples: np.ndarray, bits: int, turn: Turn, notes: list[Note]) -> _Picture:
    top = (1 << bits) - 1
    if samples.ndim == 3 and samples.shape[2] >= 3 and is_coloured(samples, top):
        notes.append(Note("colour", "The file is in colour; it was turned to grey by luminance."))
    if samples.ndim == 3 and samples.shape[2] in (2, 4) and (samples[..., -1] < top).any():
        notes.append(Note("transparent", "Transparent parts of the picture are shown as black."))
    return flatten(samples, top), bits, turn, notes


def _samples(image: Image.Image) -> np.ndarray:
    """Samples of a decoded image: (H, W), (H, W, 2) grey and alpha, (H, W, 3) or (H, W, 4)."""
    transparent = image.info.get("transparency")
    if image.mode.startswith("I"):
        stored = np.asarray(image)
        if isinstance(transparent, int):
            return np.stack([stored, np.where(stored == transparent, 0, 65535)], axis=-1)
        return stored
    if image.mode == "P" or transparent is not None:
        image = image.convert("RGB" if transparent is None else "RGBA")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return np.asarray(image)


def _aspect_note(image: Image.Image) -> list[Note]:
    across, down = image.info.get("dpi") or image.info.get("jfif_density") or image.info.get("aspect") or (1, 1)
    if across > 0 and down > 0 and abs(across / down - 1) > _NOT_SQUARE:
        words = "The file says that its pixels are not square; the film is shown as stored."
        return [Note("not-square", words, True)]
    return []


def _decode_deep_png(data: bytes) -> _Picture:
    """16-bit colour or grey-with-alpha PNG at full depth; Pillow would keep the upper byte only."""
    import cv2

    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        if getattr(image, "is_animated", False):
            raise FilmError("the PNG is animated; give a single film")
        turn = _EXIF_TURNS.get(image.getexif().get(_ORIENTATION_TAG, 1), Turn())
        transparent = image.info.get("transparency")
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16:
        raise FilmError("the PNG is damaged and cannot be decoded")
    if stored.ndim == 3:
        stored = stored[..., [2, 1, 0, 3][: stored.shape[2]]]
    if isinstance(transparent, tuple) and stored.ndim == 3:
        outside = (stored[..., :3] == np.array(transparent, np.uint16)).all(axis=2)
        stored = np.dstack([stored[..., :3], np.where(outside, 0, 65535).astype(np.uint16)])
    return _flattened(stored, 16, turn, [])


def _decode_deep_jpeg(data: bytes) -> _Picture:
    """12 and 16-bit or lossless JPEG, which Pillow cannot decode."""
    found = decode(data)
    samples, top = found.words, (1 << found.precision) - 1
    if samples.ndim == 3 and samples.shape[2] == 4:
        # Four components are cyan, magenta, yellow and black, never red, green, blue and transparency.
        samples = np.rint(samples[..., :3] * (samples[..., 3:] / top))
    elif samples.ndim == 3 and samples.shape[2] == 3 and is_luma_first(samples, top, True):
        samples = samples[..., 0]
    return _flattened(samples, found.precision, Turn(), [])
