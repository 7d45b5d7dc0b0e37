import io
import logging
import warnings
from importlib.metadata import distribution

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from radiographs.errors import FilmError
from radiographs.reading import read_radiograph
from tests.radiographs.film_readers.dicom_films import SECRETS, STORED, codes, film, lut, read, save


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_uncompressed_film_is_scaled_over_the_stored_range(syntax):
    result = read(syntax=syntax)
    np.testing.assert_allclose(result.pixels, STORED / 4095, atol=1e-6)
    assert result.bits == 12


def test_a_film_without_preamble_is_still_recognised():
    data = save(film())
    assert read_radiograph(data[132:]).digest == read_radiograph(data).digest


def jpeg_baseline(grey):
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=98)
    return stream.getvalue()


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_lossless_compression_gives_the_same_film(syntax):
    dataset = film()
    dataset.compress(syntax)
    assert read_radiograph(save(dataset)).digest == read().digest


def test_jpeg_baseline_is_read():
    grey = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    data = encapsulate([jpeg_baseline(grey)])
    tags = {"BitsStored": 8, "HighBit": 7}
    result = read(grey, JPEGBaseline8Bit, data, **tags)
    assert np.abs(result.pixels - grey / 255).max() < 0.03
    assert result.bits == 8


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("pydicom", "pydicom/data/test_files/MR_small_jpeg_ls_lossless.dcm"),
        ("pydicom", "pydicom/data/test_files/MR_small_RLE.dcm"),
        ("pydicom", "pydicom/data/test_files/MR_small_jp2klossless.dcm"),
    ],
)
def test_foreign_encoders_agree_with_the_uncompressed_original(package, name):
    films = []
    for path in (name, "pydicom/data/test_files/MR_small.dcm"):
        dataset = dcmread(distribution(package).locate_file(path))
        dataset.Modality = "CR"
        films.append(read_radiograph(save(dataset)))
    assert films[0].digest == films[1].digest


def test_jpeg_lossless_is_read():
    path = distribution("pydicom").locate_file("pydicom/data/test_files/SC_rgb_jpeg_gdcm.dcm")
    original = distribution("pydicom-data").locate_file("data_store/data/SC_rgb.dcm")
    films = []
    for each in (path, original):
        dataset = dcmread(each)
        dataset.Modality = "CR"
        films.append(read_radiograph(save(dataset)))
    np.testing.assert_allclose(films[0].pixels, films[1].pixels, atol=1e-6)


def test_monochrome1_is_inverted_with_its_window():
    plain = read(WindowCenter=1000.5, WindowWidth=501)
    inverted = read(PhotometricInterpretation="MONOCHROME1", WindowCenter=1000.5, WindowWidth=501)
    np.testing.assert_allclose(inverted.pixels, 1 - plain.pixels, atol=1e-6)
    assert inverted.window == pytest.approx((1 - plain.window[1], 1 - plain.window[0]))


def test_rescale_scales_over_the_rescaled_range_and_may_invert():
    np.testing.assert_allclose(read(RescaleSlope=2, RescaleIntercept=-1000).pixels, STORED / 4095, atol=1e-6)
    np.testing.assert_allclose(read(RescaleSlope=-1, RescaleIntercept=4095).pixels, 1 - STORED / 4095, atol=1e-6)


def test_signed_values_are_scaled_over_the_signed_range():
    stored = STORED.astype(np.int16) - 2048
    np.testing.assert_allclose(read(stored).pixels, (stored + 2048) / 4095, atol=1e-6)


def test_modality_lut_is_applied_over_its_own_depth():
    table = (4095 - np.arange(4096)) * 16
    result = read(ModalityLUTSequence=lut([4096, 0, 16], table.tolist()))
    np.testing.assert_allclose(result.pixels, table[STORED] / 65535, atol=1e-6)


def test_a_film_of_fewer_bits_than_announced_is_scaled_over_those_it_uses():
    narrow = read(BitsStored=16, HighBit=15)
    np.testing.assert_allclose(narrow.pixels, STORED / 4095, atol=1e-6)
    assert narrow.bits == 12
    assert codes(narrow) == ["depth"]


def test_a_film_that_fills_less_than_an_eighth_of_its_range_is_stretched():
    stored = (60000 + STORED).astype(np.uint16)
    narrow = read(stored, BitsStored=16, HighBit=15)
    np.testing.assert_allclose(narrow.pixels, STORED / STORED.max(), atol=1e-6)
    assert codes(narrow) == ["stretched"]


def test_window_never_changes_pixels_and_comes_in_their_units():
    plain, windowed = read(), read(WindowCenter=[2048, 100], WindowWidth=[1024, 10])
    assert plain.window is None
    assert windowed.digest == plain.digest
    assert windowed.window == pytest.approx(((2047.5 - 511.5) / 4095, (2047.5 + 511.5) / 4095))
    exact = read(WindowCenter=2048, WindowWidth=1024, VOILUTFunction="LINEAR_EXACT")
    assert exact.window == pytest.approx((1536 / 4095, 2560 / 4095))


