"""Whole files that people hand to each other, for :mod:`tests.damage_seeds`: results, lessons, studies, models."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import save as save_tensors

from classifiers.own_models import read_model
from classifiers.weights import WeightsError
from dashboard.classroom.lesson import LessonError, read_lesson
from evaluation.reader_study.study_file import StudyError, read_study
from evaluation.runs.published import PublishedError, open_results, publish
from evaluation.runs.report import provenance_of
from evaluation.runs.tables import leaderboard, metrics_of, pairs_of, verdicts
from radiographs.places import asset
from tests.evaluation.runs.made import made_store

Reader = tuple[str, Callable[[], bytes], Callable[[Path], object], type[Exception] | tuple[type[Exception], ...]]
SIDE, FINDINGS = 32, ("Mass", "Nodule")


@cache
def published(suffix: str) -> bytes:
    """What ``lightbox publish`` writes of a run."""
    with tempfile.TemporaryDirectory() as place:
        store = made_store(Path(place) / "run")
        (pair,) = pairs_of(store)
        publish(store, Path(place) / f"results{suffix}", {f"{pair.collection}/{pair.classifier}": []})
        return (Path(place) / f"results{suffix}").read_bytes()


def compared(path: Path) -> None:
    """Open published results and make of them what ``lightbox report`` makes."""
    with open_results(path) as store:
        for pair in pairs_of(store):
            verdicts(store, pair)
            provenance_of(store, pair)
            leaderboard(store, pair, metrics_of(store)[:1], draws=20)


def lesson(path: Path) -> None:
    """Read a lesson from a folder of its own."""
    folder = path.parent / "a-lesson"
    folder.mkdir(exist_ok=True)
    (folder / "lesson.toml").write_bytes(path.read_bytes())
    read_lesson(folder)


@cache
def transformers_folder() -> dict[str, bytes]:
    """The files of a tiny ViT, as ``transformers`` saves it."""
    import transformers

    config = transformers.ViTConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        image_size=SIDE,
        patch_size=16,
        id2label=dict(enumerate(FINDINGS)),
        label2id={"Mass": 0, "Nodule": 1},
        problem_type="multi_label_classification",
    )
    preparation = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "size": {"height": SIDE, "width": SIDE}}
    with tempfile.TemporaryDirectory() as place, torch.random.fork_rng(devices=[]):
        transformers.ViTForImageClassification(config).save_pretrained(place)
        files = {path.name: path.read_bytes() for path in Path(place).iterdir()}
    return files | {"preprocessor_config.json": json.dumps(preparation).encode()}


@cache
def timm_folder() -> dict[str, bytes]:
    """The files of a tiny ViT, as timm saves it."""
    import timm

    stated = {"input_size": [3, 160, 160], "mean": [0.5] * 3, "std": [0.5] * 3, "label_names": list(FINDINGS)}
    with torch.random.fork_rng(devices=[]):
        network = timm.create_model("test_vit", num_classes=len(FINDINGS))
    config = {"architecture": "test_vit", "pretrained_cfg": stated}
    return {"config.json": json.dumps(config).encode(), "model.safetensors": save_tensors(network.state_dict())}


def in_folder(files: Callable[[], dict[str, bytes]], name: str) -> Reader:
    """The reader of a model's folder, of which the file of this name is damaged."""

    def read(path: Path) -> None:
        folder = path.parent / "model"
        folder.mkdir(exist_ok=True)
        for other, content in files().items():
            (folder / other).write_bytes(path.read_bytes() if other == name else content)
        read_model(folder)

    return "damaged", lambda: files()[name], read, WeightsError


@cache
def graph() -> bytes:
    """An ONNX graph of pooling and a linear layer."""
    import onnx

    helper, generator = onnx.helper, torch.Generator().manual_seed(0)
    weight = torch.randn(len(FINDINGS), 16, generator=generator).numpy()
    nodes = [
        helper.make_node("AveragePool", ["films"], ["cells"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["cells"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weight"], ["logits"], transB=1),
        helper.make_node("Sigmoid", ["logits"], ["answers"]),
    ]
    taken = helper.make_tensor_value_info("films", onnx.TensorProto.FLOAT, ["n", 1, SIDE, SIDE])
    given = helper.make_tensor_value_info("answers", onnx.TensorProto.FLOAT, ["n", len(FINDINGS)])
    made = helper.make_graph(nodes, "net", [taken], [given], [onnx.numpy_helper.from_array(weight, "weight")])
    whole = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(whole.SerializeToString())


SHARED: dict[str, Reader] = {
    "published, JSON": ("results.json", lambda: published(".json"), compared, PublishedError),
    "published, Parquet": ("results.parquet", lambda: published(".parquet"), compared, PublishedError),
    "lesson": ("l.toml", asset("lessons", "where-would-you-look", "lesson.toml").read_bytes, lesson, LessonError),
    "study": ("study.toml", asset("studies", "mass.toml").read_bytes, read_study, StudyError),
    "ONNX": ("network.onnx", graph, lambda path: read_model(path, None, FINDINGS), WeightsError),
    "Hugging Face, config": in_folder(transformers_folder, "config.json"),
    "Hugging Face, preparation": in_folder(transformers_folder, "preprocessor_config.json"),
    "Hugging Face, weights": in_folder(transformers_folder, "model.safetensors"),
    "timm, config": in_folder(timm_folder, "config.json"),
}
