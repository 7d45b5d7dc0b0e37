"""Compressed pictures inside DICOM files and on their own: judged by their content, never by a label.

References: ITU-T T.81 (JPEG), T.87 (JPEG-LS), T.800 (JPEG 2000), T.814 (HTJ2K); DICOM PS3.5 annex A.4.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image

from radiographs.errors import FilmError

MAX_SIDE = 8192
MIN_SIDE = 32
JPEG_MAGIC = b"\xff\xd8\xff"
_J2K_START = b"\xff\x4f\xff\x51"
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  "
_JXL_STARTS = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")
_NOT_A_SIZE = {0xC4, 0xC8, 0xCC}
_LOSSLESS, _JPEG_LS = 0x03, 0x37
_MOST_SCANNED = 10**9
_FRAME = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf\xf7]")


@dataclass(frozen=True)
class JpegHeader:
    """What a JPEG or JPEG-LS stream says of its frame.

    Attributes:
        height, width: size in pixels. precision: bits a sample. components: 1 for grey.
        process: number of the coding process (SOF number; 55 for JPEG-LS). at: where the frame header begins.
    """

    height: int
    width: int
    precision: int
    process: int
    components: int
    at: int


@dataclass(frozen=True)
class Decoded:
    """A decoded picture.

    Attributes:
        words: (H, W) or (H, W, C) unsigned integers, signed values in two's complement.
        precision: bits of a word that the stream codes.
        luma_first: whether the first of three components is luminance (YCbCr); None where the stream does not say.
    """

    words: np.ndarray
    precision: int
    luma_first: bool | None = None


def check_side_lengths(height: int, width: int) -> None:
    """Refuse a film whose announced size is out of bounds, before anything is decoded.

    Raises:
        FilmError: a side is longer than 8192 pixels or shorter than 32.
    """
    if max(height, width) > MAX_SIDE:
        raise FilmError(f"the film is {width} x {height} pixels; at most {MAX_SIDE} a side can be read")
    if min(height, width) < MIN_SIDE:
        raise FilmError(f"the film is {width} x {height} pixels; at least {MIN_SIDE} a side are needed")


def codestream_kind(data: bytes) -> str:
    """By a picture's first bytes: "jpeg" (with JPEG-LS), "jpeg2000" (with HTJ2K), "jpegxl", or ""."""
    if data.startswith(JPEG_MAGIC):
        return "jpeg"
    if data.startswith((_J2K_START, _JP2_SIGNATURE)):
        return "jpeg2000"
    return "jpegxl" if data.startswith(_JXL_STARTS) else ""


def decode(data: bytes) -> Decoded:
    """Decode one picture at full depth; its size is checked before.

    Raises:
        FilmError: the size is out of bounds, or this compression cannot be read.
        Exception: whatever a decoder raises on damaged data.
    """
    kind = codestream_kind(data)
    if kind == "jpeg":
        return _decode_jpeg(data)
    if kind == "jpeg2000":
        return _decode_jpeg2000(data)
    if kind == "jpegxl":
        raise FilmError("the film is compressed as JPEG XL, which cannot be read; save it as JPEG 2000 or uncompressed")
    raise FilmError("the film's pixels are compressed in a way that cannot be read, or damaged at their beginning")


def size_of(data: bytes) -> tuple[int, int]:
    """(height, width) that a JPEG or JPEG 2000 picture announces.

    Raises:
        FilmError: the header is cut off, broken, or of another kind of picture.
    """
    if codestream_kind(data) == "jpeg2000":
        return _j2k_header(_j2k_codestream(data)).size
    header = jpeg_header(data)
    return header.height, header.width


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
            precision, height, width, components = struct.unpack(">BHHB", data[at + 4 : at + 10])
            return JpegHeader(height, width, precision, marker - 0xC0, components, at)
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise FilmError("the JPEG is cut off or damaged at its beginning")


def check_jpeg(data: bytes) -> JpegHeader:
    """The header of a JPEG that may be decoded: its size is bounded, and so is the work that its scans ask for.

    Raises:
        FilmError: it is out of bounds.
    """
    header = jpeg_header(data)
    check_side_lengths(header.height, header.width)
    if header.height * header.width * data.count(b"\xff\xda") > _MOST_SCANNED:
        raise FilmError("the JPEG has far more scans than a picture needs, and would take too long to decode")
    scans = data.find(b"\xff\xda", header.at)
    end = data.find(b"\xff\xd9", scans)
    if _FRAME.search(data, max(scans, header.at + 2), len(data) if end < 0 else end):
        raise FilmError("the JPEG holds several frames: which one is the film cannot be told")
    return header


