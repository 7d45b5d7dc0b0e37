"""The training of the NIH classifiers: who is trained on, outlines, batches, and going on after an interruption."""

import csv
import itertools
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.metrics import roc_auc_score

from classifiers.networks import chest_resnet18
from classifiers.training import nih_data
from classifiers.training.average_weights import averaged
from classifiers.training.figures import aurocs, located, pointing_figures
from classifiers.training.film_cache import SHARP, SOFT, read_films
from classifiers.training.loop import Stage, one_cycle, run_stage
from classifiers.training.nih_batches import Batches, TrainingFilms
from classifiers.training.outlines import OutlinedPair, read_outlines
from radiographs.annotation_readers.geometry import Box, Polygon
from radiographs.places import asset, data_folder

TINY = Stage(side=64, steps=4, labelled=4, boxed=4, box_weight=0.2, balanced=0.5, flip=0.5, soften=0.5)


def recorded_sides() -> dict[int, str]:
    with asset("splits", "nih.csv").open(encoding="utf-8", newline="") as file:
        return {int(row["patient_id"]): row["split"] for row in csv.DictReader(file)}


@pytest.fixture
def small_data(tmp_path: Path) -> Path:
    """A data folder of six films: four soft, two sharp ones with a box and a polygon."""
    rng = np.random.default_rng(0)
    sides = recorded_sides()
    train = [p for p, side in sides.items() if side == "train"][:6]
    names = [f"{p:08d}_000" for p in train]
    for folder, archive, some in (("nih_train", "films_128", names[:4]), ("nih_boxes", "images", names[4:])):
        at = tmp_path / folder / archive
        at.mkdir(parents=True)
        for name in some:
            side = 128 if folder == "nih_train" else 512
            Image.fromarray(rng.integers(0, 255, (side, side), dtype=np.uint8)).save(at / f"{name}.jpg")
            if folder == "nih_train":
                with zipfile.ZipFile(at.with_suffix(".zip"), "a") as opened:
                    opened.write(at / f"{name}.jpg", f"{name}.jpg")
    frame = pd.DataFrame({"image": [f"{n}.jpg" for n in names], "patient_id": train, "age": 40, "findings": "Mass"})
    frame[:4].assign(archive="films_128.zip", findings=["Mass", "No Finding", "Edema", "Mass|Edema"]).to_csv(
        tmp_path / "nih_train" / "films.csv", index=False
    )
    frame[4:].to_csv(tmp_path / "nih_boxes" / "films.csv", index=False)
    boxes = {"image": f"{names[4]}.jpg", "finding": "Mass", "x": 128, "y": 0, "width": 256, "height": 128}
    pd.DataFrame([boxes]).to_csv(tmp_path / "nih_boxes" / "boxes.csv", index=False)
    lesion = {"finding": "Diffuse Nodule", "polygon": [[0, 0], [512, 0], [512, 512], [0, 512]]}
    (tmp_path / "chestxdet_nih").mkdir()
    film = {"image": f"{names[5]}.png", "lesions": [lesion]}
    (tmp_path / "chestxdet_nih" / "annotations.json").write_text(json.dumps([film]))
    return tmp_path


def test_the_union_of_boxes_and_polygons_is_painted_in_the_masks_own_pixels() -> None:
    pair = OutlinedPair("a", "Mass", "rsna", (Box(0, 0, 512, 512), Box(512, 512, 512, 512)))
    assert pair.mask(8).mean() == 0.5
    triangle = OutlinedPair("a", "Mass", "chestxdet", (Polygon((np.array([[0, 0], [1024, 0], [0, 1024]]),)),))
    assert triangle.mask(64).mean() == pytest.approx(0.5, abs=0.02)


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


def test_a_film_is_read_once_from_its_sharpest_archive_and_decoded_once(small_data: Path, tmp_path: Path) -> None:
    sets = read_films(small_data, tmp_path / "cache")
    assert sets[SOFT].films.shape == (4, 128, 128)
    assert sets[SHARP].films.shape == (2, 320, 320)
    for path in (small_data / "nih_boxes" / "images").iterdir():
        path.unlink()
    assert np.array_equal(read_films(small_data, tmp_path / "cache")[SHARP].films, sets[SHARP].films)


def test_an_interrupted_training_goes_on_where_it_stopped(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifiers.training.loop.CHECKPOINT", 2)
    batches = Batches(TrainingFilms(small_data, tmp_path / "cache", planted=False), TINY, 0)

    def trained(out: Path, stop: int | None) -> dict[str, torch.Tensor]:
        def batch(step: int):
            if step == stop:
                raise KeyboardInterrupt
            return batches.batch(step)

        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = chest_resnet18(14)
        return run_stage(network, replace(TINY, dropout=0.0), 14, batch, out).state_dict()

    whole = trained(tmp_path / "whole.safetensors", None)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "parts.safetensors", 3)
    parts = trained(tmp_path / "parts.safetensors", None)
    assert (tmp_path / "parts.checkpoint.safetensors").is_file()
    for name in ("fc.weight", "layer3.0.conv1.weight"):
        assert torch.allclose(whole[name], parts[name], atol=2e-3), name


def test_averaged_weights_are_the_weighted_mean(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 4.0)):
        state = {"w": torch.full((2,), value).half(), "n": torch.tensor(3)}
        save_file(state, tmp_path / f"{name}.safetensors")
    mean = averaged([tmp_path / "a.safetensors", tmp_path / "b.safetensors"], [2, 1])
    assert mean["w"].tolist() == [2, 2]
    assert mean["n"] == 3
    with pytest.raises(ValueError, match="2 files need 2 shares"):
        averaged([tmp_path / "a.safetensors", tmp_path / "b.safetensors"], [1])


def test_areas_under_the_curve_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(200, 3)).round(1), (rng.random((200, 3)) < 0.2).astype(np.float32)
    labels[:, 2] = 0
    found = aurocs(logits, labels)
    assert found[:2] == pytest.approx([roc_auc_score(labels[:, c], logits[:, c]) for c in range(2)])
    assert np.isnan(found[2])


def test_a_map_that_is_the_outline_points_into_it_and_covers_it() -> None:
    pairs = [OutlinedPair(name, "Mass", "nih-boxes", (Box(128, 256, 128, 64),)) for name in ("a", "b")]
    maps = np.zeros((2, 14, 16, 16), dtype=np.float32)
    maps[0, 9, 8:10, 4:8] = 1
    maps[1, 9, 0, 0] = 1
    values = located(maps, pairs, [0, 1])
    assert values[:, 0].tolist() == [1, 0]
    assert values[0, 1] > 0.8
    assert values[1, 1] < 0.1
    assert values[:, 2] == pytest.approx(128 * 64 / 512**2)
    figures = pointing_figures(values, pairs, np.array([1, 2]))
    assert figures["mean"]["pointing"] == 0.5
    assert figures["pairs"]["n"] == 2


def test_the_learning_rate_rises_and_falls_once() -> None:
    rates = [one_cycle(i / 100) for i in range(101)]
    top = int(np.argmax(rates))
    assert top == 15
    assert rates[0] < 0.05
    assert rates[-1] < 1e-6
    assert all(a <= b for a, b in itertools.pairwise(rates[: top + 1]))
    assert all(a >= b for a, b in itertools.pairwise(rates[top:]))


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
