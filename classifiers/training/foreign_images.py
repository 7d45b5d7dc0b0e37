"""Pictures that are no chest films, from installed packages and drawn on the spot; half are for testing only."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from radiographs.collections.wheels import wheel_path

Side = Literal["train", "test"]

PHOTOGRAPHS: dict[Side, dict[str, tuple[str, ...]]] = {
    "train": {
        "scikit-image": tuple(
            f"skimage/data/{name}"
            for name in (
                "astronaut.png", "brick.png", "cell.png", "clock_motion.png", "coins.png", "grass.png",
                "hubble_deep_field.jpg", "microaneurysms.png", "motorcycle_left.png", "page.png", "phantom.png",
                "color.png", "multipage.tif",
            )
        ),
        "matplotlib": ("matplotlib/mpl-data/sample_data/Minduka_Present_Blue_Pack.png",),
        "scikit-learn": ("sklearn/datasets/images/flower.jpg",),
    },
    "test": {
        "scikit-image": tuple(
            f"skimage/data/{name}"
            for name in (
                "camera.png", "chelsea.png", "coffee.png", "gravel.png", "horse.png", "ihc.png", "moon.png",
                "retina.jpg", "rocket.jpg", "text.png", "chessboard_GRAY.png", "logo.png",
            )
        ),
        "matplotlib": (
            "matplotlib/mpl-data/sample_data/grace_hopper.jpg", "matplotlib/mpl-data/sample_data/logo2.png",
        ),
        "scikit-learn": ("sklearn/datasets/images/china.jpg",),
    },
}  # fmt: skip
"""Photographs, textures and drawings by package; no picture stands on both sides."""
OTHER_IMAGES: dict[Side, dict[str, tuple[str, ...]]] = {
    "train": {
        "pydicom": ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "J2K_pixelrep_mismatch.dcm"),
        "pydicom-data": (
            "bad_sequence.dcm", "color-pl.dcm", "eCT_Supplemental.dcm", "emri_small.dcm", "explicit_VR-UN.dcm",
            "gdcm-US-ALOKA-16.dcm", "liver.dcm", "mlut_18.dcm", "SC_rgb.dcm",
        ),
    },
    "test": {
        "pydicom": (),
        "pydicom-data": (
            "RG3_UNCR.dcm", "MR2_UNCR.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm", "693_UNCR.dcm", "US1_UNCR.dcm",
            "OBXXXX1A.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm", "color3d_jpeg_baseline.dcm",
        ),
    },
}  # fmt: skip
"""Other medical images: CT, MR, ultrasound, a film of a forearm ..., by package."""
_FOLDERS = {"pydicom": "pydicom/data/test_files", "pydicom-data": "data_store/data"}
MOST = 512
"""Longest side in pixels at which pictures are kept."""


def pictures(side: Side) -> dict[str, np.ndarray]:
    """Pictures of installed packages by name, (H, W) float32 in [0, 1]; those that are not installed are left out."""
    found = {}
    for package, paths in PHOTOGRAPHS[side].items():
        for path in paths:
            place = wheel_path(package, path)
            if place is not None:
                with Image.open(place) as image:
                    found[place.name] = _reduced(np.asarray(image.convert("L"), dtype=np.float32) / 255)
    for package, names in OTHER_IMAGES[side].items():
        for name in names:
            place = wheel_path(package, f"{_FOLDERS[package]}/{name}")
            if place is not None:
                found[place.name] = _reduced(_medical(place))
    return found


def _medical(path: Path) -> np.ndarray:
    """The first frame of any DICOM image, its values from least to greatest."""
    from pydicom import dcmread

    from radiographs.film_readers.dicom import quiet

    with quiet():
        dataset = dcmread(path)
        values = np.asarray(dataset.pixel_array, dtype=np.float32)
    if int(dataset.get("NumberOfFrames", 1) or 1) > 1:
        values = values[0]
    values = values.mean(-1) if values.ndim == 3 else values
    low, high = np.percentile(values, [0.5, 99.5])
    scaled = np.clip((values - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
    return 1 - scaled if dataset.get("PhotometricInterpretation") == "MONOCHROME1" else scaled


def _reduced(picture: np.ndarray) -> np.ndarray:
    image = Image.fromarray(picture)
    image.thumbnail((MOST, MOST), Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float32)


def cut(picture: np.ndarray, rng: np.random.Generator, side: int) -> np.ndarray:
    """A part of a picture, from the whole to a third of each side, as (side, side)."""
    height, width = picture.shape
    tall, wide = (max(8, round(n * rng.uniform(0.35, 1))) for n in (height, width))
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    part = Image.fromarray(np.ascontiguousarray(picture[top : top + tall, left : left + wide]))
    return np.asarray(part.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0))


def _noise(rng: np.random.Generator, side: int) -> np.ndarray:
    """Noise whose power falls with frequency, from white to clouds."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = 1 / side
    spectrum = np.fft.fft2(rng.standard_normal((side, side))) * frequency ** -rng.uniform(0, 2.5)
    values = np.fft.ifft2(spectrum).real
    return (values - values.min()) / (np.ptp(values) + 1e-9)


