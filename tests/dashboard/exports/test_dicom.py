"""DICOM exports: read again they say the same, refer to the film, name nobody unless asked, and break no rule."""

from __future__ import annotations

import io
import shutil
import subprocess
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR
from pydicom.uid import ComputedRadiographyImageStorage, generate_uid

from dashboard.exports.dicom import dicom_files, dicom_zip
from dashboard.exports.dicom_maps import code, file_bytes, map_region, region_seg
from dashboard.exports.dicom_source import nameless_film, original_header
from evaluation.one_film.compare import Comparison, compare
from evaluation.one_film.evaluate import MethodResult, ScoringContext
from evaluation.scores import metrics
from radiographs import Annotation, FilmError, Radiograph
from radiographs.annotation import annotations_of
from radiographs.findings import NIH_FINDINGS, display_name
from radiographs.reading import read_radiograph
from tests.dashboard.made import tiny_classifier, tiny_film
from xai_methods import methods

SECRETS = ("Secret^Name", "ID-4711", "19500101", "ACC-99", "Referrer^Dr")


@pytest.fixture(autouse=True)
def strict(monkeypatch):
    """Pydicom raises at whatever the standard forbids, and no warning passes."""
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    monkeypatch.setattr(pydicom.config.settings, "writing_validation_mode", pydicom.config.RAISE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def original(name: str = SECRETS[0], frame_of_reference: bool = False) -> bytes:
    """A computed radiograph of somebody."""
    film = nameless_film(tiny_film()[0])
    film.Modality, film.SOPClassUID = "CR", ComputedRadiographyImageStorage
    film.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    film.PatientName, film.PatientID, film.PatientBirthDate, film.AccessionNumber = name, *SECRETS[1:4]
    film.ReferringPhysicianName = SECRETS[4]
    film.PatientComments = "Secret comment"
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PatientIdentityRemoved"):
        film.pop(keyword, None)
    if not frame_of_reference:
        del film.FrameOfReferenceUID
    film.StudyInstanceUID, film.SOPInstanceUID = generate_uid(), generate_uid()
    film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID
    return file_bytes(film)


def compared(radiograph: Radiograph) -> Comparison:
    methods = {"grad-cam": None, "jacobian": None, "input-x-gradient": None}
    outlined = annotations_of(dict.fromkeys(["Nodule", "Effusion"], tiny_film()[1]))
    made = compare(ScoringContext(tiny_classifier(), radiograph, outlined), ["Nodule", "Effusion"], methods)
    made.findings["Nodule"].methods["lime"] = MethodResult("Nodule", "lime", "LIME", error="LIME failed")
    return made


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compared(tiny_film()[0])


def opened(archive: bytes) -> dict[str, Dataset]:
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.testzip() is None
        return {n: pydicom.dcmread(io.BytesIO(files.read(n))) for n in files.namelist() if n.endswith(".dcm")}


@pytest.fixture
def files(comparison) -> dict[str, Dataset]:
    return opened(dicom_zip(comparison))


def everything(datasets: dict[str, Dataset]) -> str:
    return "\n".join(str(dataset) for dataset in datasets.values())


def test_every_part_is_there(files):
    maps = {f"map-{f}-{m}.dcm" for f in ("nodule", "effusion") for m in ("grad-cam", "jacobian", "input-x-gradient")}
    assert set(files) >= {"film.dcm", "scores.dcm", "regions-nodule.dcm", *maps}
    assert "map-nodule-lime.dcm" not in files


def test_maps_are_the_raw_values(files, comparison):
    for finding, result in comparison.findings.items():
        for name, done in result.methods.items():
            if done.on_film is None:
                continue
            dataset = files[f"map-{finding.lower()}-{name}.dcm"]
            assert dataset.SOPClassUID.name == "Parametric Map Storage"
            assert np.array_equal(dataset.pixel_array, done.on_film)
            mapping = dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
            assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1.0, 0.0)


