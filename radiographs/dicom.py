"""DICOM films: computed and digital radiography of the chest."""

from __future__ import annotations

import io
import logging
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from radiographs.errors import FilmError
from radiographs.radiograph import Radiograph
from radiographs.raster import JPEG_MAGIC, check_contrast, check_side_lengths, jpeg_header, luminance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

_FILM_MODALITIES = {"CR", "DX", "RG"}
_OTHER_MODALITIES = {
    "CT": "a CT image",
    "MR": "an MR image",
    "US": "an ultrasound image",
    "MG": "a mammogram",
    "NM": "a nuclear medicine image",
    "PT": "a PET image",
    "XA": "an angiogram",
    "RF": "a fluoroscopy image",
    "IO": "a dental film",
    "PX": "a dental film",
    "SR": "a report",
    "PR": "a presentation state",
    "SEG": "a segmentation",
}
_OTHER_BODY_PARTS = set(
    "SKULL HEAD JAW NECK CSPINE LSPINE SSPINE ABDOMEN PELVIS HIP LEG FEMUR KNEE ANKLE FOOT TOE EXTREMITY ARM HUMERUS "
    "ELBOW FOREARM WRIST HAND FINGER BREAST".split()
)
_VIEWS = {"PA", "AP", "LL", "RL", "LLD", "RLD", "LLO", "RLO", "LATERAL"}
_DEFLATED = "1.2.840.10008.1.2.1.99"
_J2K_MAGIC = b"\xff\x4f\xff\x51"
_LEAST_USED_RANGE = 1 / 8
# pydicom's warnings and log lines may quote a patient's tags; they are kept in while one thread at a time reads.
_reading = threading.Lock()
_log = logging.getLogger("pydicom")


def looks_like_dicom(data: bytes) -> bool:
    """Whether the bytes begin as a DICOM file does, with or without the 128-byte preamble."""
    if data[128:132] == b"DICM":
        return True
    starts = data[:2] in (b"\x02\x00", b"\x08\x00") and data[3:4] == b"\x00"
    return starts and ((data[4:6].isalpha() and data[4:6].isupper()) or data[5:8] == b"\x00\x00\x00")


def read_dicom(data: bytes) -> Radiograph:
    """Read a single-frame CR or DX film, or a secondary capture of one.

    The modality LUT, or rescale slope and intercept, is applied. The result is scaled to [0, 1] over the range that
    the file declares: what bits stored (or the LUT's depth) can hold, carried through the rescale. Where that range
    is nonsense (values lie outside it, or fill less than an eighth of it) the film's own minimum and maximum take
    its place. MONOCHROME1 is inverted. Pixels that the file marks as padding become black. The VOI LUT or the first
    window never changes pixels: it goes into ``window`` as (low, high) in units of the pixels, for a VOI LUT its
    input range. Spacing is PixelSpacing, else ImagerPixelSpacing (at the detector: no correction for magnification).

    Args:
        data: the whole file.

    Raises:
        FilmError: not such a film, or damaged, cut off, too large, or in a compression that cannot be read. The
            message never quotes the file.
    """
    with quiet():
        dataset = _parse(data)
        try:
            check_is_film(dataset)
            return _develop(dataset)
        except FilmError:
            raise
        except Exception as error:
            raise FilmError("the DICOM film is damaged: what its header says does not fit its pixels") from error


def check_is_film(dataset: Dataset) -> None:
    """Refuse, from the header alone, what is not a single-frame chest film of readable size.

    Raises:
        FilmError: wrong modality or body part, several frames, no pixels, or a size out of bounds.
    """
    modality = str(dataset.get("Modality", "")).strip().upper()
    if not modality:
        raise FilmError("the DICOM file names no modality: it is cut off, or not a film")
    if modality not in _FILM_MODALITIES:
        what = _OTHER_MODALITIES.get(modality, "of another modality")
        raise FilmError(f"the DICOM file is {what}; only chest films (CR, DX) can be read")
    if str(dataset.get("BodyPartExamined", "")).strip().upper() in _OTHER_BODY_PARTS:
        raise FilmError("the DICOM film shows another part of the body than the chest")
    rows, columns = _whole_number(dataset, "Rows"), _whole_number(dataset, "Columns")
    frames = _whole_number(dataset, "NumberOfFrames", 1)
    if frames > 1:
        raise FilmError("the DICOM file holds several frames; give a single film")
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise FilmError("the DICOM file holds floating-point values, not a film")
    if "PixelData" not in dataset or not dataset.PixelData or rows == 0 or columns == 0:
        raise FilmError("the DICOM file holds no pixels: it is cut off, or only a header")
    check_side_lengths(rows, columns)
    if not 8 <= _whole_number(dataset, "BitsStored") <= 16 or _whole_number(dataset, "BitsAllocated") not in (8, 16):
        raise FilmError("the DICOM film does not have 8 to 16 bits a pixel")


