"""ONNX files: their answers are the network's, what lies behind the logits is taken off, the rest is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from classifiers.own_models import forget_model, read_model, remember_model
from classifiers.registry import load_classifier
from classifiers.weights import WeightsError
from evaluation.stability.study import study
from radiographs import Radiograph
from xai_methods import get_method
from xai_methods.serving import served

onnx = pytest.importorskip("onnx", reason="the optional extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the optional extra onnx is not installed")

FINDINGS = ("Mass", "Nodule")
SIDE, CELLS = 32, 4
FILM = Radiograph(np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32))


def _weights():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, CELLS * CELLS, generator=generator), torch.randn(2, generator=generator)


def _file(path, *, ending=(), batch="n", channels=1):
    """A graph of average pooling, a linear layer and what stands in ``ending``."""
    weight, bias = _weights()
    step = SIDE // CELLS
    helper = onnx.helper
    weight = weight.repeat(1, channels)
    nodes = [
        helper.make_node("AveragePool", ["films"], ["cells"], kernel_shape=[step, step], strides=[step, step]),
        helper.make_node("Flatten", ["cells"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weight", "bias"], ["end0"], transB=1),
    ]
    nodes += [helper.make_node(kind, [f"end{i}"], [f"end{i + 1}"], **given) for i, (kind, given) in enumerate(ending)]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("films", onnx.TensorProto.FLOAT, [batch, channels, SIDE, SIDE])],
        [helper.make_tensor_value_info(f"end{len(ending)}", onnx.TensorProto.FLOAT, [batch, 2])],
        [onnx.numpy_helper.from_array(t.numpy(), n) for n, t in (("weight", weight), ("bias", bias))],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def _expected(film=FILM):
    weight, bias = _weights()
    cells = nn.functional.avg_pool2d(torch.tensor(film.pixels)[None, None], SIDE // CELLS).flatten()
    return weight @ cells + bias


@pytest.mark.parametrize("batch", ["n", 1])
@pytest.mark.parametrize("ending", [(), (("Sigmoid", {}),), (("Sigmoid", {}), ("Identity", {}))])
def test_logits_are_those_before_a_sigmoid(ending, batch, tmp_path):
    classifier = read_model(_file(tmp_path / "a.onnx", ending=ending, batch=batch), None, FINDINGS)
    np.testing.assert_allclose(classifier.logits(FILM), _expected(), rtol=1e-5)
    assert (classifier.side, classifier.differentiable) == (SIDE, False)
    assert ("its final sigmoid" in classifier.card.trained_on) == bool(ending)


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax"])
def test_a_softmax_becomes_each_against_the_others(kind, tmp_path):
    classifier = read_model(_file(tmp_path / "a.onnx", ending=((kind, {"axis": 1}),)), None, FINDINGS)
    expected = torch.softmax(_expected(), dim=0)
    assert list(classifier.probabilities(FILM).values()) == pytest.approx(expected.tolist(), rel=1e-5)


def test_methods_of_answers_alone_serve_and_the_others_say_why(tmp_path):
    classifier = read_model(_file(tmp_path / "a.onnx"), None, FINDINGS)
    found = served(classifier, FILM)
    assert all(found[name] is None for name in ("lime", "kernel-shap", "owen-values", "occlusion", "rise"))
    assert "needs gradients" in found["integrated-gradients"]
    assert "needs gradients" in found["lrp"]
    assert "answers alone" in found["grad-cam"]
    assert "answers alone" in found["eigen-cam"]
    occlusion = get_method("occlusion").explain(classifier, FILM, "Mass")
    assert occlusion.values.any()
    with pytest.raises(LookupError, match="needs gradients"):
        get_method("smoothgrad").explain(classifier, FILM, "Mass")
    with pytest.raises(ValueError, match="Stability needs gradients"):
        study(classifier, FILM)


def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path):
    def refused(path, match, findings=FINDINGS, **options):
        with pytest.raises(WeightsError, match=match):
            read_model(path, None, findings, **options)

    refused(_file(tmp_path / "clip.onnx", ending=(("Sigmoid", {}), ("Clip", {}))), "gives probabilities")
    for ending in ((), (("Sigmoid", {}),)):
        path = _file(tmp_path / f"batch{len(ending)}.onnx", batch=2, ending=ending)
        refused(path, "does not run on films of 32 x 32")
    refused(_file(tmp_path / "five.onnx", channels=5), "1 or 3 channels")
    refused(_file(tmp_path / "one.onnx"), r"one logit for each finding.*\(2,\)", findings=("Mass",))
    refused(_file(tmp_path / "size.onnx"), "films of 32 pixels a side, not 64", side=64)
    (tmp_path / "no.onnx").write_bytes(b"1234")
    refused(tmp_path / "no.onnx", "not an ONNX file")


def test_it_is_remembered_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    first = remember_model("graph", _file(tmp_path / "a.onnx", channels=3), findings=FINDINGS, mean=0.5, std=0.5)
    again = load_classifier("graph", device="cpu")
    assert again.digest == first.digest
    np.testing.assert_array_equal(again.logits(FILM), first.logits(FILM))
    forget_model("graph")
