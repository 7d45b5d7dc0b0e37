"""One whole file for each reader, how it is read, and how a file is damaged."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save as save_tensors

from classifiers.cards import CardError, load_card
from classifiers.safe_unpickling import read_network_tensors
from classifiers.weights import WeightsError, read_state_dict
from evaluation.one_film.map_files import MapError, read_map_file, read_mask
from evaluation.runs.plan import PlanError, read_plan
from evaluation.runs.store import Store, StoreError
from radiographs.annotation_readers import read_table
from radiographs.collections.folder import FolderCollection
from radiographs.collections.folder_labels import read_label_table
from radiographs.errors import AnnotationError, FilmError
from radiographs.film_readers.mask_images import read_mask_image
from radiographs.places import asset
from radiographs.reading import read_radiograph
from tests.damage_seeds_home import HOME, jsoned
from tests.damage_seeds_shared import SHARED, Reader
from tests.evaluation.runs.made import made_store
from tests.radiographs.film_readers.dicom_films import film, save
from tests.radiographs.hostile import zipped
from xai_methods import Explanation
from xai_methods.explanation import ExplanationFileError

SIDE = 64
WAVE = np.sin(np.arange(SIDE * SIDE)).reshape(SIDE, SIDE)
SPOT = ((WAVE > 0) * 255).astype(np.uint8)


class NothingError(Exception):
    """What a reader that refuses nothing raises: it says in its result what is wrong."""


def picture(kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(SPOT).save(stream, kind, **options)
    return stream.getvalue()


def arrays(**named: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **named)
    return stream.getvalue()


def one_array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, WAVE)
    return stream.getvalue()


def saved(content: object, zipped: bool = True) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


BOXES = "image,finding,x,y,width,height,reader\nfilm.png,Mass,1,2,10,12,A\nfilm.png,Nodule,5.5,6,7,8,B\n"
VINDR = "image_id,class_name,rad_id,x_min,y_min,x_max,y_max\nfilm,Mass,R1,1,2,30,40\nother,No finding,R2,,,,\n"
RSNA = "patientId,x,y,width,height,Target\nfilm,10,20,300,400,1\nother,,,,,0\n"
SIIM = "ImageId,EncodedPixels\nfilm,100 20 1004 20\nother,-1\n"
NIH = "Image Index,Finding Label,Bbox [x,y,w,h],,,\nfilm.png,Mass,100,200,300,100,,,\n"
CHEXPERT = "Path,Sex,Age,Frontal/Lateral,AP/PA,Edema\na/patient1/study1/view1_frontal.jpg,Male,50,Frontal,AP,1\n"
COCO = {
    "images": [{"id": 1, "file_name": "film.png", "height": SIDE, "width": SIDE}],
    "categories": [{"id": 1, "name": "Mass"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 20, 1, 20.5, 30]]},
        {"id": 2, "image_id": 1, "category_id": 1, "segmentation": {"size": [64, 64], "counts": [5, 10, 4081]}},
        {"id": 3, "image_id": 1, "category_id": 1, "bbox": [1, 1, 20, 30]},
    ],
}
CHEST_DET = [{"file_name": "film.png", "syms": ["Mass"], "polygons": [[[1, 1], [500, 1], [500, 600]]]}]
CHEXLOCALIZE = {
    "film": {"Edema": {"size": [64, 64], "counts": [5, 10, 4081]}, "Mass": {"size": [64, 64], "counts": "5:"}}
}
LABELS = "image,labels,patient\nfilm.png,Mass|Edema,P1\n"
PLAN = """collections = ["nih-boxes"]
classifiers = ["nih14"]
seeds = [0, 1]
[[methods]]
name = "lime"
[methods.parameters]
samples = 200
[methods.sweep]
n_superpixels = [20, 40]
"""


def drawn(path: Path) -> None:
    """Read a table and rasterise all that it outlines."""
    table = read_table(path)
    for image in table.images():
        table.read_film(image, (SIDE, SIDE))


def folder_with(name: str) -> Callable[[Path], object]:
    """Read a folder of one film in which the file lies under this name."""

    def reader(path: Path) -> None:
        folder = path.parent / "folder"
        (folder / "masks").mkdir(parents=True, exist_ok=True)
        (folder / "film.png").write_bytes(picture("PNG"))
        (folder / name).write_bytes(path.read_bytes())
        collection = FolderCollection(folder)
        collection.scan()
        for entry in collection.entries():
            collection.annotations(entry.film_id)

    return reader


def shard(path: Path) -> None:
    store = Store(path.parent / "run")
    store.make()
    (store.scores_folder / "part-1.parquet").write_bytes(path.read_bytes())
    store.answered()
    store.query("SELECT * FROM scores")


def parquet() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        (file,) = made_store(Path(place)).scores_folder.iterdir()
        return file.read_bytes()


def explanation() -> bytes:
    stream = io.BytesIO()
    values = WAVE.astype(np.float32)
    Explanation(values, True, "lime", {}, 0, "Mass", 0.5, "f", "c", 1.0, 10).save(stream)
    return stream.getvalue()


def state() -> dict[str, torch.Tensor]:
    return {"layer.weight": torch.arange(60.0).reshape(6, 10), "layer.bias": torch.ones(6)}


MAPS = (MapError, AnnotationError)
TABLES: dict[str, bytes] = {
    "boxes.csv": BOXES.encode(),
    "vindr.csv": VINDR.encode(),
    "rsna.csv": RSNA.encode(),
    "siim.csv": SIIM.encode(),
    "nih.csv": NIH.encode(),
    "coco.json": jsoned(COCO),
    "chestx-det.json": jsoned(CHEST_DET),
    "chexlocalize.json": jsoned(CHEXLOCALIZE),
    "boxes.csv.gz": gzip.compress(BOXES.encode(), mtime=0),
    "boxes.csv.zip": zipped("boxes.csv", BOXES.encode()),
}
READERS: dict[str, Reader] = {
    "DICOM": ("film.dcm", lambda: save(film()), read_radiograph, FilmError),
    "PNG": ("film.png", lambda: picture("PNG"), read_radiograph, FilmError),
    "JPEG": ("film.jpg", lambda: picture("JPEG", progressive=True), read_radiograph, FilmError),
    **{name: (name, lambda name=name: TABLES[name], drawn, AnnotationError) for name in TABLES},
    "CheXpert": ("labels.csv", CHEXPERT.encode, read_label_table, AnnotationError),
    "mask, PNG": ("mask.png", lambda: picture("PNG"), read_mask_image, AnnotationError),
    "mask, TIFF": ("mask.tif", lambda: picture("TIFF"), read_mask_image, AnnotationError),
    "mask, BMP": ("mask.bmp", lambda: picture("BMP"), read_mask_image, AnnotationError),
    "mask, JPEG": ("mask.jpg", lambda: picture("JPEG"), read_mask_image, AnnotationError),
    "mask, npz": ("mask.npz", lambda: arrays(mask=SPOT), read_mask, MAPS),
    "map, npz": ("map.npz", lambda: arrays(values=WAVE), lambda p: read_map_file(p, WAVE.shape), MAPS),
    "map, npy": ("map.npy", one_array, lambda p: read_map_file(p, WAVE.shape), MAPS),
    "map, PNG": ("map.png", lambda: picture("PNG"), lambda p: read_map_file(p, WAVE.shape), MAPS),
    "explanation": ("map.npz", explanation, Explanation.load, ExplanationFileError),
    "safetensors": ("w.safetensors", lambda: save_tensors(state()), read_state_dict, WeightsError),
    "state dict": ("w.pt", lambda: saved(state()), read_state_dict, WeightsError),
    "former state dict": ("w.pt", lambda: saved(state(), False), read_state_dict, WeightsError),
    "network": ("w.pt", lambda: saved(state()), read_network_tensors, WeightsError),
    "former network": ("w.pt", lambda: saved(state(), False), read_network_tensors, WeightsError),
    "card": ("nih14.json", asset("models", "nih14.json").read_bytes, load_card, CardError),
    "plan": ("plan.toml", PLAN.encode, read_plan, PlanError),
    "results": ("part.parquet", parquet, shard, StoreError),
    **HOME,
    "folder, film": ("x", lambda: picture("PNG"), folder_with("another.png"), NothingError),
    "folder, mask": ("x", lambda: picture("PNG"), folder_with("masks/film_Mass.png"), NothingError),
    "folder, boxes": ("x", BOXES.encode, folder_with("boxes.csv"), NothingError),
    "folder, films.csv": ("x", LABELS.encode, folder_with("films.csv"), NothingError),
    **SHARED,
}
ODD = [
    *(b"1e308", b"-1", b"9" * 5000, b"NaN", b"Infinity", b"null", b"[]", b"{}", b'""', b"[" * 3000, b'{"a":' * 3000),
    *(b"\0", b"\xff\xfe", b"\xed\xb2\x80", b"=1+1", b"\n", b",", b'"', b"\xff" * 8, b"\x7f\xff\xff\xff", b"1" * 400),
]


def damaged(content: bytes, edits: list[tuple[int, int, int, int]]) -> bytes:
    """Content after edits: (what, where, how far, with what), each a number below 2**16."""
    for what, where, far, fill in edits:
        at, length = where * len(content) >> 16, far % 64
        kind = what % 6
        if kind == 0:
            content = content[:at]
        elif kind == 1:
            content = content[:at] + bytes([fill & 255]) + content[at + 1 :]
        elif kind == 2:
            content = content[:at] + ODD[fill % len(ODD)] + content[at + length % 8 :]
        elif kind == 3:
            content = content[:at] + content[at + length :]
        elif kind == 4:
            other = fill * len(content) >> 16
            content = content[:at] + content[other : other + length] + content[at:]
        else:
            content = content[:at] + bytes([content[at] ^ (1 << fill % 8)]) + content[at + 1 :] if content else content
    return content
