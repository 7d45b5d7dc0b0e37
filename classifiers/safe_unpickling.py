"""Reads the tensors out of a whole network saved with ``torch.save(network)``, running nothing.

Such files are pickles, which may call any function when they are opened. Here the opcodes are parsed (``pickletools``
only parses) and followed by a small machine that knows no functions at all: a global is a name, a call is a record
that it was given. Only tensors and the tree of modules that holds them are taken from the result. Both forms of
PyTorch's archive are read: the zip file, and the older stream of torchxrayvision's releases, which
``torch.load(weights_only=True)`` refuses.
"""

from __future__ import annotations

import io
import math
import pickletools
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import torch

from classifiers.weights import WRAPPERS, StateDict, WeightsError, check_archive, clean, is_archive

_MAGIC = 0x1950A86A20F9469CFC6C
_MOST_TENSORS = 20_000
_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


@dataclass(frozen=True)
class _Name:
    """A global that the pickle names."""

    path: str


@dataclass(eq=False)
class _Made:
    """An object that the pickle wanted made: of what, from what, and the state it was given."""

    of: object
    args: object
    state: Any = None


@dataclass(eq=False)
class _Storage:
    key: str
    dtype: torch.dtype


@dataclass(eq=False)
class _TensorSpec:
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def read_network_tensors(path: Path) -> StateDict:
    """Return the state dict of the network, or the state dict, that ``path`` holds.

    Raises:
        WeightsError: the file is damaged or holds no network.
    """
    try:
        if is_archive(path):
            check_archive(path)
            root, load = _read_zip(path)
        else:
            root, load = _read_stream(path)
        specs = dict(_tensors_of(root))
        if len(specs) > _MOST_TENSORS:
            raise ValueError(f"it says that it holds more than {_MOST_TENSORS} tensors")
        state, room = {}, 2 * path.stat().st_size
        for name, spec in specs.items():
            state[name] = _tensor(spec, load)
            room -= state[name].nbytes
            if room < 0:
                raise ValueError("its tensors are larger than the file")
    except WeightsError:
        raise
    except Exception as error:  # what damage raises has no common base: the archive's, the machine's, the arrays'
        raise WeightsError(f"{path.name} is damaged or not a saved network ({error}).") from error
    if not state:
        raise WeightsError(f"{path.name} holds no network.")
    return clean(state, path.name)


def _read_zip(path: Path) -> tuple[object, Callable[[_Storage], bytes]]:
    """Read the zip form: ``<root>/data.pkl`` and one member a storage."""
    archive = zipfile.ZipFile(path)
    with archive:
        pickles = [n for n in archive.namelist() if n.endswith("/data.pkl")]
        if len(pickles) != 1 or any(m.compress_type != zipfile.ZIP_STORED for m in archive.infolist()):
            raise ValueError("its archive is not laid out as PyTorch does")
        folder = pickles[0].removesuffix("data.pkl")
        machine = _Machine()
        root = machine.run(io.BytesIO(archive.read(pickles[0])))
        data = {key: archive.read(f"{folder}data/{key}") for key in machine.storages}
    return root, lambda storage: data[storage.key]


def _read_stream(path: Path) -> tuple[object, Callable[[_Storage], bytes]]:
    """Read the older form: magic number, version, system, the object, the storages' keys, the storages."""
    with path.open("rb") as stream:
        if _Machine().run(stream) != _MAGIC:
            raise ValueError("it does not begin as PyTorch's files do")
        _Machine().run(stream)
        system = _Machine().run(stream)
        if not isinstance(system, dict) or not system.get("little_endian", True):
            raise ValueError("it was written on a big-endian machine")
        machine = _Machine()
        root = machine.run(stream)
        keys = _Machine().run(stream)
        if not isinstance(keys, list):
            raise ValueError("it does not list its storages")
        data = {}
        for key in keys:
            count = int.from_bytes(stream.read(8), "little", signed=True)
            data[key] = _read_exactly(stream, count * machine.storages[key].dtype.itemsize)
    return root, lambda storage: data[storage.key]


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size) if size >= 0 else b""
    if len(data) != size:
        raise ValueError("it ends too early")
    return data


def _tensor(spec: _TensorSpec, load: Callable[[_Storage], bytes]) -> torch.Tensor:
    data = load(spec.storage)
    if math.prod(spec.size) * spec.storage.dtype.itemsize > len(data):
        raise ValueError("a tensor is larger than its storage")
    if not math.prod(spec.size):
        return torch.empty(spec.size, dtype=spec.storage.dtype)
    flat = torch.frombuffer(bytearray(data), dtype=spec.storage.dtype)
    return torch.as_strided(flat, spec.size, spec.stride, spec.offset).clone(memory_format=torch.contiguous_format)


