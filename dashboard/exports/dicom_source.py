"""The film that DICOM exports refer to: a nameless copy of it, or the header of the original, on a person's wish."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid
from pydicom.valuerep import DS

from radiographs import FilmError, Radiograph
from radiographs.dicom import quiet
from radiographs.reading import read_radiograph

MAKER, MODEL_NAME = "XAI Lightbox", "XAI Lightbox"
FULL = 65535
UNICODE = "ISO_IR 192"
_KEPT = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "Modality",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "InstanceNumber",
    "SeriesNumber",
)
_EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)


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
        patient_orientation=("L", "F"),
        specific_character_set=UNICODE,
    )
    film.PatientIdentityRemoved = "YES"
    film.DeidentificationMethod = "Written from pixels alone, nothing of a source header was copied"
    film.BodyPartExamined = "CHEST"
    _set_plane(film, radiograph, _uid(digest, "frame of reference"))
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
    if read_radiograph(data).digest != radiograph.digest:
        raise FilmError("this file holds another film than the one that was explained; give its original DICOM file")
    try:
        with quiet():
            given = dcmread(io.BytesIO(data), stop_before_pixels=True)
            return _copied(given)
    except FilmError:
        raise
    except Exception as error:
        raise FilmError("the original is not a DICOM file with a complete header") from error


def _copied(given: Dataset) -> Dataset:
    header = Dataset()
    for keyword in _EMPTY:
        setattr(header, keyword, "")
    for keyword in _KEPT:
        if keyword in given:
            header[keyword] = given[keyword]
    for keyword in ("PatientName", "ReferringPhysicianName"):
        # highdicom quotes a name of one component in a warning, and names belong in no log.
        if str(header[keyword].value) and "^" not in str(header[keyword].value):
            setattr(header, keyword, f"{header[keyword].value}^")
        else:
            setattr(header, keyword, str(header[keyword].value))
    header.SpecificCharacterSet = UNICODE
    missing = [
        k for k in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID") if not header.get(k)
    ]
    if missing:
        raise FilmError(
            "the original names no study or no image, so nothing can refer to it; export without identifiers"
        )
    return header


def placed(source: Dataset, radiograph: Radiograph) -> Dataset:
    """The source with a place in space, which a Parametric Map must have: its own, else a plane at the detector."""
    if "ImagePositionPatient" in source:
        return source
    copy = Dataset()
    copy.update(source)
    frame = source.get("FrameOfReferenceUID") or _uid(
        radiograph.digest, f"frame of reference {source.StudyInstanceUID}"
    )
    _set_plane(copy, radiograph, frame)
    return copy


def _set_plane(dataset: Dataset, radiograph: Radiograph, frame_of_reference: str) -> None:
    dataset.FrameOfReferenceUID = frame_of_reference
    dataset.PositionReferenceIndicator = ""
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    dataset.PixelSpacing = [DS(mm, auto_format=True) for mm in radiograph.pixel_spacing_mm or (1.0, 1.0)]
    dataset.SliceThickness = 1


def _uid(digest: str, part: str) -> str:
    return str(generate_uid(entropy_srcs=["xai-lightbox", digest, part]))
