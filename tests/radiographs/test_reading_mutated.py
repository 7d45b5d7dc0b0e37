"""Thousands of damaged films, DICOM and raster: each gives a film or one sentence, soon, and nothing else."""

import io
import time

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import compress
from pydicom.uid import (
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from radiographs.errors import FilmError
from radiographs.reading import read_radiograph
from tests.radiographs.film_readers.dicom_films import film, lut, save
from tests.radiographs.film_readers.lossless_jpeg import encode_lossless
from tests.radiographs.film_readers.test_stored_values import SMOOTH, colour_jpeg, deflated, jpeg2000, jpeg_ls, layout

DEEP = SMOOTH[::2, ::2].copy()
GREY = (DEEP >> 4).astype(np.uint8)
COLOUR = np.repeat(GREY[..., None], 3, axis=2)
TIMES = 250


def raster(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def run_length_coded():
    dataset = film(DEEP)
    compress(dataset, RLELossless)
    return save(dataset)


def seeds():
    turned = {"PatientOrientation": ["R", "F"], "PixelSpacing": [0.1, 0.2], "WindowCenter": 2000, "WindowWidth": 900}
    colour = layout(8, 7, 8, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
    jpeg = encapsulate([raster(Image.fromarray(GREY), "JPEG")])
    return {
        "native": save(film(DEEP, RescaleSlope=1, RescaleIntercept=-1024, PixelPaddingValue=0, **turned)),
        "implicit": save(film(DEEP, ImplicitVRLittleEndian)),
        "big endian": save(film(DEEP, ExplicitVRBigEndian)),
        "jpeg 2000": save(film(DEEP, JPEG2000Lossless, jpeg2000(DEEP))),
        "jpeg-ls": save(film(DEEP, JPEGLSLossless, jpeg_ls(DEEP))),
        "lossless jpeg": save(film(DEEP, JPEGLosslessSV1, encapsulate([encode_lossless(DEEP, 12)]))),
        "jpeg": save(film(GREY, JPEGBaseline8Bit, jpeg, **layout(8, 7, 8))),
        "colour jpeg": save(film(COLOUR, JPEGBaseline8Bit, colour_jpeg(COLOUR, strip=True), **colour)),
        "run lengths": run_length_coded(),
        "deflated": deflated(film(DEEP)),
        "modality lut": save(film(DEEP, ModalityLUTSequence=lut([4096, 0, 12], list(range(4096))))),
        "png": raster(Image.fromarray(GREY), "PNG"),
        "palette png": raster(Image.fromarray(GREY).convert("P"), "PNG"),
        "deep png": raster(Image.fromarray(DEEP), "PNG"),
        "transparent png": raster(Image.fromarray(DEEP), "PNG", transparency=5),
        "bare jpeg": raster(Image.fromarray(GREY), "JPEG"),
        "progressive jpeg": raster(Image.fromarray(GREY), "JPEG", progressive=True),
        "cmyk jpeg": raster(Image.fromarray(GREY).convert("CMYK"), "JPEG"),
        "bare lossless jpeg": encode_lossless(DEEP, 12),
        "deep colour jpeg": save(film(COLOUR, JPEGBaseline8Bit, colour_jpeg(COLOUR), **colour)),
    }


def mutated(data, rng):
    """The content cut off, with a few bytes changed anywhere or in its header, or with a piece moved."""
    changed, kind = bytearray(data), rng.integers(4)
    if kind == 0:
        return bytes(changed[: rng.integers(len(changed))])
    if kind < 3:
        within = len(changed) if kind == 1 else min(len(changed), 900)
        for at in rng.integers(0, within, rng.integers(1, 8)):
            changed[at] = rng.integers(256)
        return bytes(changed)
    start, at = rng.integers(len(changed), size=2)
    piece = changed[start : start + 64]
    changed[at:at] = piece
    del changed[start : start + int(rng.integers(16))]
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(seeds()))
def test_a_mutated_file_gives_a_film_or_one_sentence_soon(kind):
    rng, data = np.random.default_rng(len(kind)), seeds()[kind]
    sentences = []
    for _ in range(TIMES):
        content, began = mutated(data, rng), time.monotonic()
        try:
            read_radiograph(content)
        except FilmError as error:
            sentences.append(str(error))
        assert time.monotonic() - began < 10
    assert not any("\n" in sentence for sentence in sentences)
