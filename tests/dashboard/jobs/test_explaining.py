"""Maps made in a process beside this one: the same maps, and a crash that costs one person one sentence."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from classifiers.registry import load_classifier
from dashboard.jobs import explaining, sentences
from radiographs import Radiograph, extensions
from radiographs.registry import get_collection
from xai_methods import Cancelled, Parameters, get_method

CRASHES = """
import os
from xai_methods.method import Method
from xai_methods.registry import register

@register
class Crashes(Method):
    name, title, family, speed, unit = "crashes", "Crashes", "gradient", "slow", "arbitrary"
    question, reference, signed = "What does a fault in a library cost?", "none", True

    def _explain(self, request):
        os.abort()
"""


@pytest.fixture(scope="module")
def model():
    return load_classifier("known-truth", "cpu")


@pytest.fixture(scope="module")
def film():
    return get_collection("known-truth").read("mass-01")


def _until(condition, seconds=60.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def _ready():
    _until(lambda: explaining._beside.explainer is not None)
    return explaining._beside.explainer


@pytest.fixture(scope="module")
def beside(tmp_path_factory, model):
    """A process beside this one, in which a method is known that ends its process."""
    folder = tmp_path_factory.mktemp("extensions")
    (folder / "crashes.py").write_text(CRASHES, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(extensions.FOLDER_VARIABLE, str(folder))
        explaining.start(1, {model.name: model.digest})
        _ready()
        edition = hashlib.sha256(CRASHES.encode()).hexdigest()
        patch.setattr(extensions, "edition", lambda: edition)
        yield
    explaining.end()


def _ask(model, film, method, finding="Mass", **more):
    given = {"parameters": Parameters(), "seed": 3, "cancelled": lambda: False}
    given["progress"] = lambda share, early=None: None
    return explaining.explain(method, model, film, finding, **given | more)


def _elsewhere(monkeypatch):
    """Have work that is done in this process fail."""
    monkeypatch.setattr(explaining, "get_method", lambda name: pytest.fail("it was made in this process"))


def test_the_map_is_the_same_and_its_progress_is_told(beside, model, film, monkeypatch):
    chosen = get_method("smoothgrad").parameters(samples=4)
    here = get_method("smoothgrad").explain(model, film, "Mass", parameters=chosen, seed=3)
    shares = []
    _elsewhere(monkeypatch)
    there = _ask(model, film, "smoothgrad", parameters=chosen, progress=lambda share, early=None: shares.append(share))
    np.testing.assert_allclose(there.values, here.values, atol=1e-4 * np.abs(here.values).max())
    assert (there.film, there.classifier, there.parameters) == (here.film, here.classifier, here.parameters)
    assert shares == sorted(shares)
    assert shares


def test_what_fails_is_one_sentence_and_what_is_cancelled_stops(beside, model, film, monkeypatch):
    _elsewhere(monkeypatch)
    with pytest.raises(sentences.SentenceError, match="does not know 'Elephant'"):
        _ask(model, film, "grad-cam", "Elephant")
    parameters = get_method("lime").parameters(samples=20000)
    start = time.perf_counter()
    with pytest.raises(Cancelled):
        _ask(model, film, "lime", parameters=parameters, cancelled=lambda: time.perf_counter() > start + 1)


def test_a_map_that_sharpens_is_told_as_it_stands(beside, model, film, monkeypatch):
    _elsewhere(monkeypatch)
    told = []
    parameters = get_method("lime").parameters(samples=20000)
    with pytest.raises(Cancelled):
        _ask(
            model, film, "lime", parameters=parameters, seed=5, cancelled=lambda: bool(told),
            progress=lambda share, early=None: told.extend([] if early is None else [early]),
        )  # fmt: skip
    assert told[0].early
    assert told[0].film == film.digest


def test_what_it_has_not_is_made_here(beside, model, film, monkeypatch):
    monkeypatch.setattr(extensions, "edition", lambda: "another")
    made = _ask(model, film, "grad-cam", parameters=get_method("grad-cam").parameters())
    assert made.film == film.digest


def test_a_crash_costs_its_own_map_alone_and_the_next_finds_another_process(beside, model, film, monkeypatch):
    _elsewhere(monkeypatch)
    before = _ready()
    found = {}
    parameters = get_method("smoothgrad").parameters(samples=16)
    slow = threading.Thread(target=lambda: found.update(slow=_ask(model, film, "smoothgrad", parameters=parameters)))
    slow.start()
    _until(lambda: film.digest in before.films)
    with pytest.raises(sentences.SentenceError, match="Computing this map ended the process"):
        _ask(model, film, "crashes")
    slow.join()
    assert found["slow"].film == film.digest
    after = _ready()
    assert after.number != before.number
    assert _ask(model, film, "grad-cam", parameters=get_method("grad-cam").parameters()).film == film.digest
    explaining.forget({"another film"})
    assert explaining._beside.explainer is after
    explaining.forget({film.digest})
    assert explaining._beside.explainer is not after
    with pytest.raises(ProcessLookupError):
        os.kill(after.number, signal.SIG_DFL)


def test_it_ends_with_its_server(beside):
    explainer = _ready()
    explainer._to.close()
    assert explainer._process.wait(20) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_large_films_do_not_pile_up_in_its_memory(beside, model, monkeypatch):
    _elsewhere(monkeypatch)
    parameters = get_method("lrp").parameters()
    pixels = np.random.default_rng(0).random((3000, 2500), dtype=np.float32)
    held = []
    for number in range(10):
        _ask(model, Radiograph(np.roll(pixels, number, axis=0)), "lrp", parameters=parameters)
        words = Path(f"/proc/{_ready().number}/smaps_rollup").read_text(encoding="ascii")
        held.append(int(re.findall(r"^Rss: +(\d+) kB", words, re.M)[0]) << 10)
    assert held[-1] - held[2] < 2 * pixels.nbytes
