from pathlib import Path

import torch

from classifiers.training.nih_batches import Batches, TrainingFilms
from tests.classifiers.training.conftest import TINY


def test_batches_repeat_by_step_and_carry_the_outlined_findings(small_data: Path, tmp_path: Path) -> None:
    films = TrainingFilms(small_data, tmp_path / "cache", planted=False)
    assert sorted(films.pairs) == ["Mass", "Nodule"]
    first, again, other = (Batches(films, TINY, 3).batch(step) for step in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    assert not torch.equal(first[0], other[0])
    pixels, labels, drawn, shares = first
    assert pixels.shape == (8, 1, 64, 64)
    assert labels.shape == (8, 14)
    assert shares.shape == (4, 4, 4)
    assert all(labels[4 + i, f] == 1 for i, f in enumerate(drawn.tolist()))
    assert ((shares >= 0) & (shares <= 1)).all()
    assert (shares.sum(dim=(1, 2)) > 0).all()
