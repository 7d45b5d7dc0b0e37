import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from classifiers.training.loop import Stage
from radiographs.places import asset

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
