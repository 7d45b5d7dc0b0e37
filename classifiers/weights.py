"""Weight files: read without running code from them, fitted to a network, refused with the reason."""

from __future__ import annotations

import contextlib
import hashlib
import io
import pickletools
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch
from safetensors.torch import load_file
from torch import nn

from radiographs.files import read_json

_PREFIXES = ("module.", "model.", "network.", "net.", "_orig_mod.")
WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net", "weights")
"""Names under which training programs put the network's weights among other things."""
_TORCH_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".tar")
_REFUSED_SUFFIXES = {
    ".h5": "a Keras or HDF5 file",
    ".hdf5": "a Keras or HDF5 file",
    ".keras": "a Keras file",
    ".onnx": "an ONNX file",
    ".pb": "a TensorFlow graph",
    ".tflite": "a TensorFlow Lite file",
    ".pkl": "a pickle, which can run any code when it is opened",
    ".pickle": "a pickle, which can run any code when it is opened",
    ".joblib": "a pickle, which can run any code when it is opened",
}
_PICKLES, _LONGEST_GLOBAL = 5, 300
ADVICE = "Save the network's state_dict() as .safetensors, or as .pt with torch.save(network.state_dict(), ...)."
StateDict = dict[str, torch.Tensor]


class WeightsError(ValueError):
    """A weight file cannot be used. The message says why and what to do."""


class PickledCodeError(WeightsError):
    """A PyTorch file holds more than tensors, for instance a whole network or a training program's settings."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_shipped_card(path: Path) -> dict[str, Any]:
    """Read the card beside the weights of a network that the project itself uses; its ``network`` names the weights.

    Raises:
        WeightsError: it is missing or damaged.
    """
    try:
        card: dict[str, Any] = read_json(path)
    except (OSError, ValueError) as error:
        raise WeightsError(f"the card {path.name} cannot be read ({error}); install the project again") from error
    return card


def shipped_weights(folder: Path, network_card: Mapping[str, Any]) -> Path:
    """The weight file in ``folder`` that a card's ``network`` names with its checksum.

    Raises:
        WeightsError: it is missing or another file.
    """
    path = folder / network_card["weights"]
    if not path.is_file() or sha256_of(path) != network_card["sha256"]:
        raise WeightsError(f"{path.name} is missing or not the file its card describes; install the project again")
    return path


def read_state_dict(path: Path) -> StateDict:
    """Read the tensors of a safetensors file or of a ``.pt`` file that holds a state dict and nothing else.

    Floating-point tensors come as float32. Prefixes that wrappers put before every name ("module.", "model." ...)
    and an outer ``{"state_dict": ...}`` are taken off.

    Raises:
        WeightsError: any other kind of file, a damaged one, or weights that are not finite.
    """
    path = Path(path)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "not there"
        raise WeightsError(f"{path} is {kind}; name a weight file.")
    _refuse_foreign(path)
    content = _read_safetensors(path) if path.suffix.lower() == ".safetensors" else _read_torch(path)
    return clean(content, path.name)


def _refuse_foreign(path: Path) -> None:
    """Refuse, with its kind, what is not a state dict by its name or first bytes."""
    suffix = path.suffix.lower()
    kind = _REFUSED_SUFFIXES.get(suffix)
    with path.open("rb") as stream:
        if stream.read(4) == b"\x89HDF":
            kind = "a Keras or HDF5 file"
    if kind is None and is_archive(path):
        try:
            with zipfile.ZipFile(path) as archive:
                members = {name.rsplit("/", 1)[-1] for name in archive.namelist()}
        except Exception as error:  # is_zipfile looks at the end alone; what it finds may be damaged
            raise WeightsError(f"{path.name} is damaged: its archive cannot be opened. {ADVICE}") from error
        if "constants.pkl" in members:
            kind = "TorchScript, which carries code"
        elif "data.pkl" not in members:
            kind = "a zip archive without PyTorch weights"
    if kind is None and suffix not in (".safetensors", *_TORCH_SUFFIXES):
        kind = f"of an unknown kind ({suffix or 'no suffix'})"
    if kind is not None:
        raise WeightsError(f"{path.name} is {kind} and is not read. {ADVICE}")


def check_archive(path: Path) -> None:
    """Refuse a zip file of weights that would unpack to more than itself, or whose bytes do not fit their checksums.

    PyTorch does not look at the checksums: bytes that were changed would become other weights without a word.

    Raises:
        WeightsError: it would, or they do not, or the archive cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > path.stat().st_size:
                raise WeightsError(f"{path.name} is packed otherwise than PyTorch does, and is not read. {ADVICE}")
            damaged = archive.testzip()
    except WeightsError:
        raise
    except Exception as error:  # encrypted, of a later version, cut off: zipfile's errors have no common base
        raise WeightsError(f"{path.name} is damaged: its archive cannot be read. {ADVICE}") from error
    if damaged is not None:
        raise WeightsError(f"{path.name} is damaged: its bytes do not fit their checksums. Fetch or save it again.")


