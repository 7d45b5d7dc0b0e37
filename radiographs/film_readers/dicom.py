"""DICOM films: computed and digital radiography of the chest."""

from __future__ import annotations

import io
import logging
import threading
import warnings
import zlib
from contextlib import contextmanager
from types import EllipsisType
from typing import TYPE_CHECKING

import numpy as np

from radiographs.errors import FilmError
from radiographs.film_readers.codestreams import MAX_SIDE
from radiographs.film_readers.depth import Depth, depth_notes, depth_of
from radiographs.film_readers.dicom_header import (
    age_of,
    aspect_of,
    check_is_film,
    orientation_after,
    spacing_of,
    text_of,
    turn_of,
    view_of,
)
from radiographs.film_readers.dicom_pixels import palette_indices, stored_values
from radiographs.film_readers.dicom_values import padding, rescaled, shown_inverted, window_of
from radiographs.film_readers.orientation import StoredFrame, resample_pixels, square_shape
from radiographs.film_readers.raster import check_contrast
from radiographs.radiograph import Note, Radiograph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

_DEFLATED = "1.2.840.10008.1.2.1.99"
_MOST_INFLATED = 512 * 2**20
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
_NOT_SQUARE = 0.01
_MOST_STRETCHED = 4.0
# pydicom's warnings and log lines may quote a patient's tags: they are silenced while one thread at a time reads.
_reading = threading.Lock()
_log = logging.getLogger("pydicom")


def looks_like_dicom(data: bytes) -> bool:
    """Whether the bytes begin as a DICOM file does, with or without the 128-byte preamble."""
    if data[128:132] == b"DICM":
        return True
    starts = data[:2] in (b"\x02\x00", b"\x08\x00") and data[3:4] == b"\x00"
    return starts and ((data[4:6].isalpha() and data[4:6].isupper()) or data[5:8] == b"\x00\x00\x00")


def read_dicom(data: bytes) -> Radiograph:
    """Read a single-frame film: CR, DX, a secondary capture of one, or what may be one, with the doubt said.

    Stored values are checked against what the header says of their bits (``stored_values``), and scaled
    to [0, 1] over the depth that the film makes use of (``depth``), carried through the rescale or the
    modality LUT. MONOCHROME1 and the presentation LUT shape INVERSE are inverted. Pixels that the file marks as
    padding become black. The film is turned as one hangs it, by PatientOrientation, and stretched where its pixels are
    not square. The VOI LUT or the first window that shows the film never changes pixels: it goes into ``window`` as
    (low, high) in units of the pixels, for a VOI LUT its input range. Spacing is PixelSpacing, else ImagerPixelSpacing
    (at the detector: no correction for magnification). All that was done or is doubted stands in ``notes``.

    Args:
        data: the whole file.

    Raises:
        FilmError: surely no such film, or damaged, cut off, too large, or in a compression that cannot be read. The
            message never quotes the file.
    """
    with quiet():
        dataset = _parse(data)
        try:
            notes = check_is_film(dataset)
            return _develop(dataset, notes)
        except FilmError:
            raise
        except Exception as error:
            raise FilmError("the DICOM film is damaged: what its header says does not fit its pixels") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Let pydicom neither validate values nor warn of them, on screen or in a log."""
    from pydicom import config

    with _reading, warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        silent, propagated = logging.NullHandler(), _log.propagate
        _log.addHandler(silent)
        _log.propagate = False
        try:
            yield
        finally:
            _log.propagate = propagated
            _log.removeHandler(silent)


def _parse(data: bytes) -> Dataset:
    """The data set, its pixels not yet decoded."""
    from pydicom import dcmread
    from pydicom.filereader import read_dataset

    try:
        meta = io.BytesIO(data)
        meta.seek(132 if data[128:132] == b"DICM" else 0)
        header = read_dataset(meta, False, True, stop_when=lambda tag, vr, length: tag >= 0x00030000)
        if str(header.get("TransferSyntaxUID", "")) == _DEFLATED:
            data = _inflated(data, header)
        dataset = dcmread(io.BytesIO(data), force=True)
        if "PixelData" not in dataset:
            # Where the last sequence is not closed, pydicom drops all that it had read.
            dataset = dcmread(io.BytesIO(data + _SEQUENCE_END), force=True)
    except FilmError:
        raise
    except Exception as error:
        raise FilmError("the DICOM file is cut off, encrypted or damaged") from error
    if not len(dataset):
        raise FilmError("the DICOM file is cut off at its beginning, encrypted or damaged")
    return dataset


def _inflated(data: bytes, header: Dataset) -> bytes:
    """A deflated file as it would be uncompressed; what it inflates to is bounded."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_file_meta_info
    from pydicom.uid import ExplicitVRLittleEndian

    body = data[_end_of_meta(data) :]
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = inflater.decompress(body, _MOST_INFLATED)
    if inflater.unconsumed_tail:
        raise FilmError(f"the DICOM file inflates to more than {_MOST_INFLATED // 2**20} MB, too large for one film")
    if not inflater.eof:
        raise FilmError("the deflated DICOM file is cut off")
    meta = FileMetaDataset()
    meta.update(header)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    head = DicomBytesIO()
    write_file_meta_info(head, meta, enforce_standard=False)
    return bytes(128) + b"DICM" + head.getvalue() + plain