def _tensors_of(root: object, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, _TensorSpec]]:
    """Walk a state dict or a tree of modules, in the order and with the names of ``state_dict()``."""
    if isinstance(root, dict):
        wrapped = next((root[name] for name in WRAPPERS if isinstance(root.get(name), (dict, _Made))), None)
        if wrapped is not None and not depth:
            yield from _tensors_of(wrapped, prefix, depth + 1)
        else:
            yield from ((str(key), value) for key, value in root.items() if isinstance(value, _TensorSpec))
        return
    if not isinstance(root, _Made) or not isinstance(root.state, dict) or depth > 50:
        raise ValueError("it holds something else than a network")
    fleeting = root.state.get("_non_persistent_buffers_set") or ()
    for group in ("_parameters", "_buffers"):
        for name, value in root.state.get(group, {}).items():
            if isinstance(value, _TensorSpec) and name not in fleeting:
                yield prefix + name, value
    for name, child in root.state.get("_modules", {}).items():
        if child is not None:
            yield from _tensors_of(child, f"{prefix}{name}.", depth + 1)


@dataclass
class _Machine:
    """Follows the opcodes of one pickle. It holds plain values, names, tensor descriptions and records of calls."""

    storages: dict[str, _Storage] = field(default_factory=dict)
    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def run(self, stream: BinaryIO) -> object:
        """Follow one pickle to its end and return what it describes."""
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.name in _VALUES:
                self.stack.append(argument)
            elif opcode.name in _MAKERS:
                self.stack.append(_MAKERS[opcode.name]())
            elif opcode.name in _STEPS:
                _STEPS[opcode.name](self, argument)
            else:
                raise ValueError(f"it uses the opcode {opcode.name}, which no saved network needs")
        raise ValueError("it ends too early")

    def to_mark(self) -> list[Any]:
        start = self.marks.pop()
        values, self.stack[start:] = self.stack[start:], []
        return values

    def take(self, count: int) -> list[Any]:
        if count > len(self.stack):
            raise ValueError("its opcodes do not add up")
        values = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return values

    def name(self, path: str) -> None:
        self.stack.append(_Name(path))

    def call(self, _: object) -> None:
        function, arguments = self.take(2)
        path = function.path if isinstance(function, _Name) else ""
        if path == "collections.OrderedDict":
            self.stack.append(dict(*arguments))
        elif path in ("builtins.set", "__builtin__.set"):
            self.stack.append(set(*arguments))
        elif path in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"):
            storage, offset, size, stride = arguments[:4]
            if not isinstance(storage, _Storage):
                raise ValueError("a tensor has no storage")
            self.stack.append(_TensorSpec(storage, int(offset), tuple(size), tuple(stride)))
        elif path == "torch._utils._rebuild_parameter":
            self.stack.append(arguments[0])
        else:
            self.stack.append(_Made(function, arguments))

    def build(self, _: object) -> None:
        target, state = self.take(2)
        if isinstance(target, _Made):
            target.state = state
        self.stack.append(target)

    def persistent(self, _: object) -> None:
        identity = self.stack.pop()
        if not isinstance(identity, tuple) or len(identity) < 2 or not isinstance(identity[1], _Name):
            raise ValueError("it refers to something that is neither a storage nor a class")
        if identity[0] == "module":
            self.stack.append(identity[1])
            return
        kind, key = identity[1].path.rsplit(".", 1)[-1], str(identity[2])
        if identity[0] != "storage" or kind not in _DTYPES or (len(identity) > 5 and identity[5] is not None):
            raise ValueError(f"it holds a storage of an unknown kind ({kind})")
        self.stack.append(self.storages.setdefault(key, _Storage(key, _DTYPES[kind])))

    def put_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, dict):
            target.update(zip(items[::2], items[1::2]))

    def extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif isinstance(target, set):
            target.update(items)


_VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE"),
}
_MAKERS: dict[str, Callable[[], object]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}


def _remember(machine: _Machine, index: int) -> None:
    machine.memo[index] = machine.stack[-1]


_STEPS: dict[str, Callable[[_Machine, Any], object]] = {
    "PROTO": lambda m, a: None,
    "FRAME": lambda m, a: None,
    "MARK": lambda m, a: m.marks.append(len(m.stack)),
    "POP": lambda m, a: m.stack.pop(),
    "TUPLE": lambda m, a: m.stack.append(tuple(m.to_mark())),
    "TUPLE1": lambda m, a: m.stack.append(tuple(m.take(1))),
    "TUPLE2": lambda m, a: m.stack.append(tuple(m.take(2))),
    "TUPLE3": lambda m, a: m.stack.append(tuple(m.take(3))),
    "LIST": lambda m, a: m.stack.append(m.to_mark()),
    "GLOBAL": lambda m, a: m.name(a.replace(" ", ".")),
    "STACK_GLOBAL": lambda m, a: m.name(".".join(map(str, m.take(2)))),
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
    "SETITEM": lambda m, a: m.put_items(m.take(2)),
    "SETITEMS": lambda m, a: m.put_items(m.to_mark()),
    "APPEND": lambda m, a: m.extend(m.take(1)),
    "APPENDS": lambda m, a: m.extend(m.to_mark()),
    "ADDITEMS": lambda m, a: m.extend(m.to_mark()),
    "PUT": _remember,
    "BINPUT": _remember,
    "LONG_BINPUT": _remember,
    "MEMOIZE": lambda m, a: _remember(m, len(m.memo)),
    "GET": lambda m, a: m.stack.append(m.memo[a]),
    "BINGET": lambda m, a: m.stack.append(m.memo[a]),
    "LONG_BINGET": lambda m, a: m.stack.append(m.memo[a]),
}