def test_regions_are_the_outline_and_each_maps_highest_pixels(files, comparison):
    result = comparison.findings["Effusion"]
    seg = hd.seg.Segmentation.from_dataset(files["regions-effusion.dcm"])
    wanted = {"Outline: Pleural effusion": result.mask}
    for done in result.methods.values():
        if done.on_film is not None and map_region(done, result.mask).any():
            wanted[f"{done.title}: Pleural effusion"] = map_region(done, result.mask)
    labels = [item.SegmentLabel for item in seg.SegmentSequence]
    assert labels == list(wanted)
    source = files["film.dcm"].SOPInstanceUID
    for number, region in enumerate(wanted.values(), start=1):
        stored = seg.get_pixels_by_source_instance([source], segment_numbers=[number])
        assert np.array_equal(stored[0, ..., 0].astype(bool), region)
    assert len(wanted) >= 3
    for done in result.methods.values():
        if done.on_film is not None and (region := map_region(done, result.mask)).any():
            least = done.on_film[region].min()
            assert (done.on_film > least).sum() <= result.mask.sum() + 1
            assert least > 0


@pytest.mark.parametrize("finding", ["Nodule", "Effusion"])
def test_scores_say_what_the_table_says(files, comparison, finding):
    report = hd.sr.srread(io.BytesIO(file_bytes(files["scores.dcm"])))
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    content, result, words = report.content, comparison.findings[finding], display_name(finding)
    beside = {g.tracking_identifier: g for g in content.get_planar_roi_measurement_groups()}
    alone = {g.tracking_identifier: g for g in content.get_image_measurement_groups()}
    seg = files[f"regions-{finding.lower()}.dcm"]
    segment = {item.SegmentLabel: item.SegmentNumber for item in seg.SegmentSequence}
    for done in result.methods.values():
        if done.on_film is None:
            continue
        name = f"{done.title}: {words}"
        assert (name in beside) == map_region(done, result.mask).any() != (name in alone)
        group = beside[name] if name in beside else alone[name]
        told = {m.name.value: float(m.value) for m in group.get_measurements()}
        known = {code(n, n).value: pytest.approx(s.value, rel=1e-5) for n, s in done.scores.items() if s.defined}
        assert told == known
        if name in beside:
            assert group.reference_type == pydicom.sr.codedict.codes.DCM.ReferencedSegmentationFrame
            reference = group.referenced_segmentation_frame
            assert reference.referenced_sop_instance_uid == seg.SOPInstanceUID
            assert reference.referenced_segment_numbers == [segment[name]]
    said = {m.name.value: float(m.value) for m in alone[f"Model on {words}"].get_measurements()}
    assert said["probability"] == pytest.approx(result.probability, rel=1e-5)
    assert bool(beside) or finding == "Nodule"


def test_all_belong_to_one_study_and_refer_to_the_film(files):
    film = files["film.dcm"]
    assert len({d.StudyInstanceUID for d in files.values()}) == 1
    assert len({d.SOPInstanceUID for d in files.values()}) == len(files)
    assert len({d.SeriesInstanceUID for d in files.values()}) == len(files)
    for name, dataset in files.items():
        assert name == "film.dcm" or str(film.SOPInstanceUID) in str(dataset)
        if name.startswith(("map", "regions")):
            assert dataset.FrameOfReferenceUID == film.FrameOfReferenceUID
            assert (dataset.Rows, dataset.Columns) == (film.Rows, film.Columns)


def test_the_film_comes_along_in_16_bits(files, comparison):
    stored = files["film.dcm"].pixel_array / 65535
    assert np.abs(stored - comparison.radiograph.pixels).max() <= 0.5 / 65535 + 1e-6


def test_the_same_film_gives_the_same_study_another_film_another(comparison, files):
    again = opened(dicom_zip(comparison))
    assert again["film.dcm"].StudyInstanceUID == files["film.dcm"].StudyInstanceUID
    assert again["scores.dcm"].SOPInstanceUID != files["scores.dcm"].SOPInstanceUID
    assert nameless_film(tiny_film(1)[0]).StudyInstanceUID != files["film.dcm"].StudyInstanceUID


def test_nobody_is_named_unless_asked():
    made = compared(read_radiograph(original()))
    words = everything(opened(dicom_zip(made)))
    assert not [secret for secret in (*SECRETS, "Secret") if secret in words]
    assert pydicom.dcmread(io.BytesIO(original())).StudyInstanceUID not in words


@pytest.mark.parametrize("frame_of_reference", [False, True])
def test_on_wish_the_files_join_the_original_study(frame_of_reference):
    data = original(frame_of_reference=frame_of_reference)
    source = pydicom.dcmread(io.BytesIO(data))
    files = opened(dicom_zip(compared(read_radiograph(data)), data))
    assert "film.dcm" not in files
    for dataset in files.values():
        assert dataset.StudyInstanceUID == source.StudyInstanceUID
        assert dataset.PatientName == source.PatientName
        assert str(source.SOPInstanceUID) in str(dataset)
        assert "Secret comment" not in str(dataset)
    if frame_of_reference:
        assert files["map-nodule-jacobian.dcm"].FrameOfReferenceUID == source.FrameOfReferenceUID


