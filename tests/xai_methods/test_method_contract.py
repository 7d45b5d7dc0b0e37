"""Every registered method, on every network family, keeps the contract of ``xai_methods.method``.

What depends on the method stands here, once for each; what the base class does for all is in ``test_method.py``.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from classifiers import ChestClassifier
from radiographs import Radiograph
from tests.families import FAMILIES, random_classifier
from tests.xai_methods.conftest import FINDINGS, SIDE, film_of, small_parameters
from tests.xai_methods.linear_classifier import linear_classifier, smooth_film
from tests.xai_methods.untouched import assert_untouched, state_of
from xai_methods import Cancelled, get_method, methods
from xai_methods.method import BATCH
from xai_methods.perturbation.game import forget_answers

_ANY = random_classifier("resnet", FINDINGS, SIDE)
METHODS = tuple(name for name, method in methods().items() if method.serves(_ANY, "Finding 1") is None)
"""Methods that explain any classifier; those that need something trained for it are tested with that."""

KNOWING_NOTHING = {name for name in METHODS if get_method(name).role == "baseline"}
"""Maps that take nothing from the model but the logit."""
WHATEVER_THE_FINDING = KNOWING_NOTHING | {"eigen-cam"}
"""Methods whose map is the same for every finding."""

PERTURBING = tuple(
    name for name in METHODS if get_method(name).family == "perturbation" and name not in KNOWING_NOTHING
)
TWO_FAMILIES = ("resnet", "densenet")
"""Shortcuts by sum and by concatenation, in-place and functional activations: where traces would be left."""

every_method = pytest.mark.parametrize("name", METHODS)


class Broken(Exception):
    """A network's own failure."""


