"""The clinic's export: DICOM files with maps, regions and scores of one film, which a viewer lays over it."""

from __future__ import annotations

import io
import re
import zipfile
from importlib.metadata import version
from typing import Any

from pydicom import Dataset
from pydicom.sr.codedict import codes

from dashboard.exports.dicom_maps import SCHEME, code, file_bytes, finding_code, map_regions_seg, parametric_map
from dashboard.exports.dicom_source import MAKER, MODEL_NAME, nameless_film, original_header, repairs
from evaluation.one_film.compare import Comparison, FindingResult
from evaluation.scores import metrics
from radiographs.film_readers.dicom import quiet
from radiographs.findings import display_name

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def dicom_zip(comparison: Comparison, original: bytes | None = None) -> bytes:
    """All maps, regions and scores of a comparison as DICOM files in a zip archive.

    Args:
        comparison: maps and scores.
        original: the film's original DICOM file. Where it is given, the patient's and the study's identifiers are
            copied from it and the files belong to its study; else the patient is nameless and the film comes along.

    Returns:
        The archive: Parametric Maps, one Segmentation a finding, one Comprehensive SR (TID 1500), and how to open them.

    Raises:
        FilmError: the original is another film, or cannot be referred to.
        ValueError: there is no map to export.
    """
    return _zipped(dicom_files(comparison, original))


def dicom_files(comparison: Comparison, original: bytes | None = None) -> dict[str, bytes]:
    """All maps, regions and scores of a comparison as DICOM files, and a text on how to open them, by name.

    Args, raises: as :func:`dicom_zip`.
    """
    film = comparison.radiograph
    said = [f"What the reader made of the film: {' '.join(note.words for note in film.notes)}"] if film.notes else []
    if original is None:
        files = _datasets(nameless_film(film), comparison)
        return {**files, "README.txt": _readme(_NAMELESS, said)}
    source, broken = original_header(original, film), repairs(original)
    if broken:
        said.append(f"Mended or left out, for they break the standard in the original: {', '.join(broken)}.")
    with quiet():
        return {**_datasets(source, comparison), "README.txt": _readme(_NAMED, said)}


def _readme(whose: str, said: list[str]) -> bytes:
    return (_HOW % "\n\n".join([whose, *said])).encode()


def _datasets(source: Dataset, comparison: Comparison) -> dict[str, bytes]:
    film = comparison.radiograph
    files: dict[str, Dataset] = {"film.dcm": source} if "PixelData" in source else {}
    segments: dict[str, tuple[Any, dict[str, int]]] = {}
    number = 0
    for finding, result in comparison.findings.items():
        for name, done in result.methods.items():
            if done.explanation is not None:
                number += 1
                files[f"map-{_name(finding)}-{_name(name)}.dcm"] = parametric_map(source, film, done, number)
        segments[finding] = map_regions_seg(source, film, result)
        if segments[finding][0] is not None:
            files[f"regions-{_name(finding)}.dcm"] = segments[finding][0]
    if not number:
        raise ValueError("there is no map to export yet; press Run first")
    files["scores.dcm"] = scores_sr(source, comparison, segments)
    return {name: file_bytes(dataset) for name, dataset in files.items()}


def scores_sr(source: Dataset, comparison: Comparison, segments: dict[str, tuple[Any, dict[str, int]]]) -> Any:
    """The scores as a structured report after TID 1500: one group for each map, beside its region.

    Args:
        source: the film's data set. comparison: what was scored.
        segments: by finding, the segmentation and its segment numbers (see :func:`map_regions_seg`).

    Returns:
        A ``highdicom.sr.ComprehensiveSR``. Undefined scores are left out.
    """
    from highdicom import UID
    from highdicom.sr import ComprehensiveSR, MeasurementReport

    groups = [
        group
        for finding, result in comparison.findings.items()
        for group in _groups(source, result, *segments[finding])
    ]
    report = MeasurementReport(
        observation_context=_observer(comparison),
        procedure_reported=code("explanation", "Explanation of a chest film classifier"),
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
        # highdicom describes a radiograph's orientation and detector spacing there, which originals often lack.
        referenced_images=[source] if "PixelData" in source else None,
    )
    evidence = [source, *(segmentation for segmentation, _ in segments.values() if segmentation is not None)]
    made = ComprehensiveSR(
        evidence,
        content=report,
        series_instance_uid=UID(),
        series_number=300,
        sop_instance_uid=UID(),
        instance_number=1,
        manufacturer=MAKER,
        is_complete=True,
    )
    made.SeriesDescription = "Scores of explanations"
    made.ManufacturerModelName, made.SoftwareVersions = MODEL_NAME, version("xai-lightbox")
    return made


