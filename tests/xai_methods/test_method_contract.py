"""Every registered method, on every network family, keeps the contract of ``xai_methods.method``."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from classifiers import ChestClassifier, UnknownFindingError
from radiographs import Radiograph
from tests.families import FAMILIES, random_classifier
from tests.xai_methods.conftest import FINDINGS, SIDE, film_of, small_parameters
from tests.xai_methods.linear_classifier import linear_classifier, smooth_film
from xai_methods import Cancelled, Parameters, get_method, methods
from xai_methods.method import BATCH

_ANY = random_classifier("resnet", FINDINGS, SIDE)
METHODS = tuple(name for name, method in methods().items() if method.serves(_ANY, "Finding 1") is None)
"""Methods that explain any classifier; those that need something trained for it are tested with that."""

KNOWING_NOTHING = {name for name in METHODS if get_method(name).role == "baseline"}
"""Maps that ask the model nothing beyond the logit."""
WHATEVER_THE_FINDING = KNOWING_NOTHING | {"eigen-cam"}
"""Methods whose map is the same for every finding."""

PERTURBING = tuple(
    name for name in METHODS if get_method(name).family == "perturbation" and name not in KNOWING_NOTHING
)
TWO_FAMILIES = ("resnet", "densenet")
"""Shortcuts by sum and by concatenation, in-place and functional activations: where traces would be left."""

every_method = pytest.mark.parametrize("name", METHODS)
every_family = pytest.mark.parametrize("family", FAMILIES)
two_families = pytest.mark.parametrize("family", TWO_FAMILIES)


class Broken(Exception):
    """A network's own failure."""


def side_of(name: str) -> int:
    """The smallest input whose last feature maps have more than the one cell that class-activation maps need."""
    return 2 * SIDE if get_method(name).family == "cam" else SIDE


_built: dict[tuple[str, int], ChestClassifier] = {}


@pytest.fixture
def family_classifier(name) -> Callable[[str], ChestClassifier]:
    """Classifiers by family, of the size the method needs, built once."""

    def get(family: str) -> ChestClassifier:
        key = family, side_of(name)
        if key not in _built:
            _built[key] = random_classifier(family, FINDINGS, side_of(name), seed=3)
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


