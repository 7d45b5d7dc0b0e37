"""What goes between the program and a decoder: lengths, JSON and raw arrays; nothing that could run when it is read."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

import numpy as np

from radiographs.film_readers.codestreams import MAX_SIDE
from radiographs.film_readers.orientation import Shape, StoredFrame, Turn
from radiographs.radiograph import Note, Radiograph

_LENGTHS = struct.Struct(">IQ")
_LONGEST_HEADER = 2**20
_LARGEST_BODY = 1024 * 2**20


def send(stream: IO[bytes], header: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Write one message: a header of plain values and a body of bytes."""
    words = json.dumps(header).encode()
    stream.write(_LENGTHS.pack(len(words), len(body)))
    stream.write(words)
    stream.write(body)
    stream.flush()


def receive(stream: IO[bytes], largest: int = _LARGEST_BODY) -> tuple[dict[str, Any], bytearray]:
    """Read one message; a body of more than ``largest`` bytes is refused before it is read.

    Raises:
        EOFError: the other side has ended.
        ValueError: it is no message.
    """
    header_length, body_length = _LENGTHS.unpack(_exactly(stream, _LENGTHS.size))
    if header_length > _LONGEST_HEADER or body_length > largest:
        raise ValueError("a message is larger than it may be")
    header = json.loads(_exactly(stream, header_length))
    if not isinstance(header, dict):
        raise ValueError("a message has no header")
    return header, _exactly(stream, body_length)


def _exactly(stream: IO[bytes], length: int) -> bytearray:
    held = bytearray(length)
    view, at = memoryview(held), 0
    while at < length:
        count = stream.readinto(view[at:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError("the other side has ended")
        at += count
    return held


def film_header(film: Radiograph) -> dict[str, Any]:
    """What is known of a film beside its pixels, as plain values."""
    turn = film.stored.turn if film.stored else Turn()
    return {
        "shape": film.shape,
        "view": film.view,
        "age": film.age,
        "spacing": film.pixel_spacing_mm,
        "bits": film.bits,
        "window": film.window,
        "orientation": film.orientation,
        "notes": [[note.code, note.words, note.doubt] for note in film.notes],
        "stored": film.stored
        and [film.stored.shape, [turn.transposed, turn.upside_down, turn.mirrored], film.stored.shown_turned],
    }


def film_of(header: dict[str, Any], body: bytearray) -> Radiograph:
    """The film of a message; its digest is made anew from its pixels.

    Raises:
        KeyError, TypeError, ValueError: the message describes none.
    """
    stored = header["stored"]
    frame = None if stored is None else StoredFrame(shape_of(stored[0]), Turn(*map(bool, stored[1])), bool(stored[2]))
    return Radiograph(
        np.frombuffer(body, np.float32).reshape(shape_of(header["shape"])),
        view=None if header["view"] is None else str(header["view"]),
        pixel_spacing_mm=_pair(header["spacing"], float),
        bits=int(header["bits"]),
        window=_pair(header["window"], float),
        orientation=_pair(header["orientation"], str),
        notes=tuple(Note(str(code), str(words), bool(doubt)) for code, words, doubt in header["notes"]),
        stored=frame,
        age=None if header["age"] is None else int(header["age"]),
    )


def shape_of(given: Any) -> Shape:
    """(H, W) of a message.

    Raises:
        TypeError, ValueError: it is none, or larger than a picture may be.
    """
    height, width = (int(side) for side in given)
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise ValueError("a picture is larger than it may be")
    return height, width


def _pair(given: Any, kind: type) -> Any:
    return None if given is None else (kind(given[0]), kind(given[1]))