def _observer(comparison: Comparison) -> Any:
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObservationContext, ObserverContext
    from pydicom.uid import generate_uid

    device = DeviceObserverIdentifyingAttributes(
        uid=str(generate_uid(entropy_srcs=["xai-lightbox", comparison.classifier_digest])),
        name=f"{MAKER}, model {comparison.classifier}"[:64],
        manufacturer_name=MAKER,
        model_name=f"{comparison.classifier} {comparison.classifier_digest[:12]}",
    )
    return ObservationContext(observer_device_context=ObserverContext(codes.DCM.Device, device))


def _groups(source: Dataset, result: FindingResult, segmentation: Any, numbers: dict[str, int]) -> list[Any]:
    from highdicom.sr import (
        MeasurementsAndQualitativeEvaluations,
        PlanarROIMeasurementsAndQualitativeEvaluations,
        ReferencedSegmentationFrame,
        SourceImageForSegmentation,
        TrackingIdentifier,
    )

    finding = finding_code(result.finding)
    words = display_name(result.finding)
    said = {"probability": result.probability, "logit": result.logit}
    titles = {"probability": "Probability by the model", "logit": "Logit of the model"}
    groups: list[Any] = [
        MeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(identifier=f"Model on {words}"),
            finding_type=finding,
            measurements=[_measurement(name, titles[name], value) for name, value in said.items()],
        )
    ]
    for method, done in result.methods.items():
        scores = [_measurement(n, metrics()[n].title, s.value) for n, s in done.scores.items() if s.defined]
        if not scores:
            continue
        said_of = {
            "tracking_identifier": TrackingIdentifier(identifier=f"{done.title}: {words}"),
            "finding_type": finding,
            "method": code(method, done.title),
            "measurements": scores,
        }
        if method not in numbers:
            groups.append(MeasurementsAndQualitativeEvaluations(**said_of))
            continue
        segment = ReferencedSegmentationFrame(
            segmentation.SOPClassUID,
            segmentation.SOPInstanceUID,
            frame_number=numbers[method],
            segment_number=numbers[method],
            source_image=SourceImageForSegmentation(source.SOPClassUID, source.SOPInstanceUID),
        )
        # A reference names frames or segments, never both (PS3.3 table 10-3); here each segment is one frame.
        del segment[0].ReferencedSOPSequence[0].ReferencedFrameNumber
        groups.append(PlanarROIMeasurementsAndQualitativeEvaluations(referenced_segment=segment, **said_of))
    return groups


def _measurement(name: str, title: str, value: float) -> Any:
    from highdicom.sr import Measurement

    return Measurement(name=code(name, title), value=float(f"{value:.6g}"), unit=codes.UCUM.NoUnits)


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _FIXED_TIME), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


_NAMELESS = """The patient has no name and every identifier is new: nothing was taken from the film's own file.
film.dcm is the film as it hangs, in a study of its own, whose date of 1900 stands for none. Open the whole folder.
Where the film's spacing or the side that it was taken from is not known, none is claimed."""
_NAMED = """Patient, study and image identifiers were copied from the original file, as you asked: treat these files as
patient data. They refer to the original image; send them to where its study lies, or open them together with it."""
_HOW = f"""Explanations of one chest film, for research and teaching, not for diagnosis.

%s

map-*.dcm      Parametric Map: one method's raw values, 32-bit floating point, one for each pixel of the film
regions-*.dcm  Segmentation: the expert's outline, and each map's highest pixels, as many as the outline has
               (a tenth of the film where there is no reference annotation)
scores.dcm     Structured report (TID 1500): the model's output, and each map's scores, beside its region
               (undefined scores are left out; scores need an outline)

In a viewer that knows these objects (for example OHIF, or 3D Slicer with its Quantitative Reporting extension), open
the study, show the film, then load the segmentation or the parametric map onto it. Rows and columns are those of the
film that the files refer to. Codes of the scheme {SCHEME} are this program's own; their meanings stand beside them.
"""
