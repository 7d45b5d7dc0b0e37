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
    with pytest.raises(AnnotationError, match="proportions"):
        table.annotations("a", (40, 60))


def test_mask_folder_finds_films_beside_it(tmp_path):
    masks(tmp_path / "masks", ["film_one_mass.png"])
    masks(tmp_path / "images", ["film_one.png"])
    assert read_mask_folder(tmp_path / "masks").images() == ("film_one",)


def test_masks_of_every_png_kind_are_read_alike(tmp_path):
    drawn = masks(tmp_path / "masks", ["a_mass.png"])
    grey = Image.fromarray(drawn.astype(np.uint8) * 255)
    palette = Image.fromarray(drawn.astype(np.uint8), mode="L")
    palette.putpalette([0, 0, 0, 9, 9, 9])
    kinds = [grey.convert("1"), grey.convert("RGB"), grey.convert("RGBA"), grey.convert("LA"), palette]
    kinds.append(Image.fromarray(drawn.astype(np.uint16) * 900))
    for image in kinds:
        image.save(tmp_path / "masks" / "a_mass.png")
        [read] = read_mask_folder(tmp_path / "masks", ["a"]).annotations("a", (40, 40))
        np.testing.assert_array_equal(read.mask, drawn)


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
    with pytest.raises(AnnotationError, match=r"a_mass.png"):
        table.annotations("a", (40, 40))


def test_an_undrawn_mask_gives_no_annotation(tmp_path):
    (tmp_path / "m").mkdir()
    Image.new("L", (40, 40)).save(tmp_path / "m" / "a_mass.png")
    assert read_mask_folder(tmp_path / "m", ["a"]).annotations("a", (40, 40)) == []
