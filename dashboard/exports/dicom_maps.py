"""Maps as DICOM Parametric Maps and regions as DICOM Segmentations, through highdicom (Bridge et al. 2022).

Reference: doi 10.1007/s10278-022-00683-y; DICOM PS3.3 A.75 (Parametric Map), A.51 (Segmentation).
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes

from dashboard.exports.dicom_source import (
    MAKER,
    MODEL_NAME,
    in_frame_of,
    nameless_film,
    placed,
    spacing_in,
    unplaced,
    without_spacing,
)
from dashboard.shared.display import CONTOUR_SHARE, top_area
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.evaluate import MethodResult
from radiographs import Annotation, Radiograph
from radiographs.findings import canonical, display_name

SCHEME = "99XAILIGHTBOX"
"""Designator of the codes for which no public scheme has one."""
SERIAL = "0"
CODE_LENGTH = 16
_KNOWN = {
    "Effusion": codes.SCT.PleuralEffusion,
    "Pneumothorax": codes.SCT.Pneumothorax,
    "Cardiomegaly": codes.SCT.Cardiomegaly,
    "Edema": codes.SCT.PulmonaryEdema,
    "Nodule": codes.SCT.Nodule,
    "Mass": codes.SCT.Mass,
    "Fibrosis": codes.SCT.Fibrosis,
    "Ground-glass opacity": codes.DCM.GroundGlassOpacity,
    "Lung Opacity": codes.DCM.Opacity,
}


def code(value: str, meaning: str) -> Any:
    """A coded concept of this program's own; a long name is cut to 16 characters, four of them its digest's."""
    from highdicom.sr import CodedConcept

    short = re.sub(r"[^A-Za-z0-9]+", "-", value).strip("-")
    if len(short) > CODE_LENGTH:
        short = f"{short[: CODE_LENGTH - 5]}-{hashlib.sha256(short.encode()).hexdigest()[:4]}"
    return CodedConcept(short, SCHEME, meaning[:64])


def finding_code(finding: str) -> Any:
    """A finding's code: SNOMED CT or DICOM where pydicom's dictionaries have it, else this program's own."""
    return _KNOWN.get(canonical(finding)) or code(canonical(finding), display_name(finding))


def made_by() -> dict[str, Any]:
    """What every export says of the program that made it."""
    return {
        "manufacturer": MAKER,
        "manufacturer_model_name": MODEL_NAME,
        "software_versions": version("xai-lightbox"),
        "device_serial_number": SERIAL,
    }