def _decode_jpeg(data: bytes) -> Decoded:
    header = check_jpeg(data)
    if header.process == _LOSSLESS:
        return Decoded(_sized(_decode_lossless(data, header), header), header.precision)
    if header.precision > 8 or header.process == _JPEG_LS:
        from libjpeg import decode as decode_deep

        return Decoded(_sized(np.asarray(decode_deep(data)), header), header.precision)
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        if image.size != (header.width, header.height):
            raise FilmError("the JPEG is damaged: it announces two different sizes")
        said = _says_colours(image)
        if header.components == 3 and not said:
            image.draft("YCbCr", image.size)
        image.load()
        words = np.asarray(image.convert("RGB") if header.components == 4 else image)
        return Decoded(words, header.precision, False if said or header.components == 4 else None)


def _sized(words: np.ndarray, header: JpegHeader) -> np.ndarray:
    if words.shape[:2] != (header.height, header.width):
        raise FilmError("the JPEG is damaged: it announces two different sizes")
    return words


def _says_colours(image: Image.Image) -> bool:
    """Whether the stream itself says how its colours are coded (JFIF, Adobe, components named R, G, B)."""
    layers = getattr(image, "layer", [])
    names = [chr(layer[0]) if isinstance(layer[0], int) else str(layer[0]) for layer in layers]
    return "jfif" in image.info or "adobe_transform" in image.info or names in (["R", "G", "B"], ["r", "g", "b"])


def _decode_lossless(data: bytes, header: JpegHeader) -> np.ndarray:
    """Lossless JPEG (process 14): (H, W) or (H, W, C), differences taken modulo the word as T.81 H.2.1 asks.

    The decoder cuts values off at the stream's precision where encoders let them wrap. So it is told 16 bits, at which
    it wraps; that moves all values by the difference of the two first predictions, which is taken away again.
    """
    from libjpeg import decode as decode_deep

    if not 2 <= header.precision <= 16:
        raise FilmError("the JPEG is damaged: it announces an impossible number of bits")
    place = header.at + 4
    words = np.asarray(decode_deep(data[:place] + b"\x10" + data[place + 1 :]), dtype=np.uint16)
    offset = (1 << 15) - (1 << (header.precision - 1))
    return (words - np.uint16(offset)) & np.uint16((1 << header.precision) - 1)


@dataclass(frozen=True)
class _J2kHeader:
    size: tuple[int, int]
    precision: int
    components: int


def _j2k_codestream(data: bytes) -> bytes:
    """The codestream of a JPEG 2000 picture, out of the boxes of a JP2 file where it lies in one.

    Raises:
        FilmError: there is none.
    """
    if data.startswith(_J2K_START):
        return data
    at = 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        head = 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if kind == b"jp2c" and data.startswith(_J2K_START, at + head):
            return data[at + head : len(data) if length == 0 else at + length]
        if length < head:
            break
        at += length
    raise FilmError("the JPEG 2000 picture is cut off or damaged at its beginning")


def _j2k_header(stream: bytes) -> _J2kHeader:
    if len(stream) < 45:
        raise FilmError("the JPEG 2000 picture is cut off at its beginning")
    right, bottom, left, top, tile_width, tile_height = struct.unpack(">6I", stream[8:32])
    components = int.from_bytes(stream[40:42], "big")
    size = bottom - top, right - left
    tiles = -(-right // max(tile_width, 1)) * -(-bottom // max(tile_height, 1))
    if min(size) < 1 or not 1 <= components <= 4 or tiles > 65535 or len(stream) < 42 + 3 * components:
        raise FilmError("the JPEG 2000 picture's header is damaged")
    precisions = {stream[42 + 3 * n] & 0x7F for n in range(components)}
    if len(precisions) != 1 or max(precisions) > 15:
        raise FilmError("the JPEG 2000 picture does not have up to 16 bits a sample")
    return _J2kHeader(size, precisions.pop() + 1, components)


def _decode_jpeg2000(data: bytes) -> Decoded:
    from openjpeg import decode as decode_jpeg2000

    stream = _j2k_codestream(data)
    header = _j2k_header(stream)
    check_side_lengths(*header.size)
    values = np.asarray(decode_jpeg2000(stream))
    words = values.astype(np.int32) & ((1 << header.precision) - 1)
    return Decoded(words.astype(np.uint16), header.precision)
