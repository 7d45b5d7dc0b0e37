from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from classifiers.networks import chest_resnet18
from classifiers.training import augment
from classifiers.training.loop import save_network
from classifiers.training.nih_batches import Batches, TrainingFilms
from classifiers.training.teachers import answers, taught
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


def test_labels_move_towards_what_the_teachers_say(small_data: Path, tmp_path: Path) -> None:
    network = chest_resnet18(14)
    with torch.no_grad():
        network.fc.weight.zero_()
        network.fc.bias.copy_(torch.linspace(-3, 3, 14))
    teacher = tmp_path / "teacher.safetensors"
    save_network(network, teacher, {}, torch.float32)
    films = TrainingFilms(small_data, tmp_path / "cache", planted=False, teachers=[teacher])
    said = torch.sigmoid(torch.linspace(-3, 3, 14))
    stage = replace(TINY, smoothing=(0.1, 0.9), distil=0.5)
    labels = Batches(films, stage, 3).batch(5)[1]
    hard = Batches(TrainingFilms(small_data, tmp_path / "cache", planted=False), TINY, 3).batch(5)[1]
    torch.testing.assert_close(labels, 0.5 * (0.1 + 0.8 * hard) + 0.5 * said, atol=2e-3, rtol=0)
    again = taught([teacher], films.films[128].films, tmp_path / "cache")
    np.testing.assert_array_equal(again, films.taught[128])


def test_a_teacher_looks_at_the_blended_films_as_they_are_given(small_data: Path, tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        teacher = chest_resnet18(14).eval()
    films = TrainingFilms(small_data, tmp_path / "cache", planted=False)
    stage = replace(TINY, distil=1.0, consistent=True)
    given, wanted, drawn, _ = Batches(films, stage, 3, [teacher]).batch(5)
    torch.testing.assert_close(wanted, answers([teacher], given))
    plain, _, _, _ = Batches(films, replace(stage, distil=0.0, consistent=False), 3).batch(5)
    torch.testing.assert_close(given[-len(drawn) :], plain[-len(drawn) :])


def test_a_film_is_blended_with_another_as_its_labels_are() -> None:
    films = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 1, 2, 2)
    labels = torch.arange(6.0).view(6, 1)
    given, wanted = augment.blend(films, labels, 4, torch.Generator().manual_seed(0))
    torch.testing.assert_close(given[:, 0, 0, 0], wanted[:, 0])
    assert ((wanted[:4] % 1) > 0.01).any()
    assert (wanted[:4] <= 3).all()
    assert wanted[4:, 0].tolist() == [4, 5]
