from pathlib import Path

import numpy as np
import pytest

from classifiers.training import nih_data
from classifiers.training.nih_batches import TrainingFilms
from classifiers.training.outlines import read_outlines
from radiographs.places import data_folder
from tests.classifiers.training.conftest import recorded_sides


def test_a_patient_of_the_published_box_list_is_never_new_to_training() -> None:
    assert nih_data.side_by_digest(min(nih_data._published_boxed_patients())) == "test"
    sides = [nih_data.side_by_digest(p) for p in range(100_000, 104_000)]
    assert np.mean([s == "test" for s in sides]) == pytest.approx(0.25, abs=0.03)
    assert np.mean([s == "val" for s in sides]) == pytest.approx(0.05, abs=0.02)


@pytest.mark.real_data
def test_no_patient_of_a_test_list_is_trained_on_in_whatever_archive_the_film_lies(tmp_path: Path) -> None:
    data = data_folder()
    assert data is not None
    recorded = recorded_sides()
    table = nih_data.make_split(data)
    assert dict(zip(table.patient_id.astype(int), table.split)) == recorded
    films = TrainingFilms(data, tmp_path, planted=False)
    trained = {int(p) for part in films.films.values() for p in part.patients}
    trained |= {int(name.split("_")[0]) for part in films.films.values() for name in part.images}
    held_out = {p for p, side in recorded.items() if side != "train"}
    published = nih_data._published_boxed_patients() - {p for p, side in recorded.items() if side == "train"}
    assert trained
    assert not trained & held_out
    assert not trained & published
    assert {p.image for p in read_outlines(data)} & {n for part in films.films.values() for n in part.images}
