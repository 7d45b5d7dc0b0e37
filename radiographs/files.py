"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield an empty file beside ``path`` to write to, which takes its place when the ``with`` block ends.

    Whoever reads meanwhile finds the old file or the new one, never half of one. After an error the new file is
    removed and the old one is as it was. The folder is made where it is not there. A link stays a link to the new file;
    a device or pipe, such as ``/dev/stdout``, is written to itself.

    Args:
        path: where the file is to stand. durable: whether it must outlast a power failure (slower).

    Raises:
        OSError: the folder or the file cannot be written.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    fresh.touch()
    try:
        yield fresh
        if durable:
            with fresh.open("rb") as stream:
                os.fsync(stream.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write ``text`` as UTF-8 to ``path``, whole or not at all; see :func:`replacing`."""
    write_bytes(path, text.encode(), durable=durable)


def write_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write ``content`` to ``path``, whole or not at all; see :func:`replacing`."""
    with replacing(path, durable=durable) as fresh:
        fresh.write_bytes(content)
