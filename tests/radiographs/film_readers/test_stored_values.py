"""What decoders hand back is checked against Bits Stored, High Bit and Pixel Representation."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import compress
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from radiographs.errors import FilmError
from radiographs.reading import read_radiograph
from tests.radiographs.film_readers.dicom_films import codes, film, lut, read, save
from tests.radiographs.film_readers.lossless_jpeg import encode_lossless


def smooth(bits, height=96, width=80):
    """A smooth film of so many bits, black at the rim and bright in the middle."""
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    hill = np.exp(-3 * (rows**2 + columns**2)) + 0.1 * np.sin(7 * columns) ** 2
    return np.rint((hill - hill.min()) / np.ptp(hill) * (2**bits - 1)).astype(np.uint16)


SMOOTH = smooth(12)
OVERLAY = np.zeros(SMOOTH.shape, np.uint16)
OVERLAY[10:30, 20:60] = 1 << 15


def layout(bits, high, container=16, **more):
    return {"BitsAllocated": container, "BitsStored": bits, "HighBit": high, **more}


def jpeg2000_stream(pixels):
    from openjpeg.utils import encode_array

    return bytes(encode_array(pixels, photometric_interpretation=2))


def jpeg2000(pixels):
    return encapsulate([jpeg2000_stream(pixels)])


def jpeg_ls(pixels):
    import jpeg_ls as codec

    return encapsulate([bytes(codec.encode_array(pixels))])


def test_overlays_in_unused_bits_are_taken_away_native_and_compressed():
    with_overlay = SMOOTH | OVERLAY
    plain = read(SMOOTH)
    for tags in (
        {},
        {"syntax": JPEG2000Lossless, "pixel_data": jpeg2000(with_overlay)},
        {"syntax": JPEGLSLossless, "pixel_data": jpeg_ls(with_overlay)},
        {"syntax": JPEGLosslessSV1, "pixel_data": encapsulate([encode_lossless(with_overlay, 16)])},
    ):
        made = read(with_overlay, **tags)
        assert made.digest == plain.digest
        assert codes(made) == ["unused-bits"]


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_left_aligned_values_are_shifted_down_whatever_the_high_bit_says(bits):
    plain = read(smooth(bits), **layout(bits, bits - 1))
    said = read(smooth(bits) << (16 - bits), **layout(bits, 15))
    assert said.digest == plain.digest
    assert codes(said) == []
    unsaid = read(smooth(bits) << (16 - bits), **layout(bits, bits - 1))
    assert unsaid.digest == plain.digest
    assert codes(unsaid) == ["left-aligned"]


def test_values_at_the_lower_end_are_not_shifted_by_a_wrong_high_bit():
    made = read(SMOOTH, **layout(12, 15))
    assert made.digest == read(SMOOTH).digest
    assert [note.code for note in made.doubts] == ["right-aligned"]


@pytest.mark.parametrize("said", [8, 10])
def test_values_beyond_the_bits_stored_are_all_used_and_said(said):
    made = read(SMOOTH, **layout(said, said - 1))
    assert made.digest == read(SMOOTH).digest
    assert [note.code for note in made.doubts] == ["bits-understated"]


def signed(bits=12):
    return (smooth(bits).astype(np.int32) - 2 ** (bits - 1)).astype(np.int16)


def test_signs_are_extended_native_and_compressed():
    plain = read(SMOOTH)
    words = signed().view(np.uint16) & 0x0FFF
    tags = layout(12, 11, PixelRepresentation=1)
    for made in (
        read(signed()),
        read(words, **tags),
        read(words, syntax=JPEGLSLossless, pixel_data=jpeg_ls(words), **tags),
        read(words, syntax=JPEGLosslessSV1, pixel_data=encapsulate([encode_lossless(words, 12)]), **tags),
        read(signed(), syntax=JPEG2000Lossless, pixel_data=jpeg2000(signed()), **tags),
    ):
        np.testing.assert_allclose(made.pixels, plain.pixels, atol=1e-6)
        assert codes(made) == []


def test_a_wrong_sign_is_seen_and_said():
    full = smooth(16)
    made = read(full, **layout(16, 15, PixelRepresentation=1))
    np.testing.assert_allclose(made.pixels, full / 65535, atol=1e-6)
    assert [note.code for note in made.doubts] == ["signedness"]


def test_compressed_films_are_judged_by_their_stream_and_not_by_their_label():
    plain = read(SMOOTH)
    streams = {
        JPEG2000Lossless: encapsulate([encode_lossless(SMOOTH, 12)]),
        JPEGLosslessSV1: jpeg_ls(SMOOTH),
        RLELossless: jpeg2000(SMOOTH),
        JPEGBaseline8Bit: jpeg2000(SMOOTH),
    }
    for syntax, data in streams.items():
        assert read(SMOOTH, syntax=syntax, pixel_data=data).digest == plain.digest
    dataset = film(SMOOTH)
    compress(dataset, RLELossless)
    assert read_radiograph(save(dataset)).digest == plain.digest


def test_uncompressed_pixels_in_fragments_are_read():
    made = read(SMOOTH, syntax=JPEG2000Lossless, pixel_data=encapsulate([SMOOTH.tobytes()]))
    assert made.digest == read(SMOOTH).digest


def test_a_jp2_box_that_pretends_another_size_deceives_nobody():
    codestream = bytes(jpeg2000_stream(SMOOTH))
    decoy = b"\xff\x4f\xff\x51" + b"\0\x29\0\0" + (80).to_bytes(4, "big") + (96).to_bytes(4, "big") + bytes(40)
    huge = codestream[:8] + (20000).to_bytes(4, "big") * 2 + codestream[16:]
    boxes = b"".join(
        (len(body) + 8).to_bytes(4, "big") + kind + body
        for kind, body in ((b"jP  ", b"\r\n\x87\n"), (b"uuid", decoy), (b"jp2c", huge))
    )
    with pytest.raises(FilmError, match="size that it announces"):
        read(SMOOTH, syntax=JPEG2000Lossless, pixel_data=encapsulate([boxes]))


def test_a_jpeg_of_hundreds_of_scans_is_refused_before_it_is_decoded():
    stream = io.BytesIO()
    Image.fromarray(np.tile(np.arange(64, dtype=np.uint8), (64, 1))).save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    at = data.index(b"\xff\xc2")
    large = data[: at + 5] + (8000).to_bytes(2, "big") * 2 + data[at + 9 :]
    scan = large[large.index(b"\xff\xda") : -2]
    with pytest.raises(FilmError, match="far more scans"):
        read_radiograph(large[:-2] + scan * 20 + b"\xff\xd9")


@pytest.mark.parametrize("selection", range(1, 8))
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_jpeg_is_exact_for_every_prediction(bits, selection):
    rng = np.random.default_rng(bits + selection)
    noise = rng.integers(0, 2**bits, (40, 48)).astype(np.uint16)
    data = encapsulate([encode_lossless(noise, bits, selection)])
    made = read(noise, syntax=JPEGLosslessSV1, pixel_data=data, **layout(bits, bits - 1))
    np.testing.assert_allclose(made.pixels, noise / (2**bits - 1), atol=1e-6)


@pytest.mark.parametrize("bits", [8, 12, 14])
def test_lossless_jpeg_whose_differences_wrap_is_exact(bits):
    rng = np.random.default_rng(bits)
    noise = rng.integers(0, 2**bits, (40, 48)).astype(np.uint16)
    data = encapsulate([encode_lossless(noise, bits, modulus=2**bits)])
    made = read(noise, syntax=JPEGLosslessSV1, pixel_data=data, **layout(bits, bits - 1))
    np.testing.assert_allclose(made.pixels, noise / (2**bits - 1), atol=1e-6)


def colour_jpeg(colour, mode="RGB", strip=False):
    """A JPEG of (H, W, 3); without the JFIF marker where ``strip``."""
    stream = io.BytesIO()
    Image.fromarray(colour, mode).save(stream, "JPEG", quality=97, subsampling=0)
    data = stream.getvalue()
    if not strip:
        return encapsulate([data])
    length = int.from_bytes(data[4:6], "big")
    return encapsulate([data[:2] + data[4 + length :]])


EIGHT = (SMOOTH >> 4).astype(np.uint8)


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("strip", [False, True])
def test_grey_in_a_colour_jpeg_is_grey_under_any_label(label, strip):
    grey = np.repeat(EIGHT[..., None], 3, axis=2)
    tags = layout(8, 7, 8, SamplesPerPixel=3, PhotometricInterpretation=label, PlanarConfiguration=0)
    made = read(grey, syntax=JPEGBaseline8Bit, pixel_data=colour_jpeg(grey, strip=strip), **tags)
    assert np.abs(made.pixels - EIGHT / 255).max() < 0.03


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("coded", ["RGB", "YBR_FULL"])
def test_grey_in_native_colours_is_grey_under_any_label(label, coded):
    planes = np.repeat(EIGHT[..., None], 3, axis=2)
    if coded == "YBR_FULL":
        planes[..., 1:] = 128
    tags = layout(8, 7, 8, SamplesPerPixel=3, PhotometricInterpretation=label, PlanarConfiguration=0)
    made = read(planes, **tags)
    np.testing.assert_allclose(made.pixels, EIGHT / 255, atol=1e-6)
    assert codes(made) == ([] if label == coded else ["colour-label"])


def test_colours_of_a_jpeg_are_luminance():
    colour = np.zeros((48, 64, 3), np.uint8)
    colour[:24, :, 1] = 255
    tags = layout(8, 7, 8, SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL_422", PlanarConfiguration=0)
    made = read(colour, syntax=JPEGBaseline8Bit, pixel_data=colour_jpeg(colour), **tags)
    assert made.pixels[5, 5] == pytest.approx(0.587, abs=0.02)
    assert codes(made) == ["colour"]


def test_a_palette_is_looked_up_and_said():
    ramp = np.arange(256)
    tags = layout(8, 7, 8, PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{name}PaletteColorLookupTableData"] = (ramp[::-1] * 257).astype("<u2").tobytes()
    made = read(EIGHT, **tags)
    np.testing.assert_allclose(made.pixels, 1 - EIGHT / 255, atol=1e-6)
    assert codes(made) == ["colour"]


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        ("1.2.840.10008.1.2.4.110", "JPEG XL"),
        ("1.2.840.10008.1.2.4.94", "on a server"),
        ("1.2.840.10008.1.2.4.103", "video"),
        ("1.2.840.10008.1.2.8.1", "deflated frames"),
    ],
)
def test_compressions_that_cannot_be_read_are_named(syntax, words):
    frame = b"\xff\x0astream" if words == "JPEG XL" else b"\x01\x02stream"
    data = save(film(SMOOTH, JPEG2000Lossless, encapsulate([frame])))
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    longer = len(value) - len(JPEG2000Lossless)
    length = int.from_bytes(data[140:144], "little") + longer
    old = len(JPEG2000Lossless).to_bytes(2, "little") + JPEG2000Lossless.encode()
    data = data.replace(old, len(value).to_bytes(2, "little") + value, 1)
    with pytest.raises(FilmError, match=words):
        read_radiograph(data[:140] + length.to_bytes(4, "little") + data[144:])


def test_a_missing_closing_delimiter_is_no_harm_and_missing_pixels_are():
    data = save(film(SMOOTH, JPEG2000Lossless, jpeg2000(SMOOTH)))
    end = b"\xfe\xff\xdd\xe0\0\0\0\0"
    assert data.endswith(end)
    assert read_radiograph(data[: -len(end)]).digest == read(SMOOTH).digest
    with pytest.raises(FilmError, match="cut off"):
        read_radiograph(data[: -len(end) - 40])


def deflated(dataset, group_length=True):
    data = save(dataset)
    at = 132 + 12 + int.from_bytes(data[140:144], "little")
    head = (
        data[132:at]
        .replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99", 1)
        .replace(b"UI\x14\0" + b"1.2.840.10008.1.2.1.99", b"UI\x16\0" + b"1.2.840.10008.1.2.1.99")
    )
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(data[at:]) + packer.flush()
    length = (len(head) - 12).to_bytes(4, "little")
    return data[:132] + (head[:8] + length + head[12:] if group_length else head[12:]) + body


@pytest.mark.parametrize("group_length", [True, False])
def test_a_deflated_file_is_inflated(group_length):
    data = deflated(film(SMOOTH), group_length)
    assert read_radiograph(data).digest == read(SMOOTH).digest
    with pytest.raises(FilmError, match="cut off"):
        read_radiograph(data[:-100])


def test_what_a_deflated_file_inflates_to_is_bounded(monkeypatch):
    monkeypatch.setattr("radiographs.film_readers.dicom._MOST_INFLATED", 4096)
    with pytest.raises(FilmError, match="inflates to more than"):
        read_radiograph(deflated(film(SMOOTH)))


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_a_modality_lut_of_any_depth_is_applied(bits):
    table = ((4095 - np.arange(4096)) * (2**bits - 1) / 4095).round().astype(int)
    made = read(SMOOTH, ModalityLUTSequence=lut([4096, 0, bits], table.tolist()))
    np.testing.assert_allclose(made.pixels, table[SMOOTH] / (2**bits - 1), atol=1e-6)


@pytest.mark.parametrize("padding", [-2000, 63536])
def test_padding_is_compared_modulo_the_word(padding):
    stored = np.clip(signed(), -1990, 2000)
    stored[:8] = -2000
    dataset = film(stored)
    dataset.add_new(0x00280120, "SS" if padding < 0 else "US", padding)
    made = read_radiograph(save(dataset))
    assert (made.pixels[:8] == 0).all()
    assert made.pixels[8:].min() > 0


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted", "said"),
    [
        ("MONOCHROME2", None, False, []),
        ("MONOCHROME2", "IDENTITY", False, []),
        ("MONOCHROME2", "INVERSE", True, ["inverted"]),
        ("MONOCHROME1", "INVERSE", True, ["inverted"]),
        ("MONOCHROME1", None, True, ["inverted"]),
        ("MONOCHROME1", "IDENTITY", True, ["inverted", "polarity"]),
    ],
)
def test_the_polarity_is_heeded_once_and_said(photometric, shape, inverted, said):
    tags = {"PhotometricInterpretation": photometric} | ({"PresentationLUTShape": shape} if shape else {})
    made = read(SMOOTH, **tags)
    np.testing.assert_allclose(made.pixels, (1 - SMOOTH / 4095) if inverted else SMOOTH / 4095, atol=1e-6)
    assert codes(made) == said


def test_a_window_that_shows_nothing_is_dropped_and_the_next_one_taken():
    stored = (SMOOTH.astype(np.uint32) * 12 + 6000).astype(np.uint16)
    wide = layout(16, 15)
    made = read(stored, WindowCenter=40, WindowWidth=400, **wide)
    assert made.window is None
    assert codes(made) == ["window"]
    second = read(stored, WindowCenter=[40, 30000], WindowWidth=[400, 20001], **wide)
    assert second.window == pytest.approx((19999.5 / 65535, 39999.5 / 65535), abs=1e-4)
    rescaled = read(stored, RescaleSlope=1, RescaleIntercept=-6000, WindowCenter=1024, WindowWidth=2048, **wide)
    assert rescaled.window is not None


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"Modality": None}, "modality"),
        ({"Modality": "OT"}, "modality"),
        ({"Modality": "Doe^Jane"}, "modality"),
        ({"Modality": "RF"}, "modality"),
        ({"BodyPartExamined": "SKULL"}, "body-part"),
        ({"BodyPartExamined": "Doe^Jane"}, "body-part"),
        ({"ViewPosition": "LL"}, "lateral"),
        ({"ViewPosition": "LATERAL"}, "lateral"),
        ({"ViewPosition": "RLD"}, "view"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_what_is_doubtful_is_read_with_the_doubt_said(tags, code):
    made = read(SMOOTH, **tags)
    assert made.digest == read(SMOOTH).digest
    assert [note.code for note in made.doubts] == [code]
    assert "Doe" not in repr(made.notes)


@pytest.mark.parametrize("modality", ["CR", "DX", "DR", "XR", "RG"])
@pytest.mark.parametrize("part", ["CHEST", "THORAX", "CHEST PA", "", "LUNG"])
def test_usual_films_raise_no_doubt(modality, part):
    assert read(SMOOTH, Modality=modality, BodyPartExamined=part, ViewPosition="PA").notes == ()


def test_a_published_film_without_most_of_its_tags_is_read():
    bare = {name: None for name in ("Modality", "BodyPartExamined", "SOPClassUID", "SOPInstanceUID")}
    dataset = film(SMOOTH, **bare)
    stream = io.BytesIO()
    dataset.save_as(stream)
    made = read_radiograph(stream.getvalue())
    assert made.digest == read(SMOOTH).digest
    assert [note.code for note in made.doubts] == ["modality"]
