"""A small collection and a tiny random model that worker processes find as they find a user's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from classifiers.own_models import remember_model
from evaluation.runs.plan import Plan, parse_plan
from radiographs.collections.remembered import remember_folder
from radiographs.places import DATA_VARIABLE, HOME_VARIABLE

FILMS = 14
PLAN = """
collections = ["folder-1"]
classifiers = ["tiny-net"]
findings = ["Nodule"]
metrics = ["pointing_game", "pixel_auprc", "area_matched_iou", "gini_sparseness", "peak_distance_mm"]
seeds = [0, 1]
[[methods]]
name = "grad-cam"
[[methods]]
name = "rise"
sweep = { masks = [100, 200] }
"""


def make_films(folder: Path, number: int = FILMS) -> None:
    """Noise with a bright square that is outlined as a nodule; two films a patient; the last has no outline."""
    rng = np.random.default_rng(5)
    (folder / "masks").mkdir(parents=True)
    lines = ["image,labels,patient"]
    for i in range(number):
        mask = np.zeros((96, 96), dtype=bool)
        row, column = rng.integers(10, 60, 2)
        mask[row : row + 20, column : column + 16] = True
        pixels = np.clip(90 + 80 * mask + 12 * rng.standard_normal(mask.shape), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"film{i}.png")
        if i < number - 1:
            Image.fromarray((255 * mask).astype(np.uint8)).save(folder / "masks" / f"film{i}_Nodule.png")
        lines.append(f"film{i}.png,Nodule,p{i // 2}")
    (folder / "films.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_weights(path: Path) -> None:
    import timm

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        save_file(timm.create_model("test_resnet", pretrained=False, in_chans=1, num_classes=2).state_dict(), path)


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder with the collection ``folder-1`` and the model ``tiny-net`` on their shelves."""
    place = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(HOME_VARIABLE, str(place / "home"))
        patched.delenv(DATA_VARIABLE, raising=False)
        make_films(place / "films")
        make_weights(place / "net.safetensors")
        remember_folder(place / "films")
        remember_model("tiny-net", place / "net.safetensors", "timm:test_resnet", ["Nodule", "Effusion"], side=64)
        yield place


@pytest.fixture(scope="package")
def plan(world: Path) -> Plan:
    return parse_plan(PLAN)
