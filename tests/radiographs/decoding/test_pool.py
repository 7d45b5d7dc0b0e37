import os
import threading
import time

import numpy as np
import pytest
from PIL import Image

from radiographs.decoding import pool
from radiographs.errors import AnnotationError, FilmError
from radiographs.film_readers.dicom_patient import patient_key
from radiographs.film_readers.mask_images import read_mask_image
from radiographs.reading import read_radiograph
from tests.radiographs.film_readers.dicom_films import film, save
from tests.radiographs.hostile import png

TURNED = {"PatientOrientation": ["R", "F"], "PixelSpacing": [0.1, 0.2], "WindowCenter": 2000, "WindowWidth": 900}


@pytest.fixture
def decoders(monkeypatch):
    """A pool of its own, whose decoders end with the test."""
    own = pool._Pool()
    monkeypatch.setattr(pool, "_pool", own)
    before = set(pool._running)
    yield own
    for decoder in pool._running - before:
        decoder.end()


def instead(monkeypatch, code):
    """Let decoders do something else once they are ready."""
    ready = "import sys; from radiographs.decoding.wire import send; send(sys.stdout.buffer, {'ready': True}); "
    start = "import json; import sys; sys.path[:] = json.loads(sys.argv[1]); " + ready
    monkeypatch.setattr(pool, "_CODE", start + code)


def test_a_film_is_the_same_as_when_it_is_decoded_here(tmp_path):
    path = tmp_path / "film.png"
    path.write_bytes(png(64))
    for source in (path, str(path), png(64), save(film(**TURNED)), save(film(ViewPosition="LL"))):
        here, there = read_radiograph(source), pool.read_film(source)
        assert there.digest == here.digest
        for name in ("view", "pixel_spacing_mm", "bits", "window", "orientation", "notes", "stored"):
            assert getattr(there, name) == getattr(here, name)
    assert pool.read_film_and_patient(save(film()))[1] == patient_key(save(film()))


def test_a_mask_is_the_same_as_when_it_is_decoded_here(tmp_path):
    Image.fromarray(np.eye(50, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    assert (pool.read_mask_file(tmp_path / "mask.png") == read_mask_image(tmp_path / "mask.png")).all()
    (tmp_path / "mask.png").write_bytes(b"GIF89a")
    with pytest.raises(AnnotationError, match=r"mask\.png is a GIF"):
        pool.read_mask_file(tmp_path / "mask.png")


def test_what_is_wrong_is_said_in_the_readers_words():
    for content, words in ((b"", "is empty"), (b"%PDF-1.4", "is a PDF"), (png(64)[:80], "cut off or damaged")):
        with pytest.raises(FilmError, match=words):
            pool.read_film(content)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import time; time.sleep(60)", "longer than 1 s"),
        ("import os; os.abort()", "damaged, or decoding it takes more memory"),
        ("sys.stdout.buffer.write(b'x' * 100); sys.stdout.flush()", "damaged, or"),
        ("send(sys.stdout.buffer, {'shape': [9000, 9000]})", "damaged and cannot be decoded"),
        ("send(sys.stdout.buffer, {}, bytes(5)); sys.stdin.read()", "damaged and cannot be decoded"),
    ],
)
def test_a_decoder_that_fails_costs_one_sentence_and_is_replaced(monkeypatch, decoders, code, words):
    with monkeypatch.context() as patched:
        instead(patched, code)
        patched.setattr(pool, "LONGEST_SECONDS", 1.0)
        patched.setattr(pool, "SECONDS", 1)
        with pytest.raises(FilmError, match=words):
            pool.read_film(png(64))
    for decoder in list(pool._running):
        if decoder._process.args[3] != pool._CODE:
            decoder.end()
    assert pool.read_film(png(64)).shape == (64, 64)


def test_nobody_waits_for_another_persons_film(monkeypatch, decoders):
    before = set(pool._running)

    def refused():
        with pytest.raises(FilmError):
            pool.read_film(png(64))

    with monkeypatch.context() as patched:
        instead(patched, "import time; time.sleep(60)")
        slow = [threading.Thread(target=refused) for _ in range(2)]
        for thread in slow:
            thread.start()
        while len(pool._running - before) < 2:
            time.sleep(0.01)
    began = time.monotonic()
    assert pool.read_film(png(64)).shape == (64, 64)
    assert time.monotonic() - began < 20
    assert all(thread.is_alive() for thread in slow)
    for decoder in pool._running - before:
        decoder.end()
    for thread in slow:
        thread.join(10)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux bounds a process's memory")
def test_a_film_that_needs_too_much_memory_is_refused(monkeypatch, decoders):
    monkeypatch.setattr(pool, "MEMORY", 400 * 2**20)
    with pytest.raises(FilmError, match="more memory than one picture may have"):
        pool.read_film(png(5000))
    assert pool.read_film(png(64)).shape == (64, 64)


def test_processor_time_is_bounded(monkeypatch, decoders):
    pytest.importorskip("resource")
    instead(monkeypatch, "from radiographs.decoding.decoder import limit_time; limit_time(1)\nwhile True: pass")
    monkeypatch.setattr(pool, "SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(FilmError, match="longer than 1 s"):
        pool.read_film(png(64))
    assert time.monotonic() - began < 30


def test_a_decoder_without_work_ends_so_that_nothing_it_read_stays_in_memory(monkeypatch, decoders):
    monkeypatch.setattr(pool, "_IDLE_SECONDS", 0.2)
    before = set(pool._running)
    pool.read_film(png(64))
    until = time.monotonic() + 20
    while pool._running - before and time.monotonic() < until:
        time.sleep(0.05)
    assert not pool._running - before
    assert pool.read_film(png(64)).shape == (64, 64)


def test_one_decoder_serves_film_after_film(decoders):
    before = set(pool._running)
    for _ in range(3):
        pool.read_film(png(64))
    assert len(pool._running - before) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_starts_decoders_of_its_own(decoders):
    pool.read_film(png(64))
    child = os.fork()
    if child == 0:
        os._exit(0 if not pool._running else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert pool._running
