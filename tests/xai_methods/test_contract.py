"""Every registered method, on every network family, keeps the contract of ``xai_methods.method``."""

import threading
from typing import Any

import numpy as np
import pytest
import torch

from classifiers import ChestClassifier, UnknownFindingError
from classifiers.families import FAMILIES
from tests.xai_methods.conftest import FINDINGS, SIDE, small_parameters
from xai_methods import Cancelled, Parameters, get_method, methods, parameter
from xai_methods.method import BATCH

METHODS = tuple(methods())
STOCHASTIC = {"lime", "kernel-shap"}
"""Methods that draw random numbers; a new one that does is added here."""


def _takes_long(name: str, family: str) -> bool:
    return get_method(name).speed == "slow" and family not in {"vgg", "densenet"}


every_method = pytest.mark.parametrize("name", METHODS)
every_pair = pytest.mark.parametrize(
    ("name", "family"),
    [
        pytest.param(name, family, marks=[pytest.mark.slow] if _takes_long(name, family) else [])
        for name in METHODS
        for family in FAMILIES
    ],
)


class Broken(Exception):
    """A network's own failure."""


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


@every_pair
def test_a_map_keeps_the_contract_and_leaves_no_trace(name, family, family_classifier, film):
    classifier, shares = family_classifier(family), []
    pixels, before = film.pixels.tobytes(), state_of(classifier)

    explanation = explain(name, classifier, film, progress=shares.append)

    assert_untouched(classifier, before)
    assert film.pixels.tobytes() == pixels
    assert explanation.values.shape == (SIDE, SIDE)
    assert explanation.values.dtype == np.float32
    assert np.isfinite(explanation.values).all()
    assert not explanation.values.flags.writeable
    assert explanation.values.any()
    assert explanation.signed or explanation.values.min() >= 0
    assert (explanation.method, explanation.finding, explanation.seed) == (name, "Finding 1", 0)
    assert (explanation.film, explanation.classifier) == (film.digest, classifier.digest)
    assert explanation.logit == pytest.approx(float(classifier.logits(film)[0]), rel=1e-4, abs=1e-5)
    assert explanation.evaluations >= 2
    assert all(isinstance(value, float) for value in explanation.diagnostics.values())
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)


@every_pair
def test_the_finding_asked_for_changes_the_map(name, family, family_classifier, film):
    maps = [explain(name, family_classifier(family), film, f"Finding {n + 1}").values for n in range(FINDINGS)]
    assert not np.allclose(maps[0], maps[1], rtol=1e-3)
    assert not np.allclose(maps[1], maps[2], rtol=1e-3)


@every_method
def test_the_film_changes_the_map(name, family_classifier, film, other_film):
    classifier = family_classifier("resnet")
    assert not np.allclose(explain(name, classifier, film).values, explain(name, classifier, other_film).values)


@every_method
def test_the_same_seed_gives_the_same_map_and_another_seed_changes_only_methods_that_draw(
    name, family_classifier, film
):
    first, again, other = (explain(name, family_classifier("resnet"), film, seed=seed).values for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (name not in STOCHASTIC)


@every_pair
def test_an_unknown_finding_leaves_no_trace(name, family, family_classifier, film):
    classifier = family_classifier(family)
    before = state_of(classifier)
    with pytest.raises(UnknownFindingError, match="Finding 1, Finding 2"):
        explain(name, classifier, film, "Hiccups")
    assert_untouched(classifier, before)


@every_pair
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
        with pytest.raises(Broken):
            explain(name, classifier, film)
    # Putting an instance's method back leaves it among the instance's attributes.
    vars(classifier.network).pop("forward", None)
    assert_untouched(classifier, before)


@every_pair
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


@every_method
def test_two_threads_on_one_classifier_get_the_maps_they_would_get_alone(name, family_classifier, film, other_film):
    classifier = family_classifier("resnet")
    films = (film, other_film)
    alone = [explain(name, classifier, each).values for each in films]
    together: dict[int, list[np.ndarray]] = {0: [], 1: []}

    def work(index: int) -> None:
        for _ in range(3):
            together[index].append(explain(name, classifier, films[index]).values)

    threads = [threading.Thread(target=work, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in (0, 1):
        assert len(together[index]) == 3
        for values in together[index]:
            np.testing.assert_allclose(values, alone[index], rtol=1e-4, atol=1e-6 * np.abs(alone[index]).max())


@every_method
def test_another_methods_parameters_are_refused(name, family_classifier, film):
    class Strange(Parameters):
        pass

    method = get_method(name)
    if method.parameters is Parameters:
        pytest.skip("a method without parameters takes any")
    with pytest.raises(TypeError, match=method.parameters.__name__):
        method.explain(family_classifier("resnet"), film, "Finding 1", parameters=Strange())


@every_method
def test_a_method_says_what_it_is(name):
    method = get_method(name)
    assert method.name == name
    assert method.title
    assert method.question.endswith("?")
    assert any(mark in method.reference for mark in ("doi ", "arXiv ")) or method.family == "baseline"
    assert method.speed in {"fast", "slow"}
    for _, bounds, value in method.parameters().described():
        assert bounds.help
        assert bounds.choices or isinstance(value, bool) or (bounds.low is not None and bounds.high is not None)


def test_small_parameters_stay_inside_their_bounds():
    class Loose(Parameters):
        """No fields."""

    assert small_parameters(Loose) == Loose()
    assert parameter(3, "help", low=1, high=5).metadata["bounds"].high == 5
