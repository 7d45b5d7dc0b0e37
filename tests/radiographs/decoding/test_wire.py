import io
from dataclasses import fields

import numpy as np
import pytest

from radiographs.decoding.wire import film_header, film_of, receive, send, shape_of
from radiographs.film_readers.orientation import StoredFrame, Turn
from radiographs.radiograph import Note, Radiograph


def test_a_message_arrives_as_it_was_sent():
    stream = io.BytesIO()
    send(stream, {"task": "film", "name": "ä"}, b"abc")
    send(stream, {})
    stream.seek(0)
    assert receive(stream) == ({"task": "film", "name": "ä"}, b"abc")
    assert receive(stream) == ({}, b"")
    with pytest.raises(EOFError):
        receive(stream)


def test_what_is_too_large_is_refused_before_it_is_read():
    stream = io.BytesIO()
    send(stream, {}, b"abc")
    stream.seek(0)
    with pytest.raises(ValueError, match="larger"):
        receive(stream, 2)
    with pytest.raises(ValueError, match="larger"):
        receive(io.BytesIO(b"\xff" * 12))
    for shape in ([0, 5], [9000, 5], [-1, 5]):
        with pytest.raises(ValueError, match="larger"):
            shape_of(shape)


def test_a_film_arrives_whole():
    film = Radiograph(
        np.linspace(0, 1, 12).reshape(3, 4),
        view="PA",
        age=4,
        pixel_spacing_mm=(0.1, 0.2),
        bits=12,
        window=(0.2, 0.8),
        orientation=("L", "F"),
        notes=(Note("turned", "It was turned.", True),),
        stored=StoredFrame((4, 3), Turn(transposed=True), True),
    )
    facts = [field.name for field in fields(Radiograph) if field.name != "pixels"]
    nothing = Radiograph(np.zeros((3, 4)))
    assert all(getattr(film, name) != getattr(nothing, name) for name in facts), "each fact of this film says something"
    stream = io.BytesIO()
    send(stream, film_header(film), memoryview(film.pixels).cast("B"))
    stream.seek(0)
    back = film_of(*receive(stream))
    assert {name: getattr(back, name) for name in facts} == {name: getattr(film, name) for name in facts}
