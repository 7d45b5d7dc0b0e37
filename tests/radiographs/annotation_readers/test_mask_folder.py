"""Folders of mask images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from radiographs.annotation_readers import (
    read_mask_folder,
)
from radiographs.errors import AnnotationError


def masks(folder, names, side=40):
    folder.mkdir(parents=True)
    drawn = np.zeros((side, side), dtype=np.uint8)
    drawn[10:20, 5:25] = 255
    for name in names:
        Image.fromarray(drawn).save(folder / name)
    return drawn > 0


def test_mask_folder_matches_the_longest_film_name(tmp_path):
    drawn = masks(tmp_path / "masks", ["a_left_lung.png", "a_b_pleural_effusion.png", "stray.png"])
    table = read_mask_folder(tmp_path / "masks", ["a.jpg", "a_b.dcm", "c.png"])
    assert table.findings("a") == ("left_lung",)
    assert table.findings("a_b.dcm") == ("Effusion",)
    assert table.unmatched == ("stray.png",)
    [mask] = table.annotations("a", (40, 40))
    np.testing.assert_array_equal(mask.mask, drawn)
    [half] = table.annotations("a", (20, 20))
    np.testing.assert_array_equal(half.mask, drawn[1::2, 1::2])
    assert "40 x 40 pixels; the film has 60 x 40" in table.read_film("a", (40, 60))[1][0]


def test_mask_folder_finds_films_beside_it(tmp_path):
    masks(tmp_path / "masks", ["film_one_mass.png"])
    masks(tmp_path / "images", ["film_one.png"])
    assert read_mask_folder(tmp_path / "masks").images() == ("film_one",)


def kinds_of(drawn):
    grey = Image.fromarray(drawn.astype(np.uint8) * 255)
    palette, white_first = (Image.fromarray((drawn == inside).astype(np.uint8)) for inside in (True, False))
    palette.putpalette([0, 0, 0, 9, 9, 9])
    white_first.putpalette([255, 255, 255, 0, 0, 0])
    see_through = Image.fromarray(np.where(drawn, 200, 90).astype(np.uint8))
    clear = Image.merge("RGBA", [Image.new("L", grey.size, 250)] * 3 + [grey])
    red = Image.merge("RGB", [grey] + [Image.new("L", grey.size)] * 2)
    return {
        "1.png": (grey.convert("1"), {}),
        "rgb.png": (grey.convert("RGB"), {}),
        "rgba.png": (grey.convert("RGBA"), {}),
        "la.png": (grey.convert("LA"), {}),
        "palette.png": (palette, {}),
        "white first.png": (white_first, {}),
        "white first.bmp": (white_first, {}),
        "deep.png": (Image.fromarray(drawn.astype(np.uint16) * 900), {}),
        "transparent grey.png": (see_through, {"transparency": 90}),
        "transparent.png": (clear, {}),
        "grey.bmp": (grey, {}),
        "grey.tif": (grey, {}),
        "deep.tiff": (Image.fromarray(drawn.astype(np.uint16) * 900), {}),
        "grey.jpg": (grey, {"quality": 80}),
        "colour.jpeg": (red, {"quality": 95, "subsampling": 0}),
    }


@pytest.mark.parametrize("kind", list(kinds_of(np.eye(2, dtype=bool))))
def test_masks_of_every_kind_are_read_alike(tmp_path, kind):
    drawn = np.zeros((48, 48), bool)
    drawn[8:24, 16:40] = True
    image, options = kinds_of(drawn)[kind]
    suffix = kind.rpartition(".")[2]
    (tmp_path / "masks").mkdir()
    image.save(tmp_path / "masks" / f"a_mass.{suffix}", **options)
    [read] = read_mask_folder(tmp_path / "masks", ["a"]).annotations("a", (48, 48))
    np.testing.assert_array_equal(read.mask, drawn)


def test_masks_below_the_folder_are_read_and_others_are_named(tmp_path):
    masks(tmp_path / "masks" / "2024", ["a_mass.png"])
    masks(tmp_path / "masks" / "2025", ["a_mass.png"])
    (tmp_path / "masks" / "a_nodule.nii.gz").write_bytes(b"\x1f\x8b rest")
    table = read_mask_folder(tmp_path / "masks", ["x/2024/a.png", "x/2025/a.png", "b.png"])
    assert table.images() == ("x/2024/a", "x/2025/a")
    assert table.problems == ("masks/a_nodule.nii.gz: not a mask; masks are PNG, JPEG, BMP or TIFF images",)


def test_bad_mask_folders_are_refused(tmp_path):
    with pytest.raises(AnnotationError, match="no folder"):
        read_mask_folder(tmp_path / "none", ["a"])
    masks(tmp_path / "masks", ["other_mass.png"])
    with pytest.raises(AnnotationError, match=r"such as other_mass.png"):
        read_mask_folder(tmp_path / "masks", ["a"])
    with pytest.raises(AnnotationError, match="no film is known"):
        read_mask_folder(tmp_path / "masks", [])
    (tmp_path / "masks" / "a_mass.png").write_bytes(b"not a png")
    (tmp_path / "masks" / "a_nodule.png").write_bytes((tmp_path / "masks" / "other_mass.png").read_bytes()[:60])
    table = read_mask_folder(tmp_path / "masks", ["a"])
    drawn, problems = table.read_film("a", (40, 40))
    assert drawn == []
    assert [problem.split(" ")[3] for problem in problems] == ["a_mass.png", "a_nodule.png"]


def test_an_undrawn_mask_gives_no_annotation(tmp_path):
    (tmp_path / "m").mkdir()
    Image.new("L", (40, 40)).save(tmp_path / "m" / "a_mass.png")
    assert read_mask_folder(tmp_path / "m", ["a"]).annotations("a", (40, 40)) == []