def test_a_name_of_one_word_gets_into_no_warning(recwarn, caplog):
    data = original(name="Onlyname")
    files = opened(dicom_zip(compared(read_radiograph(data)), data))
    assert str(files["scores.dcm"].PatientName).rstrip("^") == "Onlyname"
    assert "Onlyname" not in caplog.text + " ".join(str(w.message) for w in recwarn)


def test_an_original_that_is_another_film_is_refused(comparison):
    other = nameless_film(tiny_film(1)[0])
    other.Modality = "CR"
    with pytest.raises(FilmError, match="another film"):
        dicom_zip(comparison, file_bytes(other))
    with pytest.raises(FilmError):
        dicom_zip(comparison, b"no film at all")


def test_an_original_without_identifiers_is_refused():
    given = pydicom.dcmread(io.BytesIO(original()))
    del given.StudyInstanceUID
    data = file_bytes(given)
    with pytest.raises(FilmError, match="no study"):
        dicom_zip(compared(read_radiograph(data)), data)


def test_nothing_to_export_is_said(comparison):
    empty = {f: replace(r, methods={}) for f, r in comparison.findings.items()}
    with pytest.raises(ValueError, match="no map"):
        dicom_zip(replace(comparison, findings=empty))


needs_dciodvfy = pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")


def errors_of(folder: Path, files: dict[str, bytes], directory: bool = True) -> list[str]:
    """What dciodvfy calls an error in any of the files, or, on wish, missing for a DICOMDIR."""
    found = []
    for name, content in files.items():
        if name.endswith(".dcm"):
            (folder / name).write_bytes(content)
            ran = subprocess.run(["dciodvfy", "-new", folder / name], capture_output=True, text=True, check=False)
            lines = (ran.stdout + ran.stderr).splitlines()
            found += [
                f"{name}: {line}" for line in lines if line.startswith("Error") or (directory and "DICOMDIR" in line)
            ]
    return found


@needs_dciodvfy
@pytest.mark.parametrize("spacing", [None, (0.143, 0.143)])
@pytest.mark.parametrize("orientation", [None, ("L", "F"), ("P", "F")])
def test_a_verifier_finds_no_error_in_nameless_files(comparison, tmp_path, spacing, orientation):
    film = replace(comparison.radiograph, pixel_spacing_mm=spacing, orientation=orientation)
    assert errors_of(tmp_path, dicom_files(replace(comparison, radiograph=film))) == []


@needs_dciodvfy
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ImagerPixelSpacing": [0.143, 0.143], "PatientOrientation": ["L", "F"]},
        {"StudyDate": "2020-01-31", "StudyTime": "12:30:05", "StudyID": "X" * 40, "PatientSex": "female"},
        {"PatientBirthDate": "31.1.57", "AccessionNumber": "A\\B" * 12, "InstanceNumber": "one"},
    ],
)
def test_a_verifier_finds_no_error_in_files_of_the_original_study(tmp_path, changes):
    data = changed_original(changes)
    assert errors_of(tmp_path, dicom_files(compared(read_radiograph(data)), data), directory=False) == []


def changed_original(changes) -> bytes:
    """The original with other values, right or wrong."""
    given = pydicom.dcmread(io.BytesIO(original()))
    with pydicom.config.disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in changes.items():
            given.pop(keyword, None)
            given.add(DataElement(keyword, "LO" if isinstance(value, str) else dictionary_VR(keyword), value))
            given[keyword].VR = dictionary_VR(keyword)
        return file_bytes(given)


def test_what_breaks_the_standard_in_an_original_is_mended_or_left_out_and_named():
    data = changed_original({"StudyDate": "2020-01-31", "StudyTime": "12:30:05", "StudyID": "X" * 40})
    files = dicom_files(compared(read_radiograph(data)), data)
    scores = pydicom.dcmread(io.BytesIO(files["scores.dcm"]))
    assert (scores.StudyDate, scores.StudyTime, scores.StudyID) == ("20200131", "123005", "")
    assert "break the standard in the original: StudyDate, StudyTime, StudyID." in files["README.txt"].decode()
    broken = changed_original({"StudyInstanceUID": "1.02.abc"})
    with pytest.raises(FilmError, match="nothing can refer to it"):
        dicom_files(compared(read_radiograph(broken)), broken)


