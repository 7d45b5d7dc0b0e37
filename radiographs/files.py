"""Files that are written whole or not at all, and JSON files read so that every fault is one of two errors."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

_LONGEST_LINE = 2**22
"""Bytes within which an unfinished line ends that a killed program left."""
_UNWRITABLE = {
    errno.ENOSPC: "the disk is full; make room and try again",
    errno.EDQUOT: "your share of the disk is full; make room and try again",
    errno.EROFS: "the disk is read-only; choose another place",
    errno.EACCES: "the folder may not be written; check its permissions or choose another place",
    errno.EPERM: "the folder may not be written; check its permissions or choose another place",
}


def read_json(path: Path) -> Any:
    """What a JSON file holds, unchecked.

    Raises:
        OSError: it cannot be read. ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


class UnwritableError(OSError):
    """A file cannot be written. The message says which, why and what to do; what stood there before is whole."""

    def __str__(self) -> str:
        return f"{Path(str(self.filename)).name} cannot be written: {self.strerror}"


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield an empty file beside ``path`` to write to, which takes its place when the ``with`` block ends.

    Whoever reads meanwhile finds the old file or the new one, never half of one. After an error the new file is
    removed and the old one is as it was. The folder is made where it is not there. A link stays a link to the new file;
    a device or pipe, such as ``/dev/stdout``, is written to itself.

    Args:
        path: where the file is to stand. durable: whether it must outlast a power failure (slower).

    Raises:
        UnwritableError: the disk is full or read-only, or the folder may not be written.
        OSError: the folder or the file cannot be written for another reason.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        with _said(path):
            yield path
        return
    fresh = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex}.part")
    try:
        with _said(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.touch()
            yield fresh
            if durable:
                with fresh.open("rb") as stream:
                    os.fsync(stream.fileno())
            fresh.replace(path)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    """Say in words that a disk takes nothing more."""
    try:
        yield
    except UnwritableError:
        raise
    except OSError as error:
        if error.errno in _UNWRITABLE:
            raise UnwritableError(error.errno, _UNWRITABLE[error.errno], str(path)) from error
        raise


def write_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write ``text`` as UTF-8 to ``path``, whole or not at all; see :func:`replacing`."""
    write_bytes(path, text.encode(), durable=durable)


def write_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write ``content`` to ``path``, whole or not at all; see :func:`replacing`."""
    with replacing(path, durable=durable) as fresh:
        fresh.write_bytes(content)


def append_line(path: Path, line: str) -> None:
    """Add a line to a file of lines such that it outlasts a power failure and a killed program, or not at all.

    What a killed program left of an unfinished line goes first. Several programs may add to one file.

    Args:
        path: the file, made where it is not there; its folder exists. line: without a line end.

    Raises:
        UnwritableError: the disk is full or read-only, or the file may not be written; what stood there is whole.
        OSError: it cannot be written for another reason.
    """
    import fcntl

    content = line.encode() + b"\n"
    with _said(path), path.open("a+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = _whole_lines(file)
        try:
            file.truncate(size)
            if file.write(content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            raise
        if size == 0:
            _sync_folder(path.parent)


def _whole_lines(file: IO[bytes]) -> int:
    """Bytes of a file up to its last line end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LONGEST_LINE))
    return size if size == 0 else file.tell() + file.read(_LONGEST_LINE).rfind(b"\n") + 1


def _sync_folder(folder: Path) -> None:
    """Have a new file's name outlast a power failure too."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
