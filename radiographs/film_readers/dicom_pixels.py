"""The words of a DICOM film's pixels, native or compressed, as (H, W) unsigned integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from radiographs.errors import FilmError
from radiographs.film_readers.codestreams import codestream_kind, decode, size_of
from radiographs.film_readers.colour import is_coloured, is_luma_first, luminance
from radiographs.film_readers.dicom_header import text_of, whole_number
from radiographs.film_readers.stored_values import Layout, values_of
from radiographs.radiograph import Note

if TYPE_CHECKING:
    from pydicom import Dataset

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_UNREADABLE = {
    "1.2.840.10008.1.2.4.94": "refers to pixels on a server (JPIP)",
    "1.2.840.10008.1.2.4.95": "refers to pixels on a server (JPIP)",
    "1.2.840.10008.1.2.4.204": "refers to pixels on a server (JPIP)",
    "1.2.840.10008.1.2.4.205": "refers to pixels on a server (JPIP)",
    "1.2.840.10008.1.2.4.110": "is compressed as JPEG XL",
    "1.2.840.10008.1.2.4.111": "is compressed as JPEG XL",
    "1.2.840.10008.1.2.4.112": "is compressed as JPEG XL",
    "1.2.840.10008.1.2.8.1": "is compressed as deflated frames",
}
_VIDEO = "1.2.840.10008.1.2.4.10"
_WAY_OUT = "save it uncompressed, or as JPEG 2000, JPEG-LS or RLE"


def stored_values(dataset: Dataset) -> tuple[np.ndarray, int, list[Note]]:
    """Decode a film's pixels.

    Returns:
        (H, W) int32 stored values (float64 luminance of colours), the bits that they take up, and what was done.

    Raises:
        FilmError: the pixels are cut off, damaged, or compressed in a way that cannot be read.
    """
    words, container, luma_first = _words(dataset)
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    notes: list[Note] = []
    if words.ndim == 3:
        words, notes = _grey(dataset, words, container, luma_first)
    if words.shape != (rows, columns):
        raise FilmError("the DICOM film is damaged: its pixels do not have the size that it announces")
    if words.dtype == np.float64:
        return words, container, notes
    bits = whole_number(dataset, "BitsStored", whole_number(dataset, "BitsAllocated"))
    high = whole_number(dataset, "HighBit", bits - 1)
    signed = whole_number(dataset, "PixelRepresentation") == 1
    values, bits, more = values_of(words, Layout(container, bits, high, signed))
    return values, bits, notes + more


def palette_indices(dataset: Dataset) -> np.ndarray:
    """(H, W) unsigned indices of a film that is stored in colours of a palette.

    Raises:
        FilmError: as :func:`stored_values`.
    """
    words = _words(dataset)[0]
    if words.shape != (int(dataset.Rows), int(dataset.Columns)):
        raise FilmError("the DICOM film is damaged: its pixels do not have the size that it announces")
    return words


def _words(dataset: Dataset) -> tuple[np.ndarray, int, bool | None]:
    """(H, W) or (H, W, C) unsigned words, their bits, and whether the first of three is luminance (None: not said)."""
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, ImplicitVRLittleEndian, RLELossless

    if not getattr(dataset, "file_meta", None) or "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    encapsulated = dataset.PixelData.startswith(_ITEM)
    frame = _frame(dataset.PixelData) if encapsulated else b""
    if encapsulated and codestream_kind(frame):
        return _decoded(dataset, frame)
    if syntax in _UNREADABLE:
        raise FilmError(f"the DICOM film {_UNREADABLE[syntax]}, which cannot be read; {_WAY_OUT}")
    if syntax.startswith(_VIDEO) and len(syntax) > len(_VIDEO):
        raise FilmError("the DICOM file is a video, not a film")
    if encapsulated and syntax != RLELossless and len(frame) >= _length(dataset):
        dataset.PixelData, encapsulated = frame, False
    if encapsulated:
        # No table of offsets is followed: it may name another frame than the one that was checked.
        dataset.PixelData = encapsulate([frame])
        for table in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
            dataset.pop(table, None)
    if syntax == RLELossless or not encapsulated:
        return *_native(dataset, syntax, encapsulated), None
    raise FilmError("the DICOM film's pixels are damaged, or compressed in a way that cannot be read")


def _frame(pixel_data: bytes) -> bytes:
    """The one frame in encapsulated pixel data: its fragments joined, the offset table left out.

    Raises:
        FilmError: a fragment is cut off.
    """
    fragments, at = [], 0
    while pixel_data.startswith(_ITEM, at):
        end = at + 8 + int.from_bytes(pixel_data[at + 4 : at + 8], "little")
        if end > len(pixel_data):
            raise FilmError("the DICOM film is cut off: pixels are missing at its end")
        fragments.append(pixel_data[at + 8 : end])
        at = end
    if at < len(pixel_data) and not pixel_data.startswith(_END, at) and pixel_data[at:].strip(b"\0"):
        raise FilmError("the DICOM film's compressed pixels are damaged")
    return b"".join(fragments[1:])


def _decoded(dataset: Dataset, frame: bytes) -> tuple[np.ndarray, int, bool | None]:
    """Decode a compressed frame, whose size must be the header's, so that no decoder allocates more than announced."""
    if codestream_kind(frame) != "jpegxl" and size_of(frame) != (int(dataset.Rows), int(dataset.Columns)):
        raise FilmError("the DICOM film is damaged: its pixels do not have the size that it announces")
    try:
        found = decode(frame)
    except FilmError:
        raise
    except Exception as error:
        raise FilmError("the DICOM film's pixels are damaged, or compressed in a way that cannot be read") from error
    words = found.words
    if words.ndim == 3:
        words = words[..., :3] if words.shape[2] >= 3 else words[..., 0]
    return words, found.precision, found.luma_first