def test_a_film_of_unknown_spacing_and_side_claims_none(files):
    for dataset in files.values():
        assert "PixelSpacing" not in str(dataset)
        assert "SliceThickness" not in dataset
        assert "ImagePositionPatient" not in dataset
        assert not dataset.get("PatientOrientation")


def test_a_window_narrower_than_one_is_exact(files):
    shown = files["map-nodule-jacobian.dcm"].SharedFunctionalGroupsSequence[0].FrameVOILUTSequence[0]
    assert shown.VOILUTFunction == "LINEAR_EXACT"


def test_files_lie_as_the_original_does_and_the_nameless_film_as_it_hangs(comparison):
    turned = changed_original({"PatientOrientation": ["R", "F"], "PixelSpacing": [0.1, 0.2]})
    film = read_radiograph(turned)
    assert film.orientation == ("L", "F")
    made = compared_wide(film)
    named = opened_files(dicom_files(made, turned))
    source = pydicom.dcmread(io.BytesIO(turned))
    for name, dataset in named.items():
        if name.startswith(("map", "regions")):
            assert (dataset.Rows, dataset.Columns) == (source.Rows, source.Columns)
            assert list(dataset.PatientOrientation) == ["R", "F"]
    stored = named["regions-effusion.dcm"].pixel_array
    stored = stored[0] if stored.ndim == 3 else stored
    wide = made.findings["Effusion"].mask
    np.testing.assert_array_equal(stored.astype(bool), wide[:, ::2][:, ::-1])
    nameless = opened_files(dicom_files(made))
    assert list(nameless["film.dcm"].PatientOrientation) == ["L", "F"]
    assert (nameless["film.dcm"].Rows, nameless["film.dcm"].Columns) == film.shape


def compared_wide(film: Radiograph) -> Comparison:
    mask = np.repeat(tiny_film()[1], 2, axis=1)
    return compare(
        ScoringContext(tiny_classifier(), film, annotations_of({"Effusion": mask})), ["Effusion"], {"grad-cam": None}
    )


def opened_files(files: dict[str, bytes]) -> dict[str, Dataset]:
    return {name: pydicom.dcmread(io.BytesIO(content)) for name, content in files.items() if name.endswith(".dcm")}


def test_a_drawn_region_as_segmentation():
    film, mask = tiny_film()
    dataset = pydicom.dcmread(io.BytesIO(region_seg(film, Annotation("Effusion", mask, "polygon", "Dr ^A\\B="))))
    seg = hd.seg.Segmentation.from_dataset(dataset)
    stored = seg.get_pixels_by_source_instance([nameless_film(film).SOPInstanceUID])
    assert np.array_equal(stored[0, ..., 0].astype(bool), mask)
    item = seg.SegmentSequence[0]
    assert item.SegmentAlgorithmType == "MANUAL"
    assert item.SegmentedPropertyTypeCodeSequence[0].CodeValue == "60046008"
    assert "Dr" in str(dataset.ContentCreatorName)


def test_several_drawn_regions_are_one_segment_each():
    film, mask = read_radiograph(original()), tiny_film()[1]
    drawn = [Annotation("Effusion", mask, "polygon", "you"), Annotation("Mass", ~mask, "mask", "Müller")]
    given = original()
    source = original_header(given, film)
    dataset = pydicom.dcmread(io.BytesIO(region_seg(film, drawn, source)))
    assert dataset.StudyInstanceUID == source.StudyInstanceUID
    assert str(dataset.ContentCreatorName) == "Müller^"
    seg = hd.seg.Segmentation.from_dataset(dataset)
    stored = seg.get_pixels_by_source_instance([source.SOPInstanceUID])
    assert np.array_equal(stored[0].astype(bool), np.stack([mask, ~mask], axis=-1))
    with pytest.raises(ValueError, match="empty"):
        region_seg(film, [])


@pytest.mark.parametrize("mask", [np.zeros((80, 64), bool), np.ones((3, 3), bool)])
def test_a_region_that_cannot_be_written_is_refused(mask):
    with pytest.raises(ValueError, match=r"empty|shape"):
        region_seg(tiny_film()[0], Annotation("Mass", mask, "mask", "you"))


def test_codes_are_short_and_told_apart():
    names = [*metrics(), *methods(), *NIH_FINDINGS]
    assert len({code(name, name).value for name in names}) == len(set(names))
    assert all(len(code(name, name).value) <= 16 for name in names)
