import io
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from radiographs.errors import FilmError
from radiographs.reading import read_radiograph

RAMP = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
RAMP[:10] = 7


def encode(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_chunk(kind, body):
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def deep_png(samples, colour_type):
    """A 16-bit PNG of (H, W, C) samples."""
    height, width = samples.shape[:2]
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, colour_type, 0, 0, 0])
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in samples)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b""))
    )


def test_grey_png_is_divided_by_255():
    film = read_radiograph(encode(Image.fromarray(RAMP)))
    np.testing.assert_array_equal(film.pixels, (RAMP / 255).astype(np.float32))
    assert film.bits == 8
    assert film.view is None
    assert film.pixel_spacing_mm is None
    assert film.window is None


def test_path_bytes_and_stream_give_the_same_film_whatever_the_name(tmp_path):
    data = encode(Image.fromarray(RAMP))
    path = tmp_path / "film.dcm"
    path.write_bytes(data)
    films = [read_radiograph(given) for given in (data, path, str(path), io.BytesIO(data))]
    assert len({film.digest for film in films}) == 1


@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA", "P"])
def test_grey_in_other_modes_is_the_same_film(mode):
    plain = read_radiograph(encode(Image.fromarray(RAMP)))
    assert read_radiograph(encode(Image.fromarray(RAMP).convert(mode))).digest == plain.digest


def test_colour_becomes_luminance():
    colour = np.zeros((40, 40, 3), dtype=np.uint8)
    colour[:10, :, 0], colour[10:20, :, 1], colour[20:30, :, 2] = 255, 255, 255
    film = read_radiograph(encode(Image.fromarray(colour)))
    np.testing.assert_allclose(film.pixels[[0, 10, 20, 30], 0], [0.299, 0.587, 0.114, 0], atol=1e-6)


def test_a_palette_is_looked_up():
    indexed = Image.fromarray((RAMP > 100).astype(np.uint8), mode="L")
    indexed.putpalette([200, 200, 200, 10, 10, 10])
    film = read_radiograph(encode(indexed))
    np.testing.assert_allclose(film.pixels, np.where(RAMP > 100, 10, 200) / 255, atol=1e-6)


def test_transparent_pixels_become_black():
    film = read_radiograph(encode(Image.merge("LA", [Image.new("L", (64, 48), 200), Image.fromarray(RAMP)])))
    np.testing.assert_allclose(film.pixels, 200 / 255 * (RAMP / 255), atol=1e-6)


@pytest.mark.parametrize(("top", "bits"), [(200, 8), (1023, 10), (4095, 12), (12000, 14), (16384, 16), (65535, 16)])
def test_16_bit_png_keeps_the_films_own_depth(top, bits):
    stored = np.linspace(0, top, 64 * 48).round().astype(np.uint16).reshape(48, 64)
    film = read_radiograph(encode(Image.fromarray(stored)))
    assert film.bits == bits
    np.testing.assert_allclose(film.pixels, stored / (2**bits - 1), atol=1e-7)


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bit_depth_survives_colour_and_alpha(colour_type, channels):
    grey = np.linspace(0, 65535, 64 * 48).round().astype(np.uint16).reshape(48, 64)
    samples = np.repeat(grey[..., None], channels, axis=2)
    if channels in (2, 4):
        samples[..., -1] = 65535
    film = read_radiograph(deep_png(samples, colour_type))
    assert film.bits == 16
    np.testing.assert_allclose(film.pixels, grey / 65535, atol=1e-7)


def test_16_bit_channels_are_not_swapped():
    samples = np.zeros((40, 40, 3), dtype=np.uint16)
    samples[:20, :, 0] = 65535
    film = read_radiograph(deep_png(samples, 2))
    assert film.pixels.max() == pytest.approx(0.299 * 65535 / 65535, abs=1e-4)


def test_a_transparent_grey_keeps_the_depth_of_a_16_bit_png():
    stored = np.linspace(100, 65535, 64 * 48).round().astype(np.uint16).reshape(48, 64)
    stored[:4] = 77
    film = read_radiograph(encode(Image.fromarray(stored), transparency=77))
    assert film.bits == 16
    np.testing.assert_allclose(film.pixels[4:], stored[4:] / 65535, atol=1e-7)
    assert (film.pixels[:4] == 0).all()
    assert [note.code for note in film.notes] == ["transparent"]