def file_bytes(dataset: Dataset) -> bytes:
    """A data set as a DICOM file."""
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def parametric_map(source: Dataset, radiograph: Radiograph, done: MethodResult, number: int = 1) -> Any:
    """One map in the film's own pixels, raw 32-bit floating-point values.

    Args:
        source: the film's data set, or its header. radiograph: the film. done: a method's result with a map.
        number: of series and instance.

    Returns:
        A ``highdicom.pm.ParametricMap``.

    Raises:
        ValueError: the method made no map.
    """
    from highdicom import UID, VOILUTTransformation
    from highdicom.pm import ParametricMap, RealWorldValueMapping

    if done.explanation is None or done.on_film is None:
        raise ValueError(f"{done.title} made no map to export")
    on_source = in_frame_of(source, radiograph, np.asarray(done.on_film, dtype=np.float32))
    values = np.ascontiguousarray(on_source, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    meaning = f"{done.title}: {display_name(done.finding)}"
    mapping = RealWorldValueMapping(
        lut_label="raw attribution",
        lut_explanation=meaning[:64],
        unit=codes.UCUM.NoUnits,
        value_range=(low, high),
        slope=1.0,
        intercept=0.0,
        quantity_definition=code(done.method, f"{done.title} attribution"),
    )
    window = VOILUTTransformation(
        window_center=(low + high) / 2, window_width=max(high - low, 1e-12), voi_lut_function="LINEAR_EXACT"
    )
    made = ParametricMap(
        [placed(source, radiograph)],
        values,
        series_instance_uid=UID(),
        series_number=100 + number,
        sop_instance_uid=UID(),
        instance_number=number,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[window],
        content_label=_label(done.method),
        content_description=meaning[:64],
        **made_by(),
    )
    made.SeriesDescription = meaning[:64]
    _complete(made, source)
    if spacing_in(source, radiograph) is None:
        without_spacing(made)
    return made


def _complete(made: Any, source: Dataset) -> None:
    """What highdicom leaves out and the standard asks for."""
    made.BodyPartExamined = "CHEST"
    made.PatientOrientation = source.get("PatientOrientation")


def map_region(done: MethodResult, mask: np.ndarray | None) -> np.ndarray:
    """(H, W) bool: the map's highest positive pixels, as many as the outline has; without one, a tenth of the film.

    Pixels of the same value as the last one are all in.
    """
    assert done.on_film is not None
    return top_area(done.on_film, CONTOUR_SHARE if mask is None else float(mask.mean()))


def map_regions_seg(source: Dataset, radiograph: Radiograph, result: FindingResult) -> tuple[Any, dict[str, int]]:
    """All maps of one finding, binarised by :func:`map_region`, and the outline, as one segmentation.

    Returns:
        A ``highdicom.seg.Segmentation`` and the segment number by method ("outline" for the outline); maps without
        positive evidence have no segment. ``(None, {})`` where nothing is left.
    """
    regions: dict[str, tuple[np.ndarray, Any]] = {}
    if result.mask is not None and result.mask.any():
        regions["outline"] = (result.mask, _outline(result.finding, 1))
    for name, done in result.methods.items():
        if done.explanation is None:
            continue
        region = map_region(done, result.mask)
        if region.any():
            regions[name] = (region, _map_segment(done, len(regions) + 1))
    if not regions:
        return None, {}
    masks, words = [region for region, _ in regions.values()], [words for _, words in regions.values()]
    made = _segmentation(source, radiograph, masks, words, result.finding)
    return made, {name: place for place, name in enumerate(regions, start=1)}


def region_seg(
    radiograph: Radiograph, annotation: Annotation | Sequence[Annotation], source: Dataset | None = None
) -> bytes:
    """Outlines of a film as a DICOM Segmentation file, one segment each.

    Args:
        radiograph: the film. annotation: the outline, or several, none of them empty.
        source: the film's data set to refer to; a nameless one by default (see :func:`nameless_film`).

    Raises:
        ValueError: there is no outline, or one is empty or of another film's size.
    """
    outlines = [annotation] if isinstance(annotation, Annotation) else list(annotation)
    for outline in outlines:
        if outline.mask.shape != radiograph.shape:
            raise ValueError(f"the outline has shape {outline.mask.shape}, the film {radiograph.shape}")
    if not outlines or not all(outline.mask.any() for outline in outlines):
        raise ValueError("the outline is empty; draw a region first")
    refers_to = nameless_film(radiograph) if source is None else source
    segments = [_outline(outline.finding, number) for number, outline in enumerate(outlines, start=1)]
    findings = ", ".join(dict.fromkeys(outline.finding for outline in outlines))
    masks = [outline.mask for outline in outlines]
    made = _segmentation(refers_to, radiograph, masks, segments, findings, outlines[-1].reader)
    return file_bytes(made)


def _segmentation(
    source: Dataset,
    radiograph: Radiograph,
    regions: Sequence[np.ndarray],
    segments: Sequence[Any],
    finding: str,
    creator: str = "",
) -> Any:
    from highdicom import UID
    from highdicom.seg import Segmentation

    words = f"Regions: {display_name(finding)}"
    masks = [in_frame_of(source, radiograph, np.asarray(region, dtype=bool)) for region in regions]
    made = Segmentation(
        [unplaced(source) if spacing_in(source, radiograph) is None else placed(source, radiograph)],
        np.stack(masks, axis=-1)[None].astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=list(segments),
        series_instance_uid=UID(),
        series_number=200,
        sop_instance_uid=UID(),
        instance_number=1,
        content_label="REGIONS",
        content_description=words[:64],
        content_creator_name=_person(creator),
        omit_empty_frames=False,
        **made_by(),
    )
    made.SeriesDescription = words[:64]
    _complete(made, source)
    return made


def _outline(finding: str, number: int) -> Any:
    from highdicom import UID
    from highdicom.seg import SegmentDescription

    words = f"Outline: {display_name(finding)}"[:64]
    return SegmentDescription(
        number, words, codes.SCT.MorphologicallyAbnormalStructure, finding_code(finding), "MANUAL",
        tracking_uid=UID(), tracking_id=words,
    )  # fmt: skip


def _map_segment(done: MethodResult, number: int) -> Any:
    from highdicom import UID, AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription

    words = f"{done.title}: {display_name(done.finding)}"[:64]
    algorithm = AlgorithmIdentificationSequence(
        name=done.title, family=codes.DCM.ArtificialIntelligence, version=version("xai-lightbox"), source=MAKER
    )
    return SegmentDescription(
        number, words, code("map-regions", "Part of a film that a map points at"),
        code(f"highest-{done.method}", f"Highest pixels of {done.title}"), "AUTOMATIC", algorithm,
        tracking_uid=UID(), tracking_id=words,
    )  # fmt: skip


def _person(name: str) -> str | None:
    plain = " ".join(re.sub(r"[\\^=\x00-\x1f]", " ", name).split())[:60]
    return f"{plain}^" if plain else None


def _label(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", name.upper())[:16]
