"""The film that DICOM exports refer to: a nameless copy of it, or the header of the original, on a person's wish."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid
from pydicom.valuerep import DS

from dashboard.exports.dicom_identifiers import UNICODE, copied_header
from radiographs import FilmError, Radiograph
from radiographs.decoding.pool import read_film
from radiographs.film_readers.dicom import quiet
from radiographs.film_readers.dicom_header import spacing_of

MAKER, MODEL_NAME = "XAI Lightbox", "XAI Lightbox"
FULL = 65535
_PLACEHOLDERS = {"StudyDate": "19000101", "StudyTime": "000000"}
"""Archives refuse a study without date and time; these say of no day."""
_AXES = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
_FRONTAL = ("L", "F")


def nameless_film(radiograph: Radiograph) -> Any:
    """The film as a DICOM secondary capture of a patient without a name, in 16 bits.

    Its unique identifiers come from the film's digest: exports of the same film meet in one study.

    Args:
        radiograph: the film.

    Returns:
        A ``highdicom.sc.SCImage``.
    """
    from highdicom.sc import SCImage

    digest = radiograph.digest
    film = SCImage(
        np.round(radiograph.pixels * FULL).astype(np.uint16),
        photometric_interpretation="MONOCHROME2",
        bits_allocated=16,
        coordinate_system="PATIENT",
        study_instance_uid=_uid(digest, "study"),
        series_instance_uid=_uid(digest, "series"),
        series_number=1,
        sop_instance_uid=_uid(digest, "film"),
        instance_number=1,
        manufacturer=MAKER,
        patient_id=f"film-{digest[:12]}",
        patient_name="Anonymous^",
        patient_orientation=radiograph.orientation or _FRONTAL,
        specific_character_set=UNICODE,
    )
    film.PatientIdentityRemoved = "YES"
    film.DeidentificationMethod = "Written from pixels alone, nothing of a source header was copied"
    film.BodyPartExamined = "CHEST"
    film.StudyID = digest[:16]
    for keyword, value in _PLACEHOLDERS.items():
        setattr(film, keyword, value)
    if radiograph.orientation is None:
        # highdicom asks for an orientation; the film's own is not known, and none is claimed.
        film.PatientOrientation = []
    if radiograph.pixel_spacing_mm is not None:
        film.PixelSpacing = [DS(mm, auto_format=True) for mm in radiograph.pixel_spacing_mm]
    _set_plane(film, _uid(digest, "frame of reference"), radiograph.orientation or _FRONTAL)
    if radiograph.pixel_spacing_mm is None:
        # A thickness or a place in mm would have viewers take 1 mm for the spacing that is not known.
        for keyword in ("SliceThickness", "ImagePositionPatient", "ImageOrientationPatient"):
            delattr(film, keyword)
    low, high = radiograph.window or (0.0, 1.0)
    film.WindowCenter, film.WindowWidth = f"{FULL * (low + high) / 2:.1f}", f"{max(FULL * (high - low), 1):.1f}"
    return film


def original_header(data: bytes, radiograph: Radiograph) -> Dataset:
    """What exports copy from the original file where a person wants them in its study: who, which study, which image.

    Args:
        data: the original DICOM file. radiograph: the film that was explained.

    Returns:
        A data set without pixels.

    Raises:
        FilmError: the file is no DICOM film, another film, or lacks the identifiers to refer to.
    """
    if read_film(data).digest != radiograph.digest:
        raise FilmError("this file holds another film than the one that was explained; give its original DICOM file")
    return _copied(data)[0]


def repairs(data: bytes) -> tuple[str, ...]:
    """What of an original's header breaks the DICOM standard, and is mended or left out of exports: its keywords.

    Raises:
        FilmError: the file is no DICOM file, or lacks the identifiers to refer to.
    """
    return _copied(data)[1]


def _copied(data: bytes) -> tuple[Dataset, tuple[str, ...]]:
    try:
        with quiet():
            return copied_header(dcmread(io.BytesIO(data), stop_before_pixels=True))
    except FilmError:
        raise
    except Exception as error:
        raise FilmError("the original is not a DICOM file with a complete header") from error


def in_frame_of(source: Dataset, radiograph: Radiograph, array: np.ndarray) -> np.ndarray:
    """A map or mask of the film, (H, W), in the frame of the image that exports refer to.

    The nameless copy has the film's own frame; an original lies as it was stored.
    """
    if radiograph.stored is None or "PixelData" in source:
        return array
    if array.dtype == bool:
        return radiograph.stored.to_stored(array)
    return radiograph.stored.values_to_stored(array)


def spacing_in(source: Dataset, radiograph: Radiograph) -> tuple[float, float] | None:
    """(row, column) distance of pixels in mm in the frame that exports refer to; None where it is not known."""
    if radiograph.stored is None or "PixelData" in source:
        return radiograph.pixel_spacing_mm
    return spacing_of(source)


def placed(source: Dataset, radiograph: Radiograph) -> Dataset:
    """The source with a place in space, which highdicom asks for: its own, else a plane at the detector.

    Where the spacing is not known it stands at 1 mm; :func:`without_spacing` takes that out of what was made.
    """
    if "ImagePositionPatient" in source and "PixelSpacing" in source:
        return source
    copy = Dataset()
    copy.update(source)
    frame = source.get("FrameOfReferenceUID") or _uid(
        radiograph.digest, f"frame of reference {source.StudyInstanceUID}"
    )
    _set_plane(copy, frame, source.get("PatientOrientation") or _FRONTAL)
    copy.PixelSpacing = [DS(mm, auto_format=True) for mm in spacing_in(source, radiograph) or (1.0, 1.0)]
    return copy


def _set_plane(dataset: Dataset, frame_of_reference: str, orientation: Sequence[str]) -> None:
    dataset.FrameOfReferenceUID = frame_of_reference
    dataset.PositionReferenceIndicator = ""
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.ImageOrientationPatient = _cosines(orientation)
    dataset.SliceThickness = 1


def unplaced(source: Dataset) -> Dataset:
    """The source without place and spacing, for segmentations: highdicom cannot read one with a place alone."""
    copy = Dataset()
    copy.update(source)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "ImagerPixelSpacing"):
        copy.pop(keyword, None)
    return copy


def without_spacing(dataset: Dataset) -> None:
    """Take spacing and thickness, which are not known, out of a multi-frame object, so that no ruler lies."""
    for groups in (dataset.SharedFunctionalGroupsSequence, dataset.PerFrameFunctionalGroupsSequence):
        for item in groups:
            for measures in item.get("PixelMeasuresSequence", []):
                for keyword in ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"):
                    measures.pop(keyword, None)


def _cosines(orientation: Sequence[str]) -> list[int]:
    """Directions of rows and columns in space, by PatientOrientation; a frontal film's where that does not say."""
    letters = [str(part)[:1] for part in orientation]
    row, column = (_AXES.get(letter) for letter in (letters if len(letters) == 2 else _FRONTAL))
    if row is None or column is None or any(a and b for a, b in zip(row, column, strict=True)):
        row, column = (_AXES[letter] for letter in _FRONTAL)
    return [*row, *column]


def _uid(digest: str, part: str) -> str:
    return str(generate_uid(entropy_srcs=["xai-lightbox", digest, part]))
