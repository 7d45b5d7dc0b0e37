"""Reading a film, whatever its file is called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from radiographs.errors import FilmError
from radiographs.film_readers.codestreams import JPEG_MAGIC
from radiographs.film_readers.dicom import looks_like_dicom, read_dicom
from radiographs.film_readers.raster import PNG_MAGIC, read_raster
from radiographs.radiograph import Radiograph

MAX_BYTES = 512 * 2**20
_TOO_LARGE = f"the file is larger than {MAX_BYTES // 2**20} MB, too large for one film"
_ACCEPTED = "give a PNG, a JPEG or a DICOM film"
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF"),
    (b"GIF8", "a GIF"),
    (b"II*\x00", "a TIFF"),
    (b"MM\x00*", "a TIFF"),
    (b"BM", "a BMP"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x00\x00\x00\x0cjP  ", "a bare JPEG 2000 file"),
    (b"\xff\x4f\xff\x51", "a bare JPEG 2000 file"),
)


def read_radiograph(source: Path | str | bytes | BinaryIO) -> Radiograph:
    """Read one chest film: PNG, JPEG or DICOM, decided by content and never by file name.

    See :func:`radiographs.film_readers.raster.read_raster` and ``read_dicom`` for how stored values become
    pixels in [0, 1]. Nothing that identifies a patient is kept or said.

    Args:
        source: path, content, or binary stream (read from where it stands).

    Raises:
        FilmError: the file is not a single-frame film that can be read; the message is one sentence that says why.
    """
    data = film_bytes(source)
    if data.startswith((PNG_MAGIC, JPEG_MAGIC)):
        return read_raster(data)
    if looks_like_dicom(data):
        return read_dicom(data)
    raise FilmError(f"the file is {_kind(data)}, which cannot be read as a film; {_ACCEPTED}")


def film_bytes(source: Path | str | bytes | BinaryIO) -> bytes:
    """All bytes of a film's file; one that is too large is refused before it is read.

    Args:
        source: as of :func:`read_radiograph`.

    Raises:
        FilmError: the file is empty, too large, or cannot be opened.
    """
    data = source if isinstance(source, bytes) else _content(source)
    if not data:
        raise FilmError("the file is empty")
    if len(data) > MAX_BYTES:
        raise FilmError(_TOO_LARGE)
    return data


def _content(source: Path | str | BinaryIO) -> bytes:
    """All bytes of ``source``, at most one more than the limit."""
    try:
        if isinstance(source, str | Path):
            with Path(source).open("rb") as stream:
                if os.fstat(stream.fileno()).st_size > MAX_BYTES:
                    raise FilmError(_TOO_LARGE)
                return stream.read(MAX_BYTES + 1)
        return source.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise FilmError("there is no such file") from error
    except IsADirectoryError as error:
        raise FilmError("this is a folder, not a film") from error
    except FilmError:
        raise
    except (OSError, ValueError) as error:  # no path may hold a NUL or half a character
        raise FilmError("the file cannot be opened: check its name and permissions") from error


def _kind(data: bytes) -> str:
    """What a refused file seems to be."""
    for magic, kind in _OTHERS:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "a WebP image"
    head = data[:2048]
    if b"\x00" not in head and sum(32 <= byte < 127 or byte in b"\t\n\r" for byte in head) >= 0.9 * len(head):
        return "text"
    return "of an unknown type, or damaged at its beginning"
