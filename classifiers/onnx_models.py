"""Models in ONNX files, through onnxruntime: they give answers, no gradients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from classifiers.chest_classifier import ChestClassifier
from classifiers.weights import WeightsError, sha256_of
from classifiers.wrapping import check_input, first_line, outputs_in_words, own_card, wrap

_SKIPPED = ("Identity", "Cast")
_LARGE = 20.0
"""How far beyond black and white the films go on which probabilities are told from logits."""
_ENDINGS = {"Sigmoid": "sigmoid", "Softmax": "softmax", "LogSoftmax": "log-softmax"}
_KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


class OnnxNetwork(nn.Module):
    """Runs a graph on the CPU: (N, 1 or 3, S, S) to (N, C), without gradients.

    The graph has no modules and no parameters; a buffer holds its checksum, so that it has a digest.
    """

    answers_only = True

    def __init__(self, graph: bytes, sha256: str) -> None:
        super().__init__()
        import onnxruntime

        self.session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        self.register_buffer("sha256", torch.tensor(list(bytes.fromhex(sha256)), dtype=torch.uint8))
        self.given, self.answer = self.session.get_inputs()[0], self.session.get_outputs()[0].name
        self.last = len(self.given.shape) == 4 and self.given.shape[3] in (1, 3) and self.given.shape[1] not in (1, 3)

    def __deepcopy__(self, memo: dict[int, Any]) -> OnnxNetwork:
        """The session cannot be copied, and holds no state that changes."""
        return self

    @property
    def channels(self) -> int:
        """Colours of the input."""
        stated = self.given.shape[3 if self.last else 1]
        return stated if isinstance(stated, int) else 3

    @property
    def side(self) -> int | None:
        """The input's side where the graph fixes it."""
        height, width = self.given.shape[1:3] if self.last else self.given.shape[2:4]
        if isinstance(height, int) and isinstance(width, int) and height != width:
            raise WeightsError(f"The graph expects films of {height} x {width} pixels; only square ones can be used.")
        return height if isinstance(height, int) else None

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Map films to what the graph gives.

        Raises:
            RuntimeError: the graph does not run on them.
        """
        given = films.detach().cpu().numpy().astype(_KINDS.get(self.given.type, np.float32))
        given = given.transpose(0, 2, 3, 1) if self.last else given
        lots = [given] if not isinstance(self.given.shape[0], int) else np.split(given, len(given))
        try:
            answers = [self.session.run([self.answer], {self.given.name: np.ascontiguousarray(lot)})[0] for lot in lots]
        except Exception as error:  # onnxruntime documents no common base of what a run raises
            raise RuntimeError(str(error)) from error
        return torch.from_numpy(np.concatenate(answers).reshape(len(films), -1).astype(np.float32)).to(films.device)


def load_onnx(
    path: Path,
    findings: Sequence[str],
    *,
    side: int | None = None,
    softmax: bool | None = None,
    name: str = "own",
    title: str | None = None,
    **options: Any,
) -> ChestClassifier:
    """Build a classifier from an ONNX file. A sigmoid or (log-)softmax at the graph's end is taken off.

    Args:
        path: the file. findings: names of the outputs, in order. side: the input's side where the graph leaves it open.
        softmax: whether the findings exclude each other; told by the graph where None.
        name, title, options: see :func:`classifiers.own_weights.load_own`.

    Raises:
        WeightsError: onnxruntime is not installed, or the graph cannot be used; the message says why.
    """
    findings = tuple(findings)
    graph, ending, outputs = _without_ending(path)
    try:
        network = OnnxNetwork(graph, sha256_of(path))
    except Exception as error:  # onnxruntime documents no common base of what a graph raises
        raise WeightsError(f"{path.name} cannot be run by onnxruntime ({first_line(error)}).") from error
    if len(network.given.shape) != 4 or len(network.session.get_inputs()) != 1 or network.channels not in (1, 3):
        shape = tuple(network.given.shape)
        raise WeightsError(f"{path.name} expects an input of {shape}; it can be used with films of 1 or 3 channels.")
    if network.side is not None and side not in (None, network.side):
        raise WeightsError(f"{path.name} expects films of {network.side} pixels a side, not {side}.")
    side = network.side or side or 224
    check_input(findings, side, options.get("fit", "pad"))
    if not ending:
        _check_open(network, side, path.name)
    chosen = ending.endswith("softmax") if softmax is None else softmax
    notes = [f"an ONNX graph for films of {side} pixels", outputs_in_words(chosen)]
    notes += [f"its final {ending} was taken off"] if ending else []
    if outputs > 1:
        notes.append(f"the first of its {outputs} outputs is read")
    card = own_card(name, title, f"Your own model, an ONNX file, {side} pixels.", tuple(notes))
    return wrap(network, findings, card, side=side, softmax=chosen, channels=network.channels, **options)


def _without_ending(path: Path) -> tuple[bytes, str, int]:
    """The graph without the sigmoid or (log-)softmax at its end; which it was, "" for none; how many outputs it has.

    Raises:
        WeightsError: onnx or onnxruntime is not installed, or the file holds no graph.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise WeightsError(
            f"{path.name} is an ONNX file; for these, install the optional extra: pip install 'xai-lightbox[onnx]'."
        ) from error
    try:
        model = onnx.load_model_from_string(path.read_bytes())
        if any(one.data_location == onnx.TensorProto.EXTERNAL for one in model.graph.initializer):
            raise ValueError("its weights lie in other files, which are not read")
        return _taken_off(model)
    except Exception as error:  # the parser's own errors, also while parts are read
        raise WeightsError(f"{path.name} is damaged or not an ONNX file ({first_line(error)}).") from error


def _taken_off(model: Any) -> tuple[bytes, str, int]:
    """What :func:`_without_ending` returns, of a graph that was read."""
    import onnx

    result = model.graph.output[0]
    makers = {output: node for node in model.graph.node for output in node.output}
    node = makers.pop(result.name, None)
    while node is not None and node.op_type in _SKIPPED:
        # Taken out, so that a graph that runs in a circle ends.
        node = makers.pop(node.input[0], None) if node.input else None
    if node is None or not node.input or node.op_type not in _ENDINGS:
        return model.SerializeToString(), "", len(model.graph.output)
    outputs, kind = len(model.graph.output), result.type.tensor_type.elem_type
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info(node.input[0], kind, None))
    return model.SerializeToString(), _ENDINGS[node.op_type], outputs


def _check_open(network: OnnxNetwork, side: int, file: str) -> None:
    """Refuse outputs that are probabilities although the graph does not end in what could be taken off.

    Films far brighter than white move any logit out of 0 to 1.
    """
    noise = torch.randn(4, network.channels, side, side, generator=torch.Generator().manual_seed(0)) * _LARGE
    try:
        outputs = network(noise)
    except RuntimeError as error:
        raise WeightsError(f"{file} does not run on films of {side} x {side} pixels ({first_line(error)}).") from error
    if outputs.min() >= 0 and outputs.max() <= 1:
        raise WeightsError(
            f"{file} gives probabilities, but does not end in a sigmoid or softmax that could be taken off. "
            "Explanations are of logits: export the network without its last step."
        )