@contextmanager
def replaced_forward(classifier: ChestClassifier, forward, monkeypatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(classifier.network, "forward", forward)
        yield
    # Putting an instance's method back leaves it among the instance's attributes.
    vars(classifier.network).pop("forward", None)


def side_of(name: str) -> int:
    """The smallest input whose last feature maps have more than the one cell that class-activation maps need."""
    return 2 * SIDE if get_method(name).family == "cam" else SIDE


_built: dict[tuple[str, int], ChestClassifier] = {}


@pytest.fixture
def family_classifier(name) -> Callable[[str], ChestClassifier]:
    """Classifiers by family, of the size the method needs, built once; nothing is known of their answers."""

    def get(family: str) -> ChestClassifier:
        key = family, side_of(name)
        if key not in _built:
            _built[key] = random_classifier(family, FINDINGS, side_of(name), seed=3)
        forget_answers(_built[key])
        return _built[key]

    return get


@pytest.fixture
def film(name) -> Radiograph:
    return film_of(side_of(name))


@pytest.fixture
def other_film(name) -> Radiograph:
    return film_of(side_of(name), seed=1)


def explain(name: str, classifier: ChestClassifier, film, finding="Finding 1", **options):
    method = get_method(name)
    return method.explain(classifier, film, finding, parameters=small_parameters(method.parameters), **options)


@every_method
def test_a_map_keeps_the_contract_and_leaves_no_trace(name, family_classifier, film):
    pixels = film.pixels.tobytes()
    for family in FAMILIES:
        classifier, shares = family_classifier(family), []
        before = state_of(classifier)

        explanation = explain(name, classifier, film, progress=shares.append)

        assert_untouched(classifier, before)
        assert film.pixels.tobytes() == pixels
        assert explanation.values.any(), family
        assert explanation.signed or explanation.values.min() >= 0, family
        assert explanation.logit == pytest.approx(float(classifier.logits(film)[0]), rel=1e-4, abs=1e-5), family
        assert explanation.evaluations >= (1 if name in WHATEVER_THE_FINDING else 2)
        assert all(isinstance(value, float) for value in explanation.diagnostics.values())
        assert shares == sorted(shares), family


@every_method
def test_the_finding_changes_the_map(name, family_classifier, film):
    for family in TWO_FAMILIES:
        first, last = (
            explain(name, family_classifier(family), film, f"Finding {number}").values for number in (1, FINDINGS)
        )
        assert np.allclose(first, last, rtol=1e-3) == (name in WHATEVER_THE_FINDING), family


@pytest.mark.parametrize("name", [name for name in METHODS if name not in KNOWING_NOTHING])
def test_the_film_changes_the_map(name, family_classifier, film, other_film):
    classifier = family_classifier("resnet")
    assert not np.allclose(explain(name, classifier, film).values, explain(name, classifier, other_film).values)


@every_method
def test_the_same_seed_gives_the_same_map_and_another_seed_changes_only_methods_that_draw(
    name, family_classifier, film
):
    first, again, other = (explain(name, family_classifier("resnet"), film, seed=seed).values for seed in (7, 7, 8))
    # Batches are sized by measured times, and on some processors a batch of another size rounds otherwise.
    rounding = 1e-5 * np.abs(first).max()
    np.testing.assert_allclose(first, again, rtol=0, atol=rounding)
    assert np.allclose(first, other, rtol=0, atol=rounding) == (not get_method(name).stochastic)


@every_method
def test_a_method_that_names_a_base_value_declares_that_its_values_add_up(name, family_classifier, film):
    assert get_method(name).additive or "base_value" not in explain(name, family_classifier("vgg"), film).diagnostics


@pytest.mark.parametrize("name", [name for name in METHODS if get_method(name).additive and name != "lrp"])
def test_values_that_add_up_do_so_on_a_linear_model(name):
    classifier = linear_classifier(SIDE)
    method = get_method(name)
    explanation = method.explain(classifier, smooth_film(SIDE), "Finding 0")
    values = explanation.values.astype(np.float64).ravel()
    if explanation.regions is not None:
        values = values / np.bincount(explanation.regions.ravel())[explanation.regions.ravel()]
    tolerance = 3 * explanation.diagnostics.get("additivity_residual", 0.0) + 1e-3
    assert values.sum() == pytest.approx(explanation.logit - explanation.diagnostics["base_value"], abs=tolerance)


@pytest.mark.parametrize(
    "name", [name for name in METHODS if get_method(name).family == "gradient" and name != "guided-backpropagation"]
)
def test_a_sensitivity_does_not_hang_on_a_linear_models_film_and_a_contribution_does(name):
    classifier, film = linear_classifier(SIDE), smooth_film(SIDE)
    first, dimmed = (
        get_method(name).explain(classifier, Radiograph(share * film.pixels), "Finding 0").values for share in (1, 0.5)
    )
    assert np.allclose(first, dimmed, rtol=1e-3) == (get_method(name).unit == "logit per grey range")


@every_method
@pytest.mark.parametrize("passes", [0, 1])
def test_a_network_that_fails_leaves_no_trace(name, passes, family_classifier, film, monkeypatch):
    for family in FAMILIES:
        classifier, done = family_classifier(family), []

        def fail_late(films, forward=classifier.network.forward, done=done):
            done.append(len(films))
            logits = forward(films)
            if len(done) > passes:
                raise Broken
            return logits

        before, failed = state_of(classifier), False
        with replaced_forward(classifier, fail_late, monkeypatch):
            try:
                explain(name, classifier, film)
            except Broken:
                failed = True
        assert failed == (len(done) > passes), family
        assert passes or failed, family
        assert_untouched(classifier, before)


@pytest.mark.parametrize("name", [name for name in METHODS if name not in KNOWING_NOTHING])
def test_cancelling_within_the_work_is_heard_soon_and_leaves_no_trace(name, family_classifier, film, monkeypatch):
    for family in FAMILIES:
        classifier, times, late = family_classifier(family), [], []

        def cancelled(times=times) -> bool:
            times.append(None)
            return len(times) > 1

        def count(films, forward=classifier.network.forward, times=times, late=late):
            if len(times) > 1:
                late.append(len(films))
            return forward(films)

        before = state_of(classifier)
        with replaced_forward(classifier, count, monkeypatch), pytest.raises(Cancelled):
            explain(name, classifier, film, cancelled=cancelled)
        assert sum(late) == 0, f"{sum(late)} films went through {family} after the work was cancelled"
        assert_untouched(classifier, before)


@every_method
def test_cancellation_is_looked_at_every_few_batches(name, family_classifier, film, monkeypatch):
    classifier = family_classifier("resnet")
    original, since = classifier.network.forward, [0]
    longest = 0

    def cancelled() -> bool:
        since[0] = 0
        return False

    def count(films):
        nonlocal longest
        since[0] += len(films)
        longest = max(longest, since[0])
        return original(films)

    with replaced_forward(classifier, count, monkeypatch):
        explain(name, classifier, film, cancelled=cancelled)
    assert longest <= 3 * BATCH


def assert_same_map(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())


@every_method
def test_two_threads_on_one_classifier_get_the_maps_they_would_get_alone(name, family_classifier, film, other_film):
    classifier = family_classifier("resnet")
    films = (film, other_film)
    alone = [explain(name, classifier, each).values for each in films]
    start = threading.Barrier(2)

    def work(each) -> list[np.ndarray]:
        start.wait(60)
        return [explain(name, classifier, each).values for _ in range(2)]

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(work, films))
    for found, expected in zip(together, alone, strict=True):
        for values in found:
            assert_same_map(values, expected)


@pytest.mark.parametrize("name", PERTURBING)
def test_grad_cam_beside_a_method_of_many_passes_disturbs_neither(name, family_classifier, film, other_film):
    classifier = family_classifier("densenet")
    perturbed, read = explain(name, classifier, film).values, explain("grad-cam", classifier, other_film).values
    before, start, over = state_of(classifier), threading.Barrier(2), threading.Event()

    def perturb() -> np.ndarray:
        start.wait(60)
        try:
            return explain(name, classifier, film).values
        finally:
            over.set()

    def look() -> list[np.ndarray]:
        maps = []
        start.wait(60)
        while not maps or not over.is_set():
            maps.append(explain("grad-cam", classifier, other_film).values)
        return maps

    with ThreadPoolExecutor(2) as pool:
        perturbing, looking = pool.submit(perturb), pool.submit(look)
        assert_same_map(perturbing.result(), perturbed)
        for values in looking.result():
            assert_same_map(values, read)
    assert_untouched(classifier, before)
