"""Arrays with their facts in one .npz file: the one way in which the program writes and reads such files."""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from radiographs.files import replacing

_META = "meta"
_MOST_BYTES = 2**30


class ArraySizeError(ValueError):
    """Arrays are too large to be read."""


def plain(value: Any) -> Any:
    """Turn a value into what JSON knows: NaN and infinities become None, NumPy numbers plain ones.

    >>> plain({"share": np.float32(0.5), "spread": float("nan"), "cells": (7, 7)})
    {'share': 0.5, 'spread': None, 'cells': [7, 7]}
    """
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_arrays(target: str | Path | IO[bytes], arrays: Mapping[str, np.ndarray], meta: Any = None) -> None:
    """Write arrays, compressed, and what is to be known of them as a JSON text under the name ``meta``.

    Args:
        target: a path, written whole or not at all, or an open binary file. arrays: by name; none holds objects.
        meta: anything that :func:`plain` turns into JSON; None for nothing.

    Raises:
        OSError: the file cannot be written.
    """
    if isinstance(target, (str, Path)):
        with replacing(Path(target)) as fresh, fresh.open("wb") as file:
            return write_arrays(file, arrays, meta)
    held = dict(arrays)
    if meta is not None:
        held[_META] = np.array(json.dumps(plain(meta), ensure_ascii=False, allow_nan=False))
    np.savez_compressed(target, allow_pickle=False, **held)


def check_size(source: str | Path | IO[bytes]) -> None:
    """Refuse, before anything is unpacked, an archive of arrays that is or unpacks to more than 1 GiB.

    Raises:
        ArraySizeError: it does. OSError, zipfile.BadZipFile ...: the file cannot be opened, or its list is damaged.
    """
    if isinstance(source, (str, Path)):
        with Path(source).open("rb") as stream:
            return check_size(stream)
    size = source.seek(0, os.SEEK_END)
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            size = max(size, sum(member.file_size for member in archive.infolist()))
    source.seek(0)
    if size > _MOST_BYTES:
        raise ArraySizeError(f"its arrays take more than {_MOST_BYTES // 2**20} MB")


def read_arrays(source: str | Path | IO[bytes]) -> tuple[dict[str, np.ndarray], Any]:
    """Read what :func:`write_arrays` wrote: the arrays by name, and ``meta`` (None where there is none).

    Raises:
        FileNotFoundError: there is no such file.
        OSError, ValueError, zlib.error, zipfile.BadZipFile ...: it is damaged or of another format.
    """
    check_size(source)
    with np.load(source, allow_pickle=False) as file:
        arrays = dict(file)
    meta = arrays.pop(_META, None)
    return arrays, None if meta is None else json.loads(str(meta[()]))
