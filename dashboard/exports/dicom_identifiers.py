"""Identifiers of an original that exports may copy, made to fit the standard where the original breaks it."""

from __future__ import annotations

import re
from typing import Any

from pydicom import Dataset
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR
from pydicom.multival import MultiValue
from pydicom.valuerep import DS, validate_value

from radiographs import FilmError

UNICODE = "ISO_IR 192"
_NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_COPIED = (
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
    "PatientOrientation",
    "InstanceNumber",
    "SeriesNumber",
)
_BLANK = (
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
_OF_SEVERAL = ("PixelSpacing", "ImagerPixelSpacing", "PatientOrientation")
_SEXES = ("", "M", "F", "O")
_DATE = re.compile(r"(\d{4})[-./ ](\d{2})[-./ ](\d{2})")
_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?")


def copied_header(given: Dataset) -> tuple[Dataset, tuple[str, ...]]:
    """What exports copy from an original's header: who, which study, which image.

    Args:
        given: the original's header.

    Returns:
        A data set without pixels, all of whose values fit the standard; and the keywords of those that did not, which
        were mended or left out.

    Raises:
        FilmError: an identifier that is needed to refer to the image is missing, or breaks the standard.
    """
    header = Dataset()
    for keyword in _BLANK:
        setattr(header, keyword, "")
    repaired = []
    for keyword in _COPIED:
        if keyword not in given or given[keyword].is_empty:
            continue
        value, fits = _fitting(keyword, given[keyword].value)
        if not fits:
            repaired.append(keyword)
        if value is not None:
            setattr(header, keyword, value)
    for keyword in ("PatientName", "ReferringPhysicianName"):
        # highdicom quotes a name of one component in a warning, and names belong in no log.
        name = str(header[keyword].value)
        setattr(header, keyword, f"{name}^" if name and "^" not in name else name)
    header.SpecificCharacterSet = UNICODE
    if any(keyword in repaired for keyword in _NEEDED):
        raise FilmError(
            "the original's identifiers break the DICOM standard, so that nothing can refer to it; "
            "export without identifiers"
        )
    if any(not header.get(keyword) for keyword in _NEEDED):
        raise FilmError(
            "the original names no study or no image, so nothing can refer to it; export without identifiers"
        )
    return header, tuple(repaired)


def _fitting(keyword: str, value: Any) -> tuple[Any, bool]:
    """A value that fits the standard, None where there is none; and whether the given one did."""
    several = isinstance(value, MultiValue | list)
    texts = [str(part).strip() for part in (value if several else [value])]
    vr = dictionary_VR(keyword)
    if len(texts) > 1 and keyword not in _OF_SEVERAL:
        return None, False
    if vr == "DS":
        numbers = [DS(number, auto_format=True) for number in map(float, texts)]
        return numbers, all(len(text) <= 16 for text in texts)
    if vr in ("US", "SS"):
        return value, True
    if keyword == "PatientSex":
        first = texts[0][:1].upper()
        return (first if first in _SEXES else ""), texts[0] in _SEXES
    if all(_fits(vr, text) for text in texts):
        return (texts if several and len(texts) > 1 else texts[0]), True
    return _mended(vr, texts[0]), False


def _fits(vr: str, text: str) -> bool:
    try:
        validate_value(vr, text, RAISE)
    except ValueError:
        return False
    return vr != "UI" or re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+", text) is not None


def _mended(vr: str, text: str) -> str | None:
    """A date or time of another spelling as the standard spells it; None where it is none."""
    date, time = _DATE.fullmatch(text), _TIME.fullmatch(text)
    mended = None
    if vr == "DA" and date:
        mended = "".join(date.groups())
    elif vr == "TM" and time:
        mended = "".join(part for part in time.groups() if part)
    return mended if mended is not None and _fits(vr, mended) else None