def is_archive(path: Path) -> bool:
    """Whether a file is a zip archive, whole or damaged."""
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        return True


def _check_names(path: Path, archive: bool) -> None:
    """Refuse a pickle that names something at great length: PyTorch's words for its refusal take hours to make then.

    Raises:
        ValueError: it does, or is no pickle.
    """
    with path.open("rb") as file, contextlib.ExitStack() as held:
        stream: IO[bytes] = file
        if archive:
            opened = held.enter_context(zipfile.ZipFile(file))
            stream = io.BytesIO(opened.read(next(n for n in opened.namelist() if n.endswith("data.pkl"))))
        for _ in range(_PICKLES):
            if not stream.read(1):
                return
            stream.seek(-1, io.SEEK_CUR)
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name in ("GLOBAL", "INST") and len(str(argument)) > _LONGEST_GLOBAL:
                    raise ValueError("it names something at great length")
            if archive:
                return


def _read_safetensors(path: Path) -> StateDict:
    try:
        return load_file(path)
    except Exception as error:  # a kind of number that this torch does not know raises by its version
        raise WeightsError(f"{path.name} is not a readable safetensors file ({error}).") from error


def _read_torch(path: Path) -> object:
    archive = is_archive(path)
    if archive:
        check_archive(path)
    try:
        _check_names(path, archive)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch documents no common base class of what a bad file raises
        found = re.search(r"GLOBAL (\S+)", str(error))
        if found or "magic number" in str(error) or "legacy" in str(error).lower():
            more = f" ({found[1]})" if found else ""
            why = f"it holds more than tensors{more}, for instance a whole pickled network or its settings"
            raise PickledCodeError(f"{path.name} is not read: {why}. {ADVICE}") from error
        raise WeightsError(f"{path.name} is not read: it is damaged or not a PyTorch file. {ADVICE}") from error


def clean(content: object, name: str) -> StateDict:
    """Return a plain float32 state dict from what a file named ``name`` held.

    Raises:
        WeightsError: it is not a state dict, or a weight is not finite.
    """
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
            break
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(f"{name} holds no named tensors. {ADVICE}")
    for key, tensor in content.items():
        if not isinstance(key, str) or not isinstance(tensor, torch.Tensor):
            raise WeightsError(f"{name} holds more than named tensors ({str(key)[:60]!r}). {ADVICE}")
    _check_tensors(content, name)
    state = {k: v.float() if v.is_floating_point() else v for k, v in content.items()}
    for key, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{name} holds values that are not finite numbers (in {key}); it cannot be used.")
    return _without_prefix(state)


def _check_tensors(content: Mapping[str, torch.Tensor], name: str) -> None:
    """Refuse tensors that do not hold as many numbers as they have places, before any of them is copied."""
    for key, tensor in content.items():
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested or tensor.device.type != "cpu":
            words = f"{name} holds a tensor that is sparse, quantised or without values ({key[:60]}). {ADVICE}"
            raise WeightsError(words)
    storages = [tensor.untyped_storage() for tensor in content.values()]
    stored = sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())
    if sum(tensor.numel() * tensor.element_size() for tensor in content.values()) > 2 * stored:
        raise WeightsError(f"{name} holds tensors that are larger than what is stored of them. {ADVICE}")


def _without_prefix(state: StateDict) -> StateDict:
    while prefix := next((p for p in _PREFIXES if all(k.startswith(p) for k in state)), None):
        state = {k.removeprefix(prefix): v for k, v in state.items()}
    return state


def misfit(network: nn.Module, state: StateDict) -> str | None:
    """Say in words how ``state`` does not fit ``network``; None where it fits.

    Batch counters (``num_batches_tracked``) may be missing: they play no part in evaluation.
    """
    own = network.state_dict()
    missing = [k for k in own if k not in state and not k.endswith("num_batches_tracked")]
    unexpected = [k for k in state if k not in own]
    shapes = [
        f"{k} is {tuple(state[k].shape)} instead of {tuple(own[k].shape)}"
        for k in own
        if k in state and state[k].shape != own[k].shape
    ]
    parts = [f"{len(ks)} {what} ({_few(ks)})" for ks, what in ((missing, "missing"), (unexpected, "unexpected")) if ks]
    if shapes:
        parts.append(f"{len(shapes)} of another shape ({_few(shapes)})")
    return "; ".join(parts) or None


def load_into(network: nn.Module, state: StateDict, name: str) -> None:
    """Put ``state`` into ``network``.

    Raises:
        WeightsError: a tensor is missing, unexpected or of another shape; the first few are named.
    """
    wrong = misfit(network, state)
    if wrong:
        raise WeightsError(f"{name} does not fit the architecture: {wrong}.")
    network.load_state_dict(state, strict=False)


def _few(items: list[str], n: int = 3) -> str:
    return ", ".join(items[:n]) + (", ..." if len(items) > n else "")
