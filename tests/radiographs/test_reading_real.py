import pytest

from radiographs.annotation_readers import bundled_table, read_box_csv, read_mask_folder, read_nih_boxes
from radiographs.places import data_folder
from radiographs.reading import read_radiograph

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(data_folder() is None, reason="XAI_LIGHTBOX_DATA does not point at a folder of films"),
]


def test_published_boxes_fall_where_the_resized_table_puts_them():
    resized = read_box_csv(data_folder() / "nih_boxes" / "boxes.csv")
    published = read_nih_boxes(bundled_table("nih-boxes"))
    for image in resized.images()[:60]:
        shape = read_radiograph(data_folder() / "nih_boxes" / "images" / f"{image}.jpg").shape
        for ours, theirs in zip(published.annotations(image, shape), resized.annotations(image, shape), strict=True):
            assert ours.finding == theirs.finding
            union = (ours.mask | theirs.mask).sum()
            assert (ours.mask & theirs.mask).sum() > 0.95 * union


def test_every_radiologist_mask_fits_its_film():
    folder = data_folder() / "radiologist_masks"
    table = read_mask_folder(folder / "masks", reader="radiologists")
    assert table.unmatched == ()
    drawn = 0
    for image in table.images():
        film = read_radiograph(folder / "images" / f"{image}.jpg")
        drawn += len(table.annotations(image, film.shape))
    assert (len(table), drawn) == (44, 267)