def _end_of_meta(data: bytes) -> int:
    """Where the file's meta information, group 2 in explicit little endian, ends."""
    at = 132 if data[128:132] == b"DICM" else 0
    while data[at : at + 2] == b"\x02\x00":
        if data[at + 4 : at + 6] in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
            at += 12 + int.from_bytes(data[at + 8 : at + 12], "little")
        else:
            at += 8 + int.from_bytes(data[at + 6 : at + 8], "little")
    return at


def _develop(dataset: Dataset, notes: list[Note]) -> Radiograph:
    """From a film's data set to pixels in [0, 1]."""
    palette = text_of(dataset, "PhotometricInterpretation").startswith("PALETTE")
    stored, bits, more = _from_palette(dataset) if palette else stored_values(dataset)
    notes = [*notes, *more]
    shown = ~padding(dataset, stored, bits)
    if not shown.any():
        raise FilmError("the DICOM film is nothing but padding")
    everywhere = bool(shown.all())
    values, low, high, depth = _scaled(dataset, stored, ... if everywhere else shown, bits)
    del stored
    film = values if everywhere else values[shown]
    check_contrast(film)
    notes += depth_notes(depth, bits)
    window, more = window_of(dataset, film)
    notes += more
    del film
    scaled = None if window is None else ((window[0] - low) / (high - low), (window[1] - low) / (high - low))
    pixels = np.subtract(values, low, out=values)
    np.clip(np.divide(pixels, high - low, out=pixels), 0.0, 1.0, out=pixels)
    inverted, more = shown_inverted(dataset)
    notes += more
    if inverted:
        np.subtract(1.0, pixels, out=pixels)
        scaled = None if scaled is None else (1.0 - scaled[1], 1.0 - scaled[0])
    pixels[~shown] = 0.0
    return _hung(dataset, pixels, scaled, depth.bits, notes)


def _scaled(
    dataset: Dataset, stored: np.ndarray, shown: np.ndarray | EllipsisType, bits: int
) -> tuple[np.ndarray, float, float, Depth]:
    """Values after the modality transformation, and which of them become black and white."""
    values, line = rescaled(dataset, stored)
    if line is None:
        depth = depth_of(values[shown])
        return values, depth.low, depth.high, depth
    depth = depth_of(stored[shown], bits)
    low, high = sorted(end * line[0] + line[1] for end in (depth.low, depth.high))
    return values, low, high, depth


def _from_palette(dataset: Dataset) -> tuple[np.ndarray, int, list[Note]]:
    """(H, W) luminance of a film that is stored as indices into a palette of colours."""
    from pydicom.pixels import apply_color_lut

    from radiographs.film_readers.colour import luminance

    indices = palette_indices(dataset)
    try:
        colours = apply_color_lut(indices, dataset)[..., :3]
    except Exception as error:
        raise FilmError("the DICOM film's colour palette is missing or damaged; save the film in grey") from error
    note = Note("colour", "The file stores colours of a palette; they were turned to grey by luminance.")
    return luminance(colours), 8 * colours.dtype.itemsize, [note]


def _hung(
    dataset: Dataset, pixels: np.ndarray, window: tuple[float, float] | None, bits: int, notes: list[Note]
) -> Radiograph:
    """The film as one hangs it: turned, its pixels square."""
    view, more = view_of(dataset)
    notes += more
    turn, more = turn_of(dataset)
    notes += more
    stored_shape = (pixels.shape[0], pixels.shape[1])
    spacing, aspect = spacing_of(dataset), aspect_of(dataset)
    pixels = turn.apply(pixels)
    if turn.transposed:
        aspect, spacing = aspect[::-1], None if spacing is None else spacing[::-1]
    ratio = max(aspect) / min(aspect)
    stretched = _NOT_SQUARE < ratio - 1 <= _MOST_STRETCHED - 1
    if stretched:
        shape = (pixels.shape[0], pixels.shape[1])
        target = square_shape(shape, aspect, MAX_SIDE)
        if spacing is not None:
            spacing = (spacing[0] * shape[0] / target[0], spacing[1] * shape[1] / target[1])
        pixels = np.clip(resample_pixels(pixels, target), 0.0, 1.0)
        words = f"Its pixels are not square: the film was resampled from {shape[1]} x {shape[0]} to true proportions."
        notes.append(Note("resampled", words))
    elif ratio > _MOST_STRETCHED:
        words = "The file says that its pixels are more than four times longer than wide; the film is shown as stored."
        notes.append(Note("not-square", words, True))
    return Radiograph(
        pixels,
        view=view,
        pixel_spacing_mm=spacing,
        bits=bits,
        window=window,
        orientation=orientation_after(dataset, turn),
        notes=tuple(notes),
        stored=StoredFrame(stored_shape, turn) if turn or stretched else None,
        age=age_of(dataset),
    )