def state_of(classifier: ChestClassifier) -> dict[str, Any]:
    """All that a method must leave as it was, in comparable form."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    numpy_state = np.random.get_state()  # noqa: NPY002
    return {
        "weights": {key: value.numpy().tobytes() for key, value in classifier.state_dict().items()},
        "hooks": {name: [len(getattr(m, hook)) for hook in hooks] for name, m in classifier.named_modules()},
        "attributes": {name: sorted(vars(m)) for name, m in classifier.named_modules()},
        "classes": {name: type(m) for name, m in classifier.named_modules()},
        "training": {name: m.training for name, m in classifier.named_modules()},
        "wants_gradients": {name: (p.requires_grad, p.grad is None) for name, p in classifier.named_parameters()},
        "torch random state": torch.random.get_rng_state().numpy().tobytes(),
        "numpy random state": (numpy_state[1].tobytes(), numpy_state[2]),
        "gradient mode": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "lock is free": lock_is_free(classifier),
    }


def lock_is_free(classifier: ChestClassifier) -> bool:
    """Whether another thread could take the lock."""
    taken = []

    def take() -> None:
        taken.append(classifier.lock.acquire(blocking=False))
        if taken[0]:
            classifier.lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return taken[0]


def assert_untouched(classifier: ChestClassifier, before: dict[str, Any]) -> None:
    after = state_of(classifier)
    assert [key for key in before if before[key] != after[key]] == []


@every_method
@every_family
def test_a_map_keeps_the_contract_and_leaves_no_trace(name, family, family_classifier, film):
    classifier, shares = family_classifier(family), []
    pixels, before = film.pixels.tobytes(), state_of(classifier)

    explanation = explain(name, classifier, film, progress=shares.append)

    assert_untouched(classifier, before)
    assert film.pixels.tobytes() == pixels
    assert explanation.values.shape == (classifier.side, classifier.side)
    assert explanation.values.dtype == np.float32
    assert np.isfinite(explanation.values).all()
    assert not explanation.values.flags.writeable
    assert explanation.values.any()
    assert explanation.signed or explanation.values.min() >= 0
    assert (explanation.method, explanation.finding, explanation.seed) == (name, "Finding 1", 0)
    assert (explanation.film, explanation.classifier) == (film.digest, classifier.digest)
    assert explanation.logit == pytest.approx(float(classifier.logits(film)[0]), rel=1e-4, abs=1e-5)
    assert explanation.evaluations >= (1 if name in WHATEVER_THE_FINDING else 2)
    assert all(isinstance(value, float) for value in explanation.diagnostics.values())
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)


@every_method
@two_families
def test_the_finding_asked_for_changes_the_map(name, family, family_classifier, film):
    first, last = (
        explain(name, family_classifier(family), film, f"Finding {number}").values for number in (1, FINDINGS)
    )
    assert np.allclose(first, last, rtol=1e-3) == (name in WHATEVER_THE_FINDING)


@pytest.mark.parametrize("name", [name for name in METHODS if name not in KNOWING_NOTHING])
def test_the_film_changes_the_map(name, family_classifier, film, other_film):
    classifier = family_classifier("resnet")
    assert not np.allclose(explain(name, classifier, film).values, explain(name, classifier, other_film).values)


@every_method
def test_the_same_seed_gives_the_same_map_and_another_seed_changes_only_methods_that_draw(
    name, family_classifier, film
):
    first, again, other = (explain(name, family_classifier("resnet"), film, seed=seed).values for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (not get_method(name).stochastic)


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
@every_family
def test_an_unknown_finding_leaves_no_trace(name, family, family_classifier, film):
    classifier = family_classifier(family)
    before = state_of(classifier)
    with pytest.raises(UnknownFindingError, match="Finding 1, Finding 2"):
        explain(name, classifier, film, "Hiccups")
    assert_untouched(classifier, before)


@every_method
@every_family
@pytest.mark.parametrize("passes", [0, 1])
def test_a_network_that_fails_leaves_no_trace(name, family, passes, family_classifier, film, monkeypatch):
    classifier = family_classifier(family)
    original, done = classifier.network.forward, []

    def fail_late(films):
        done.append(len(films))
        logits = original(films)
        if len(done) > passes:
            raise Broken
        return logits

    before = state_of(classifier)
    with monkeypatch.context() as patch:
        patch.setattr(classifier.network, "forward", fail_late)
        failed = False
        try:
            explain(name, classifier, film)
        except Broken:
            failed = True
    assert failed == (len(done) > passes)
    assert passes or failed
    # Putting an instance's method back leaves it among the instance's attributes.
    vars(classifier.network).pop("forward", None)
    assert_untouched(classifier, before)


@every_method
@every_family
@pytest.mark.parametrize("asked", [0, 1])
def test_cancelling_is_heard_soon_and_leaves_no_trace(name, family, asked, family_classifier, film, monkeypatch):
    classifier = family_classifier(family)
    original, questions, late = classifier.network.forward, [], []

    def cancelled() -> bool:
        questions.append(None)
        return len(questions) > asked

    def count(films):
        if len(questions) > asked:
            late.append(len(films))
        return original(films)

    if name in KNOWING_NOTHING and asked:
        pytest.skip("a map that knows nothing of the model is drawn at once")
    before = state_of(classifier)
    with monkeypatch.context() as patch:
        patch.setattr(classifier.network, "forward", count)
        with pytest.raises(Cancelled):
            explain(name, classifier, film, cancelled=cancelled)
    vars(classifier.network).pop("forward", None)
    assert sum(late) == 0, f"{sum(late)} films were judged after the work was cancelled"
    assert_untouched(classifier, before)


@every_method
def test_cancelling_is_asked_every_few_batches(name, family_classifier, film, monkeypatch):
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

    with monkeypatch.context() as patch:
        patch.setattr(classifier.network, "forward", count)
        explain(name, classifier, film, cancelled=cancelled)
    vars(classifier.network).pop("forward", None)
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
def test_grad_cam_beside_a_method_that_asks_often_disturbs_neither(name, family_classifier, film, other_film):
    classifier = family_classifier("densenet")
    asked, read = explain(name, classifier, film).values, explain("grad-cam", classifier, other_film).values
    before, start, over = state_of(classifier), threading.Barrier(2), threading.Event()

    def ask() -> np.ndarray:
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
        asking, looking = pool.submit(ask), pool.submit(look)
        assert_same_map(asking.result(), asked)
        for values in looking.result():
            assert_same_map(values, read)
    assert_untouched(classifier, before)


@every_method
@pytest.mark.parametrize("shape", [(10, 10), (7, 12)])
def test_a_film_smaller_than_the_grid_is_enlarged_and_its_map_carried_back(name, shape, family_classifier):
    classifier = family_classifier("resnet")
    film = Radiograph(np.random.default_rng(2).random(shape, dtype=np.float32))
    explanation = explain(name, classifier, film)
    assert explanation.values.shape == (classifier.side, classifier.side)
    back = classifier.to_film(explanation, film)
    assert back.shape == shape
    assert np.isfinite(back).all()


@every_method
def test_another_methods_parameters_are_refused(name, family_classifier, film):
    class Strange(Parameters):
        pass

    method = get_method(name)
    if method.parameters is Parameters:
        pytest.skip("a method without parameters takes any")
    with pytest.raises(TypeError, match=method.parameters.__name__):
        method.explain(family_classifier("resnet"), film, "Finding 1", parameters=Strange())
