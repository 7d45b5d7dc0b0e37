from pathlib import Path

import numpy as np

from classifiers.training.film_cache import SHARP, SOFT, read_films


def test_a_film_is_read_once_from_its_sharpest_archive_and_decoded_once(small_data: Path, tmp_path: Path) -> None:
    sets = read_films(small_data, tmp_path / "cache")
    assert sets[SOFT].films.shape == (4, 128, 128)
    assert sets[SHARP].films.shape == (2, 320, 320)
    for path in (small_data / "nih_boxes" / "images").iterdir():
        path.unlink()
    assert np.array_equal(read_films(small_data, tmp_path / "cache")[SHARP].films, sets[SHARP].films)
