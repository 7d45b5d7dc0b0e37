from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from classifiers.training.anatomy_data import ADULTS, CHILDREN, AnatomyBatches, Mix, Outlined, bent_grid, disturb
from classifiers.training.train_anatomy import dice_loss
from radiographs import Radiograph

SIDE = 64


def made() -> list[Outlined]:
    """A child without and an adult with an outlined heart; each structure is as bright as its number says."""
    masks = [np.zeros((96, 128), dtype=bool) for _ in range(3)]
    masks[0][20:70, 15:45], masks[1][20:70, 80:115], masks[2][40:75, 50:75] = True, True, True
    pixels = np.full((96, 128), 0.1) + 0.3 * masks[0] + 0.5 * masks[1] + 0.8 * masks[2]
    film = Radiograph(pixels)
    return [
        Outlined("a", "p-a", CHILDREN, film, (masks[0], masks[1], None)),
        Outlined("b", "p-b", ADULTS, film, (masks[0], masks[1], masks[2])),
    ]


def test_a_batch_says_what_is_known_and_empties_the_films_that_hang_wrong() -> None:
    films, masks, known = AnatomyBatches(made(), Mix(3, 2, 4), SIDE, seed=1).batch(0)
    assert films.shape == (9, 1, SIDE, SIDE)
    assert masks.shape == (9, 3, SIDE, SIDE)
    assert known.shape == masks.shape
    assert known.float().mean((2, 3)).tolist() == [[1, 1, 0]] * 3 + [[1] * 3] * 6
    assert masks[5:].max() == 0
    assert all(masks[n, c].max() > 0.5 for n in range(3, 5) for c in range(3))
    assert films.min() >= -2
    assert films.max() <= 2


def test_where_a_mask_says_nothing_moves_with_its_film_and_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifiers.training.anatomy_data.disturb", lambda films, generator: films)
    child, adult = made()
    partly = replace(adult, unknown=(adult.masks[2], None, None))
    films, masks, known = AnatomyBatches([child, partly], Mix(0, 4, 0), SIDE, seed=5).batch(0)
    heart = (films[:, 0] * 0.25 + 0.5 - 0.9).abs() < 0.02
    assert heart.any()
    assert not known[:, 0][heart].any()
    assert known[:, 1].all()
    logits, wrong = torch.randn(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)), masks.clone()
    wrong[~known] = 1 - wrong[~known]
    assert torch.equal(dice_loss(logits, masks, known), dice_loss(logits, wrong, known))


def test_masks_move_with_their_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifiers.training.anatomy_data.disturb", lambda films, generator: films)
    films, masks, _ = AnatomyBatches(made(), Mix(0, 6, 0), SIDE, seed=2).batch(0)
    for film, mask in zip(films * 0.25 + 0.5, masks):
        for channel, grey in enumerate((0.4, 0.6, 0.9)):
            assert film[0][mask[channel] > 0.99].numpy() == pytest.approx(grey, abs=0.02)


def test_the_same_seed_gives_the_same_batch() -> None:
    first, second, other = (AnatomyBatches(made(), Mix(2, 2, 2), SIDE, seed=s).batch(0) for s in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(first, second))
    assert not torch.equal(first[0], other[0])


def test_changes_stay_in_range_and_leave_their_argument_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    films = torch.rand(4, 1, SIDE, SIDE, generator=generator)
    kept = films.clone()
    changed = disturb(films, generator)
    assert torch.equal(films, kept)
    assert 0 <= changed.min()
    assert changed.max() <= 1
    assert bent_grid(4, SIDE, generator).shape == (4, SIDE, SIDE, 2)
