"""What a DICOM header says of a film: whether it is one, from which side, how it lies, how large its pixels are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from radiographs.errors import FilmError
from radiographs.film_readers.codestreams import check_side_lengths
from radiographs.film_readers.orientation import Turn, patient_orientation, turn_to_usual
from radiographs.radiograph import Note

if TYPE_CHECKING:
    from pydicom import Dataset

_FILMS = {"CR", "DX", "DR", "XR", "RG"}
_DOUBTFUL = {"OT": "a capture of another program", "SC": "a secondary capture", "RF": "a fluoroscopy image"}
_NO_FILMS = {
    "CT": "a CT image",
    "MR": "an MR image",
    "US": "an ultrasound image",
    "MG": "a mammogram",
    "NM": "a nuclear medicine image",
    "PT": "a PET image",
    "XA": "an angiogram",
    "IO": "a dental film",
    "PX": "a dental film",
    "BMD": "a bone density scan",
    "ES": "an endoscopy image",
    "OP": "an eye image",
    "OPT": "an eye image",
    "SM": "a microscopy image",
    "XC": "a photograph",
    "ECG": "an electrocardiogram",
    "DOC": "a document",
    "KO": "a list of key images",
    "SR": "a report",
    "PR": "a presentation state",
    "SEG": "a segmentation",
    "RTIMAGE": "an image of radiotherapy",
    "RTDOSE": "a dose distribution",
    "RTPLAN": "a plan of radiotherapy",
    "RTSTRUCT": "a set of contours",
}
_FILM_CLASSES = ("1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1.1")
_CAPTURE_CLASSES = "1.2.840.10008.5.1.4.1.1.7"
_CHEST = ("CHEST", "THORAX", "TORAX", "LUNG", "RIB", "STERNUM", "HEART", "CLAVICLE", "TSPINE", "WHOLEBODY")
_BODY_PARTS = {
    "SKULL": "the skull",
    "HEAD": "the head",
    "JAW": "the jaw",
    "NECK": "the neck",
    "CSPINE": "the cervical spine",
    "LSPINE": "the lumbar spine",
    "SSPINE": "the sacrum",
    "SPINE": "the spine",
    "ABDOMEN": "the abdomen",
    "PELVIS": "the pelvis",
    "HIP": "the hip",
    "LEG": "the leg",
    "FEMUR": "the femur",
    "KNEE": "the knee",
    "ANKLE": "the ankle",
    "FOOT": "the foot",
    "TOE": "a toe",
    "EXTREMITY": "an arm or a leg",
    "ARM": "the arm",
    "HUMERUS": "the humerus",
    "ELBOW": "the elbow",
    "FOREARM": "the forearm",
    "WRIST": "the wrist",
    "HAND": "the hand",
    "FINGER": "a finger",
    "SHOULDER": "the shoulder",
    "BREAST": "the breast",
}
_OLDEST = 90
_FRONTAL = {"PA", "AP"}
_OTHER_VIEWS = {
    **dict.fromkeys(("LL", "RL", "LATERAL", "LAT"), "from the side"),
    **dict.fromkeys(("LLO", "RLO", "LAO", "RAO", "LPO", "RPO"), "at an angle"),
    **dict.fromkeys(("LLD", "RLD"), "with the patient lying on a side"),
}
_SIDEWAYS = {"LL", "RL", "LATERAL", "LAT"}


def check_is_film(dataset: Dataset) -> list[Note]:
    """Refuse, from the header alone, what is surely no single-frame film of readable size; say what is doubtful.

    Raises:
        FilmError: surely another modality, several frames, no pixels, or a size out of bounds.
    """
    if "DirectoryRecordSequence" in dataset:
        raise FilmError("the DICOM file is the index of a medium (DICOMDIR); give one of the films that lie beside it")
    notes = [*_modality(dataset), *_body_part(dataset)]
    rows, columns = whole_number(dataset, "Rows"), whole_number(dataset, "Columns")
    if whole_number(dataset, "NumberOfFrames", 1) > 1:
        raise FilmError("the DICOM file holds several frames; give a single film")
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise FilmError("the DICOM file holds floating-point values, not a film")
    if "PixelData" not in dataset or not dataset.PixelData or rows == 0 or columns == 0:
        raise FilmError("the DICOM file holds no pixels: it is cut off, or only a header")
    check_side_lengths(rows, columns)
    allocated = whole_number(dataset, "BitsAllocated")
    if not 8 <= whole_number(dataset, "BitsStored", allocated) <= 16 or allocated not in (8, 16):
        raise FilmError("the DICOM film does not have 8 to 16 bits a pixel")
    return notes


def _modality(dataset: Dataset) -> Iterator[Note]:
    modality = text_of(dataset, "Modality")
    storage = str(dataset.get("SOPClassUID", "") or "")
    if modality in _NO_FILMS:
        raise FilmError(f"the DICOM file is {_NO_FILMS[modality]}; only chest films (CR, DX) can be read")
    if modality in _DOUBTFUL or (not modality and storage.startswith(_CAPTURE_CLASSES)):
        what = _DOUBTFUL.get(modality, _DOUBTFUL["SC"])
        yield Note("modality", f"The file says that it is {what}: whether it is a chest film cannot be told.", True)
    elif not modality:
        yield Note("modality", "The file names no modality: whether it is a chest film cannot be told.", True)
    elif modality not in _FILMS:
        yield Note("modality", "The file names another modality than that of films.", True)
    elif storage and storage not in _FILM_CLASSES and not storage.startswith(_CAPTURE_CLASSES):
        yield Note("modality", "The file says that it is a film and is stored as another kind of object.", True)


def _body_part(dataset: Dataset) -> Iterator[Note]:
    part = text_of(dataset, "BodyPartExamined").replace("-", "").replace(" ", "")
    if part and not any(name in part for name in _CHEST):
        shown = _BODY_PARTS.get(part, "another part of the body")
        yield Note("body-part", f"The file says that it shows {shown}, not the chest; that is often wrong.", True)


def view_of(dataset: Dataset) -> tuple[str | None, list[Note]]:
    """The view, "PA", "AP", "LL" ... where the file says one that is known, and a doubt where it is not frontal."""
    view = text_of(dataset, "ViewPosition")
    if view not in _FRONTAL and view not in _OTHER_VIEWS:
        view = _coded_view(dataset)
    if not view and _letters(dataset)[:1] in ("A", "P"):
        view = "LATERAL"
    if view not in _OTHER_VIEWS:
        return view or None, []
    words = f"The film was taken {_OTHER_VIEWS[view]}; models are made for films from the front or the back."
    return view, [Note("lateral" if view in _SIDEWAYS else "view", words, True)]


def _coded_view(dataset: Dataset) -> str:
    codes = dataset.get("ViewCodeSequence")
    meaning = str(codes[0].get("CodeMeaning", "")).lower().replace("-", "").replace(" ", "") if codes else ""
    known = {"posteroanterior": "PA", "anteroposterior": "AP", "leftlateral": "LL", "rightlateral": "RL"}
    return next((view for words, view in known.items() if meaning.startswith(words)), "")


def turn_of(dataset: Dataset) -> tuple[Turn, list[Note]]:
    """The turn from the stored picture to the way in which one hangs the film, and what is to be said of it."""
    letters = _letters(dataset)
    if len(letters) == 2:
        turn = turn_to_usual(letters[0], letters[1], letters[0] in "AP" or letters[1] in "AP")
        if turn is None:
            words = "The file says that the film lies in another plane than a chest film; it was left as it lay."
            return Turn(), [Note("orientation", words, True)]
        if turn:
            return turn, [Note("turned", f"The film was {turn.words}, as the file says how the patient lies on it.")]
        return turn, []
    notes = []
    if text_of(dataset, "FieldOfViewHorizontalFlip") == "YES":
        words = "The file says that the picture was mirrored after the exposure, but not where left and right are."
        notes.append(Note("orientation", words, True))
    rotation = number(dataset.get("FieldOfViewRotation"), 0.0)
    if rotation % 360:
        words = f"The file says that the picture was turned by {rotation:.0f} degrees after the exposure."
        notes.append(Note("orientation", words, True))
    return Turn(), notes


def orientation_after(dataset: Dataset, turn: Turn) -> tuple[str, str] | None:
    """Where rows and columns of the turned film run to on the patient; None where the file does not say."""
    letters = _letters(dataset)
    return patient_orientation(turn, letters[0], letters[1]) if len(letters) == 2 else None


def _letters(dataset: Dataset) -> str:
    """First letters of where rows and columns run to, "LF" on a film as one hangs it; "" where that is not said."""
    given = dataset.get("PatientOrientation")
    if given is None or isinstance(given, str) or len(given) != 2:
        return ""
    letters = "".join(str(part).strip().upper()[:1] for part in given)
    return letters if len(letters) == 2 else ""


def age_of(dataset: Dataset) -> int | None:
    """The patient's age in whole years, 90 for all who are older; None where the file does not say it."""
    text = text_of(dataset, "PatientAge")
    if not re.fullmatch(r"\d{1,3}[DWMY]", text):
        return None
    years = int(text[:-1]) * {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1}[text[-1]]
    return min(int(years), _OLDEST)