def test_a_transparent_colour_of_a_16_bit_png_is_black():
    samples = np.repeat(np.linspace(9, 65535, 64 * 48).round().astype(np.uint16).reshape(48, 64, 1), 3, axis=2)
    samples[:4] = 4242
    data = deep_png(samples, 2)
    at = data.index(b"IDAT") - 4
    film = read_radiograph(data[:at] + png_chunk(b"tRNS", (4242).to_bytes(2, "big") * 3) + data[at:])
    assert (film.pixels[:4] == 0).all()
    np.testing.assert_allclose(film.pixels[4:], samples[4:, :, 0] / 65535, atol=1e-7)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_a_pixel_fill_the_whole_range(depth):
    levels = np.tile(np.arange(64, dtype=np.uint8) % 2**depth, (48, 1))
    packed = np.packbits(((levels[..., None] >> np.arange(depth)[::-1]) & 1).reshape(48, -1), axis=1)
    header = (64).to_bytes(4, "big") + (48).to_bytes(4, "big") + bytes([depth, 0, 0, 0, 0])
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in packed))
    parts = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", rows), png_chunk(b"IEND", b""))
    film = read_radiograph(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    np.testing.assert_allclose(film.pixels, levels / (2**depth - 1), atol=1e-6)


def test_the_fourth_component_of_a_deep_jpeg_is_not_alpha(monkeypatch):
    from radiographs.film_readers import raster
    from radiographs.film_readers.codestreams import Decoded

    samples = np.full((48, 64, 4), 4095, np.uint16)
    samples[..., :3] = np.arange(64)[None, :, None] * 60
    monkeypatch.setattr(raster, "decode", lambda data: Decoded(samples, 12))
    pixels, bits, _, notes = raster._decode_deep_jpeg(b"")
    np.testing.assert_array_equal(pixels, samples[..., 0])
    assert (bits, notes) == (12, [])


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_is_read_in_grey_and_colour(mode):
    film = read_radiograph(encode(Image.fromarray(RAMP).convert(mode), "JPEG", quality=95))
    assert np.abs(film.pixels - RAMP / 255).mean() < 0.02


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_respected(orientation):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(RAMP), "PNG", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    film = read_radiograph(data)
    np.testing.assert_array_equal(film.pixels, (upright / 255).astype(np.float32))
    assert [note.code for note in film.notes] == ([] if orientation == 1 else ["turned"])


def test_pixels_that_a_raster_file_says_are_not_square_are_said():
    film = read_radiograph(encode(Image.fromarray(RAMP), dpi=(200, 100)))
    assert [note.code for note in film.doubts] == ["not-square"]


def test_spacing_of_a_png_is_not_trusted():
    assert read_radiograph(encode(Image.fromarray(RAMP), dpi=(96, 96))).pixel_spacing_mm is None


def animated():
    frames = [Image.fromarray(RAMP), Image.fromarray(RAMP[::-1].copy())]
    return encode(frames[0], save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"patient,finding\n1,2\n" * 20, "text"),
        (encode(Image.fromarray(RAMP), "GIF"), "GIF"),
        (encode(Image.fromarray(RAMP), "TIFF"), "TIFF"),
        (encode(Image.fromarray(RAMP), "WEBP"), "WebP"),
        (encode(Image.fromarray(RAMP), "BMP"), "BMP"),
        (bytes(range(256)) * 4, "unknown type"),
        (animated(), "animated"),
        (encode(Image.new("L", (64, 64), 90)), "even grey"),
        (encode(Image.new("L", (64, 64), 90), "JPEG"), "even grey"),
        (encode(Image.fromarray(RAMP[:31])), "at least 32"),
        (encode(Image.fromarray(RAMP))[:20], "cut off"),
        (encode(Image.fromarray(RAMP))[:-60], "cut off"),
        (encode(Image.fromarray(RAMP), "JPEG")[:-200], "cut off"),
        (b"\xff\xd8\xff", "cut off"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(data, reason):
    with pytest.raises(FilmError, match=reason) as caught:
        read_radiograph(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_size_is_checked_before_decoding(kind, monkeypatch):
    data = encode(Image.new("L", (8193, 40)), kind)
    monkeypatch.setattr(Image, "open", lambda *a, **k: pytest.fail("the film was opened"))
    with pytest.raises(FilmError, match="8193 x 40 pixels; at most 8192"):
        read_radiograph(data)


def test_a_bomb_is_refused_without_a_warning():
    header = (60000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    bomb = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FilmError, match="at most 8192"):
            read_radiograph(bomb)


def test_missing_files_and_folders_are_refused_without_naming_them(tmp_path):
    for path in (tmp_path / "smith_john.png", tmp_path):
        with pytest.raises(FilmError) as caught:
            read_radiograph(path)
        assert "smith" not in str(caught.value)
        assert tmp_path.name not in str(caught.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_damaged_files_give_a_film_or_a_film_error(kind):
    rng = np.random.default_rng(0)
    data = encode(Image.fromarray(rng.integers(0, 255, (40, 44), dtype=np.uint8)), kind)
    damaged = [data[:n] for n in range(0, len(data), max(1, len(data) // 60))]
    for _ in range(300):
        changed = bytearray(data)
        for at in rng.integers(0, min(len(data), 700), rng.integers(1, 4)):
            changed[at] = rng.integers(0, 256)
        damaged.append(bytes(changed))
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for content in damaged:
            try:
                read_radiograph(content)
            except FilmError:
                refused += 1
    assert refused >= 60