@contextmanager
def quiet() -> Iterator[None]:
    """Let pydicom neither validate values nor warn of them, on screen or in a log."""
    from pydicom.config import disable_value_validation

    with _reading, warnings.catch_warnings(), disable_value_validation():
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
        deflated = str(header.get("TransferSyntaxUID", "")) == _DEFLATED
        dataset = None if deflated else dcmread(io.BytesIO(data), force=True)
    except Exception as error:
        raise FilmError("the DICOM file is cut off, encrypted or damaged") from error
    if dataset is None:
        raise FilmError("the DICOM file is deflated; save it uncompressed, or as JPEG 2000 or RLE")
    return dataset


def _develop(dataset: Dataset) -> Radiograph:
    """From a film's data set to pixels in [0, 1]."""
    stored = _stored_values(dataset)
    values, low, high = _modality_values(dataset, stored)
    shown = ~_padding(dataset, stored)
    if not shown.any():
        raise FilmError("the DICOM film is nothing but padding")
    least, most = float(values[shown].min()), float(values[shown].max())
    check_contrast(values[shown])
    if not low <= least < most <= high or most - least < _LEAST_USED_RANGE * (high - low):
        low, high = least, most
    pixels = np.clip((values - low) / (high - low), 0.0, 1.0)
    window = _window(dataset, low, high)
    if str(dataset.get("PhotometricInterpretation", "")).strip() == "MONOCHROME1":
        pixels = 1.0 - pixels
        window = None if window is None else (1.0 - window[1], 1.0 - window[0])
    pixels[~shown] = 0.0
    view = str(dataset.get("ViewPosition", "") or "").strip().upper()
    return Radiograph(
        pixels,
        view=view if view in _VIEWS else None,
        pixel_spacing_mm=_spacing(dataset),
        bits=_whole_number(dataset, "BitsStored"),
        window=window,
    )


def _stored_values(dataset: Dataset) -> np.ndarray:
    """(H, W) stored values; colour is turned to luminance."""
    from pydicom.pixels import pixel_array
    from pydicom.uid import UID, ImplicitVRLittleEndian, RLELossless

    if not getattr(dataset, "file_meta", None) or "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    colours = _whole_number(dataset, "SamplesPerPixel", 1)
    if str(dataset.get("PhotometricInterpretation", "")).startswith("PALETTE"):
        raise FilmError("the DICOM film uses a colour palette; save it in grey")
    if syntax.is_compressed:
        _check_stream(dataset, rows, columns)
    elif len(dataset.PixelData) < rows * columns * colours * int(dataset.BitsAllocated) // 8:
        raise FilmError("the DICOM film is cut off: pixels are missing at its end")
    # pylibjpeg's run-length decoder ends in a Rust panic, no Exception, on damaged data; pydicom's own raises one.
    plugin = "pydicom" if syntax == RLELossless else ""
    try:
        values = np.asarray(pixel_array(dataset, decoding_plugin=plugin))
    except Exception as error:
        if syntax.is_compressed:
            raise FilmError(
                "the DICOM film's pixels are damaged, or compressed in a way that cannot be read"
            ) from error
        raise FilmError("the DICOM film's pixels are damaged") from error
    if values.ndim == 3 and values.shape[2] == 3:
        values = luminance(values)
    if values.shape != (rows, columns):
        raise FilmError("the DICOM film is damaged: its pixels do not have the size that it announces")
    return values