def spacing_of(dataset: Dataset) -> tuple[float, float] | None:
    """(row, column) distance between pixel centres in mm; None where it is missing or impossible."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        pair = _pair(dataset, keyword)
        if pair is not None and all(0.01 <= side <= 10 for side in pair):
            return pair
    return None


def aspect_of(dataset: Dataset) -> tuple[float, float]:
    """Height and width of a pixel in any unit; (1, 1) where the file does not say otherwise."""
    pair = spacing_of(dataset) or _pair(dataset, "PixelAspectRatio")
    return pair if pair is not None and min(pair) > 0 else (1.0, 1.0)


def _pair(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    given = dataset.get(keyword)
    if given is None or isinstance(given, str) or not hasattr(given, "__len__") or len(given) != 2:
        return None
    pair = number(given[0]), number(given[1])
    return pair if np.isfinite(pair).all() else None


def text_of(dataset: Dataset, keyword: str) -> str:
    """A code string in capitals without outer spaces, the first where there are several; "" where it is absent."""
    value = dataset.get(keyword)
    if value is not None and not isinstance(value, str) and hasattr(value, "__len__"):
        value = value[0] if len(value) else None
    return str(value or "").strip().upper()


def whole_number(dataset: Dataset, keyword: str, missing: int = 0) -> int:
    """An integer attribute; ``missing`` where it is absent, -1 where it is not a number."""
    value = dataset.get(keyword)
    try:
        return missing if value in (None, "") else int(value)
    except (TypeError, ValueError):
        return -1


def number(value: Any, missing: float = float("nan")) -> float:
    """A decimal attribute, the first where there are several; ``missing`` where it is absent or not finite."""
    if value is not None and not isinstance(value, str | int | float) and hasattr(value, "__len__"):
        value = value[0] if len(value) else None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return missing
    return found if np.isfinite(found) else missing
