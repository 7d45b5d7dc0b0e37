"""Small files that ask for much: each is refused, or read within bounds."""

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from tests.radiographs.film_readers.dicom_films import film, save

TINY = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
EIGHT = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def png(side: int, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG of any size, whose rows are one ramp; packed to about a thousandth."""
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    row = np.repeat((np.arange(side) * 251).astype(f">u{depth // 8}")[:, None], samples, axis=1).tobytes()
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(b"\0" + row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0)
    parts = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def codestream(side: int) -> bytes:
    """A JPEG 2000 codestream of ``side`` pixels a side with nothing in it."""
    size = struct.pack(">HHIIIIIIIIH", 41, 0, side, side, 0, 0, side, side, 0, 0, 1) + b"\x07\x01\x01"
    style = b"\xff\x52" + struct.pack(">HBBHBBBBBB", 12, 0, 0, 1, 0, 5, 4, 4, 0, 1)
    steps = b"\xff\x5c" + struct.pack(">HB", 19, 0x40) + b"\x48" * 16
    tile = b"\xff\x90" + struct.pack(">HHIBB", 10, 0, 14 + 40, 0, 1) + b"\xff\x93" + b"\x80" * 40
    return b"\xff\x4f\xff\x51" + size + style + steps + tile + b"\xff\xd9"


def jpeg2000_decoy(side: int, padding: int = 0) -> bytes:
    """A DICOM film with a small picture's header in a box before the real picture, which is large."""
    head = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    decoy = box(b"xml ", codestream(64)[:43]) + (box(b"free", bytes(padding)) if padding else b"")
    colour = box(b"ihdr", struct.pack(">IIHBBBB", side, side, 1, 7, 7, 0, 0)) + box(b"colr", b"\1\0\0\0\0\0\x11")
    picture = head + decoy + box(b"jp2h", colour) + box(b"jp2c", codestream(side))
    return save(film(TINY, JPEG2000Lossless, encapsulate([picture]), **EIGHT))


def jpeg(side: int = 64, **options: object) -> bytes:
    stream = io.BytesIO()
    ramp = np.tile((np.arange(side) % 256).astype(np.uint8), (side, 1))
    Image.fromarray(ramp).save(stream, "JPEG", **options)
    return stream.getvalue()


def many_scans(times: int, side: int = 1024) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = jpeg(side, progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * times + b"\xff\xd9"


def two_frames() -> bytes:
    """A JPEG whose second frame, within the first one's picture, is larger than the first."""
    small, large = jpeg(64), jpeg(4096)
    return small[:-2] + large[2:]


def run_lengths(pixels: np.ndarray) -> bytes:
    """A frame of 8-bit pixels as DICOM's run lengths: literal runs alone."""
    rows = b"".join(bytes([len(row) - 1]) + row.tobytes() for row in pixels)
    return struct.pack("<16I", 1, 64, *[0] * 14) + rows


def offsets_elsewhere() -> bytes:
    """A run-length coded film whose extended offset table names another frame than the first."""
    other = bytes(8) + run_lengths(255 - TINY)
    frames = encapsulate([run_lengths(TINY), other], has_bot=False)
    dataset = film(TINY, RLELossless, frames, **EIGHT)
    dataset.ExtendedOffsetTable = struct.pack("<Q", len(run_lengths(TINY)) + 16)
    dataset.ExtendedOffsetTableLengths = struct.pack("<Q", len(other))
    return save(dataset)


def tiny_elements(number: int) -> bytes:
    """A DICOM film with many elements of no content before its pixels."""
    data = save(film(TINY, ExplicitVRLittleEndian, **EIGHT))
    at = data.index(b"\xe0\x7f\x10\x00")
    elements = (struct.pack("<HH", 0x0029 + 2 * (n >> 16), n & 0xFFFF) + b"LO\0\0" for n in range(number))
    return data[:at] + b"".join(elements) + data[at:]


def scans_in_dicom(times: int) -> bytes:
    large = np.zeros((1024, 1024), np.uint8)
    return save(film(large, JPEGBaseline8Bit, encapsulate([many_scans(times)]), **EIGHT))


def sparse(path: Path, size: int) -> Path:
    """A file of ``size`` bytes that takes none on disk."""
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


def zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def spiral(corners: int, side: int = 1024) -> bytes:
    """ChestX-Det's JSON with one polygon of many corners."""
    angle = np.linspace(0, 40 * np.pi, corners)
    radius = np.linspace(1, side / 2 - 1, corners)
    ring = np.stack([side / 2 + radius * np.cos(angle), side / 2 + radius * np.sin(angle)], axis=1).round(2)
    entry = {"file_name": "film.png", "syms": ["Nodule"], "polygons": [ring.tolist()]}
    return json.dumps([entry]).encode()