def _check_stream(dataset: Dataset, rows: int, columns: int) -> None:
    """Compare the compressed stream's own size with the header's, so that no decoder allocates more than announced."""
    from pydicom.encaps import generate_frames

    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    at = frame.find(_J2K_MAGIC, 0, 512)
    if frame.startswith(JPEG_MAGIC[:2]):
        header = jpeg_header(frame)
        announced = header.height, header.width
    elif at >= 0:
        right, bottom, left, top = (int.from_bytes(frame[at + 8 + 4 * k : at + 12 + 4 * k], "big") for k in range(4))
        announced = bottom - top, right - left
    else:
        return
    if announced != (rows, columns):
        raise FilmError("the DICOM film is damaged: its pixels do not have the size that it announces")


def _modality_values(dataset: Dataset, stored: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Values after the modality LUT (float64), and the least and greatest value that the file can hold."""
    from pydicom.pixels import apply_modality_lut

    bits = int(dataset.BitsStored)
    signed = _whole_number(dataset, "PixelRepresentation") == 1
    first, last = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)
    if dataset.get("ModalityLUTSequence"):
        depth = int(dataset.ModalityLUTSequence[0].LUTDescriptor[2])
        return np.asarray(apply_modality_lut(stored, dataset), dtype=np.float64), 0.0, 2.0**depth - 1
    slope = _number(dataset.get("RescaleSlope"), 1.0)
    intercept = _number(dataset.get("RescaleIntercept"), 0.0)
    if slope == 0:
        raise FilmError("the DICOM film is damaged: its rescale slope is zero")
    ends = sorted((first * slope + intercept, last * slope + intercept))
    return stored.astype(np.float64) * slope + intercept, ends[0], ends[1]


def _padding(dataset: Dataset, stored: np.ndarray) -> np.ndarray:
    """(H, W) bool: True where the file says that there is no film."""
    value = dataset.get("PixelPaddingValue")
    if not isinstance(value, int):
        return np.zeros(stored.shape, dtype=bool)
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = sorted((value, limit if isinstance(limit, int) else value))
    return (stored >= ends[0]) & (stored <= ends[1])


def _window(dataset: Dataset, low: float, high: float) -> tuple[float, float] | None:
    """The display window that the file asks for, in units of pixels before inversion; None where it asks for none."""
    if dataset.get("VOILUTSequence"):
        entries, start, _ = (int(part) for part in dataset.VOILUTSequence[0].LUTDescriptor)
        bottom, top = float(start), start + (entries or 65536) - 1.0
    else:
        centre, width = _number(dataset.get("WindowCenter")), _number(dataset.get("WindowWidth"))
        exact = str(dataset.get("VOILUTFunction", "LINEAR")).strip() in ("LINEAR_EXACT", "SIGMOID")
        if not exact:
            centre, width = centre - 0.5, width - 1.0
        bottom, top = centre - width / 2, centre + width / 2
    if not bottom < top or bottom >= high or top <= low:
        return None
    return (bottom - low) / (high - low), (top - low) / (high - low)


def _spacing(dataset: Dataset) -> tuple[float, float] | None:
    """(row, column) distance between pixel centres in mm; None where it is missing or impossible."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        given = dataset.get(keyword)
        if given is not None and not isinstance(given, str) and len(given) == 2:
            row, column = _number(given[0]), _number(given[1])
            if 0.01 <= row <= 10 and 0.01 <= column <= 10:
                return row, column
    return None


def _whole_number(dataset: Dataset, keyword: str, missing: int = 0) -> int:
    """An integer attribute; ``missing`` where it is absent, -1 where it is not a number."""
    value = dataset.get(keyword)
    try:
        return missing if value in (None, "") else int(value)
    except (TypeError, ValueError):
        return -1


def _number(value: Any, missing: float = float("nan")) -> float:
    """A decimal attribute, the first where there are several; ``missing`` where it is absent or not finite."""
    if value is not None and not isinstance(value, str | int | float) and hasattr(value, "__len__"):
        value = value[0] if len(value) else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return missing
    return number if np.isfinite(number) else missing