def _native(dataset: Dataset, syntax: str, encapsulated: bool) -> tuple[np.ndarray, int]:
    """Pixels as they lie in the file, or run-length coded."""
    from pydicom.pixels import pixel_array
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    container = int(dataset.BitsAllocated)
    if not encapsulated and len(dataset.PixelData) < _length(dataset):
        raise FilmError("the DICOM film is cut off: pixels are missing at its end")
    if not encapsulated and syntax not in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian):
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if not text_of(dataset, "PhotometricInterpretation"):
        dataset.PhotometricInterpretation = "MONOCHROME2" if _samples(dataset) == 1 else "RGB"
    # pylibjpeg's run-length decoder ends in a Rust panic, no Exception, on damaged data; pydicom's own raises one.
    plugin = "pydicom" if encapsulated else ""
    try:
        values = np.asarray(
            pixel_array(dataset, raw=True, decoding_plugin=plugin, correct_unused_bits=False, allow_excess_frames=False)
        )
    except Exception as error:
        raise FilmError("the DICOM film's pixels are damaged") from error
    return values.astype(values.dtype.newbyteorder("=")).view(f"u{values.dtype.itemsize}"), container


def _samples(dataset: Dataset) -> int:
    return whole_number(dataset, "SamplesPerPixel", 1)


def _length(dataset: Dataset) -> int:
    """Bytes of uncompressed pixels."""
    length = int(dataset.Rows) * int(dataset.Columns) * _samples(dataset) * int(dataset.BitsAllocated) // 8
    return length * 2 // 3 if text_of(dataset, "PhotometricInterpretation") == "YBR_FULL_422" else length


def _grey(dataset: Dataset, planes: np.ndarray, bits: int, luma_first: bool | None) -> tuple[np.ndarray, list[Note]]:
    """Turn (H, W, 3) into grey words or float64 luminance, and say where colours or a wrong label were met."""
    top = (1 << bits) - 1
    notes = []
    if luma_first is None:
        label = text_of(dataset, "PhotometricInterpretation")
        labelled = label.startswith("YBR") and label not in ("YBR_RCT", "YBR_ICT")
        luma_first = is_luma_first(planes, top, labelled)
        if luma_first != labelled:
            words = "The film is grey, and its colours are coded otherwise than its file says."
            notes.append(Note("colour-label", words))
    if is_coloured(planes, top, luma_first):
        notes.append(Note("colour", "The file is in colour; it was turned to grey by luminance."))
    return planes[..., 0] if luma_first else luminance(planes), notes