def test_voi_lut_gives_its_input_range():
    result = read(VOILUTSequence=lut([1024, 512, 16], [0] * 1024), WindowCenter=1, WindowWidth=2)
    assert result.digest == read().digest
    assert result.window == pytest.approx((512 / 4095, 1535 / 4095))


@pytest.mark.parametrize("width", [0, -5, 1])
def test_impossible_window_is_ignored(width):
    assert read(WindowCenter=100, WindowWidth=width).window is None


def test_spacing_and_view():
    assert read(PixelSpacing=[0.2, 0.2], ImagerPixelSpacing=[0.3, 0.3]).pixel_spacing_mm == (0.2, 0.2)
    assert read(ImagerPixelSpacing=[0.3, 0.3]).pixel_spacing_mm == (0.3, 0.3)
    assert read(PixelSpacing=[0, 0]).pixel_spacing_mm is None
    assert read(ViewPosition="PA").view == "PA"
    assert read(ViewPosition="JANE DOE").view is None


def test_padding_becomes_black_even_when_inverted():
    stored = np.clip(STORED, 1, 3000).copy()
    stored[:5] = 0
    result = read(stored, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=0)
    assert (result.pixels[:5] == 0).all()
    np.testing.assert_allclose(result.pixels[5:], 1 - stored[5:] / 4095, atol=1e-6)


def test_colour_capture_becomes_luminance():
    colour = np.zeros((48, 64, 3), dtype=np.uint8)
    colour[:24, :, 1] = 255
    tags = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    result = read(colour, BitsStored=8, HighBit=7, **tags)
    assert result.pixels[0, 0] == pytest.approx(0.587)
    assert result.pixels[-1, 0] == 0


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"Modality": "CT"}, "CT image"),
        ({"Modality": "MR"}, "MR image"),
        ({"Modality": "US"}, "ultrasound"),
        ({"Modality": "MG"}, "mammogram"),
        ({"NumberOfFrames": 3}, "several frames"),
        ({"Rows": 9000}, "at most 8192"),
        ({"Rows": 20}, "at least 32"),
        ({"Rows": None}, "holds no pixels"),
        ({"BitsStored": 32, "BitsAllocated": 32}, "8 to 16 bits"),
        ({"pixel_data": b""}, "holds no pixels"),
        ({"pixel_data": STORED.tobytes()[:-200]}, "cut off"),
        ({"RescaleSlope": 0, "RescaleIntercept": 0}, "rescale slope"),
        ({"stored": np.full((48, 64), 7, np.uint16)}, "even grey"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "palette"),
        ({"syntax": JPEGLSLossless, "pixel_data": encapsulate([b"nonsense"])}, "damaged"),
        ({"syntax": JPEGBaseline8Bit, "pixel_data": encapsulate([jpeg_baseline(np.eye(99, dtype="u1"))])}, "announces"),
    ],
)
def test_what_is_not_a_chest_film_is_refused_without_quoting_it(tags, reason):
    with pytest.raises(FilmError, match=reason) as caught:
        read(**tags)
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_size_is_checked_before_decoding(monkeypatch):
    import pydicom.pixels

    monkeypatch.setattr(pydicom.pixels, "pixel_array", lambda *a, **k: pytest.fail("the film was decoded"))
    with pytest.raises(FilmError, match="at most 8192"):
        read(Columns=8193)


@pytest.mark.filterwarnings("ignore:The PN component", "ignore:Invalid value for VR DA")
def test_no_identifier_leaves_the_reader(caplog):
    dataset = film(PatientName="X" * 200 + SECRETS[0], PatientBirthDate="31/01/57")
    data = save(dataset)
    caplog.clear()
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        result = read_radiograph(data)
        with pytest.raises(FilmError) as caught:
            read_radiograph(data[:-300])
    said = repr(vars(result)) + str(caught.value) + caplog.text + "".join(str(each.message) for each in warned)
    assert "Doe" not in said
    assert "31/01/57" not in said


def damaged_films(data, rng):
    yield from (data[:n] for n in range(0, len(data), max(1, len(data) // 80)))
    for _ in range(250):
        changed = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 6)):
            changed[at] = rng.integers(0, 256)
        yield bytes(changed)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
def test_damaged_files_give_a_film_or_a_film_error(syntax):
    rng = np.random.default_rng(1)
    dataset = film(rng.integers(0, 4096, (34, 36)).astype(np.uint16), WindowCenter=2000, WindowWidth=900)
    if syntax.is_compressed:
        dataset.compress(syntax)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
    refused = 0
    for content in damaged_films(save(dataset), rng):
        try:
            read_radiograph(content)
        except FilmError:
            refused += 1
    assert refused >= 75


def test_a_real_adult_film_reads_alike_compressed_and_not():
    folder = "data_store/data/"
    plain, packed = (
        read_radiograph(str(distribution("pydicom-data").locate_file(folder + name)))
        for name in ("RG1_UNCR.dcm", "RG1_J2KR.dcm")
    )
    assert plain.digest == packed.digest
    assert plain.shape == (1955, 1841)
    assert plain.view == "PA"
    assert plain.bits == 15
    assert plain.pixel_spacing_mm is None
    lung, spine = plain.pixels[700:900, 400:500].mean(), plain.pixels[700:900, 880:960].mean()
    assert lung < spine