def _page(rng: np.random.Generator, side: int) -> np.ndarray:
    """Lines of letters on paper, in one to three columns."""
    image = Image.new("L", (side * 2, side * 2), int(rng.integers(200, 256)))
    draw = ImageDraw.Draw(image)
    size = int(rng.integers(8, 22))
    font = ImageFont.load_default(size)
    for row in range(int(rng.integers(4, 12)), side * 2, size + int(rng.integers(2, 8))):
        words = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz      ,."), int(rng.integers(10, 60))))
        draw.text((int(rng.integers(4, 30)), row), words, int(rng.integers(0, 90)), font=font)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX), dtype=np.float32) / 255


def _plot(rng: np.random.Generator, side: int) -> np.ndarray:
    """A frame with curves or bars."""
    image = Image.new("L", (side * 2, side * 2), 255 if rng.random() < 0.7 else 0)
    draw = ImageDraw.Draw(image)
    ink = 255 - image.getpixel((0, 0))  # type: ignore[operator]
    draw.rectangle((20, 12, side * 2 - 12, side * 2 - 24), outline=ink)
    x = np.linspace(20, side * 2 - 12, 40)
    for _ in range(int(rng.integers(1, 5))):
        y = side + np.cumsum(rng.normal(0, side / 10, len(x)))
        if rng.random() < 0.6:
            draw.line(list(zip(x.tolist(), y.tolist())), fill=int(rng.integers(60, 200)), width=int(rng.integers(1, 6)))
        else:
            for a, b in zip(x[::4], y[::4]):
                draw.rectangle((a, min(b, side * 2 - 24), a + 9, side * 2 - 24), fill=int(rng.integers(60, 200)))
    return np.asarray(image.resize((side, side), Image.Resampling.BOX), dtype=np.float32) / 255


def _shapes(rng: np.random.Generator, side: int) -> np.ndarray:
    """Discs, boxes and lines over a gradient."""
    across, down = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side))
    ground = np.clip(rng.random() + rng.normal(0, 0.6) * across + rng.normal(0, 0.6) * down, 0, 1)
    image = Image.fromarray((ground * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(0, 14))):
        ends = rng.integers(0, side, 4)
        box = (
            int(min(ends[0], ends[2])),
            int(min(ends[1], ends[3])),
            int(max(ends[0], ends[2])),
            int(ends[1:4:2].max()),
        )
        kind, grey = rng.integers(3), int(rng.integers(256))
        (draw.ellipse if kind == 0 else draw.rectangle if kind == 1 else draw.line)(box, fill=grey)
    return np.asarray(image, dtype=np.float32) / 255


_DRAWN: tuple[Callable[[np.random.Generator, int], np.ndarray], ...] = (_noise, _page, _plot, _shapes)


def drawn(rng: np.random.Generator, side: int) -> np.ndarray:
    """Noise, a page of text, a plot or shapes: (side, side) float32 in [0, 1]."""
    return _DRAWN[int(rng.integers(len(_DRAWN)))](rng, side).astype(np.float32)


def drawn_by_matplotlib(number: int) -> list[np.ndarray]:
    """Plots and pages that are for testing only, as another program draws them: (H, W) float32 in [0, 1]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = []
    for index in range(number):
        rng = np.random.default_rng([7, index])
        figure = Figure(figsize=(4, 4), dpi=64)
        axes = figure.subplots()
        kind = index % 5
        if kind == 0:
            axes.plot(rng.standard_normal((50, 3)).cumsum(0))
        elif kind == 1:
            axes.imshow(rng.random((12, 12)), cmap="gray")
        elif kind == 2:
            axes.hist(rng.standard_normal(400), 20)
        elif kind == 3:
            axes.contourf(_noise(rng, 40), cmap="gray")
        else:
            axes.axis("off")
            for row in range(12):
                axes.text(0, row / 12, "".join(rng.choice(list("etaoin shrdlu"), 40)), fontsize=9)
        buffer = io.BytesIO()
        FigureCanvasAgg(figure).print_png(buffer)
        with Image.open(buffer) as image:
            found.append(np.asarray(image.convert("L"), dtype=np.float32) / 255)
    return found
