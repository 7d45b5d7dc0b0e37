"""Parameter randomisation: stages, reinitialised copies that leave the classifier as it was, curves, the pass rule."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from evaluation.scores.randomisation import (
    STAGES,
    pair_similarities,
    passes,
    randomisation_curves,
    randomised_models,
    reinitialised,
    stages,
    untrained,
)
from tests.families import FAMILIES, random_classifier
from tests.xai_methods.conftest import film_of
from xai_methods import Cancelled, get_method

SIDE = 32


@pytest.fixture(scope="module", params=FAMILIES)
def classifier(request):
    return random_classifier(request.param, 3, SIDE, seed=1)


def test_stages_cover_all_weights_once_from_the_logits_down(classifier) -> None:
    cut = stages(classifier.network)
    owners = [n for n, m in classifier.network.named_modules() if any(True for _ in m.parameters(recurse=False))]
    assert len(cut) == STAGES
    assert [name for stage in reversed(cut) for name in stage] == owners
    heads = [classifier.network.get_submodule(name) for name in cut[0]]
    assert all(isinstance(module, nn.Linear) for module in heads)


def test_stages_of_small_and_empty_networks() -> None:
    assert stages(nn.Sequential(nn.Linear(3, 2))) == [("0",)]
    assert stages(nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))) == [("2",), ("0",)]
    assert stages(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(3, 2))) == [
        ("3",), ("0", "1"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no weights"):
        stages(nn.ReLU())


def test_the_classifier_stays_as_it_is_and_lends_its_tensors(classifier) -> None:
    before = {name: tensor.clone() for name, tensor in classifier.network.state_dict().items()}
    dice = torch.get_rng_state()
    models = randomised_models(classifier, 0)
    assert torch.equal(dice, torch.get_rng_state())
    assert classifier.digest == classifier._digest()
    assert all(torch.equal(before[name], tensor) for name, tensor in classifier.network.state_dict().items())
    head_only = models.cascading[0]
    assert head_only.network is not classifier.network
    cut = stages(classifier.network)
    name = cut[-1][0]
    assert head_only.network.get_submodule(name).weight is classifier.network.get_submodule(name).weight
    changed = head_only.network.get_submodule(cut[0][-1]).weight
    assert not torch.equal(changed, classifier.network.get_submodule(cut[0][-1]).weight)
    last = models.cascading[-1].network.get_submodule(cut[0][-1]).weight
    assert last.data_ptr() == models.cascading[-2].network.get_submodule(cut[0][-1]).weight.data_ptr()


def test_a_wholly_randomised_network_has_forgotten_its_training(classifier) -> None:
    film = torch.tensor(film_of(SIDE).pixels)[None, None]
    family = classifier.card.name
    assert family
    twin = randomised_models(classifier, 0).cascading[-1]
    fresh = untrained(classifier.network, 0)
    state = {**classifier.network.state_dict(), **fresh}
    trained_names = [n for n in state if n not in fresh and not n.endswith("num_batches_tracked")]
    assert trained_names == []
    got = twin(film)
    assert torch.isfinite(got).all()
    assert not torch.allclose(got, classifier(film))
    assert torch.equal(got, reinitialised(classifier, fresh, sum(stages(classifier.network), ()))(film))


def test_the_same_seed_gives_the_same_weights() -> None:
    network = random_classifier("resnet", 3, SIDE).network
    first, again, other = untrained(network, 0), untrained(network, 0), untrained(network, 1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])
    spread = float(first["layer1.0.conv1.weight"].std())
    assert spread == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)


def test_a_map_that_ignores_the_model_never_changes() -> None:
    models = randomised_models(random_classifier("vgg", 3, SIDE), 0)
    edges = np.random.default_rng(0).standard_normal((SIDE, SIDE))
    for curve in randomisation_curves(models, edges, lambda classifier, progress: edges).values():
        for values in curve.values():
            np.testing.assert_allclose(values, np.ones(STAGES))


def test_a_gradient_forgets_with_its_network() -> None:
    classifier, film = random_classifier("resnet", 3, SIDE), film_of(SIDE)
    method = get_method("jacobian")
    original = method.explain(classifier, film, "Finding 1").values
    seen: list[float] = []
    found = randomisation_curves(
        randomised_models(classifier, 0), original,
        lambda other, progress: method.explain(other, film, "Finding 1", progress=progress).values, seen.append,
    )  # fmt: skip
    assert abs(found["cascading"]["spearman"][-1]) < 0.3
    assert found["cascading"]["ssim"][0] == found["independent"]["ssim"][0]
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_each_network_is_explained_once_and_a_failure_is_undefined() -> None:
    models = randomised_models(random_classifier("vgg", 3, SIDE), 0)
    explained: list[int] = []

    def explain(classifier, progress) -> np.ndarray:
        explained.append(id(classifier))
        if classifier is models.cascading[2]:
            raise RuntimeError("values that are not finite")
        return np.eye(SIDE)

    found = randomisation_curves(models, np.eye(SIDE), explain)
    assert len(explained) == len(set(explained)) == 2 * STAGES - 1
    assert np.isnan(found["cascading"]["ssim"]).tolist() == [False, False, True, False, False]
    assert not np.isnan(found["independent"]["ssim"]).any()


def test_cancelling_stops_it() -> None:
    models = randomised_models(random_classifier("vgg", 3, SIDE), 0)

    def cancel(share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        randomisation_curves(models, np.eye(SIDE), lambda other, progress: progress(1.0), cancel)


def test_the_pass_rule() -> None:
    assert passes(np.array([0.1, 0.2, np.nan]), np.array([0.4, 0.3])) is True
    assert passes(np.array([0.5]), np.array([0.4, 0.3])) is False
    assert passes(np.array([np.nan]), np.array([0.4])) is None
    assert passes(np.array([0.1]), np.array([])) is None


def test_random_pairs_are_of_different_films() -> None:
    rng = np.random.default_rng(0)
    maps = [rng.standard_normal((SIDE, SIDE)) for _ in range(12)]
    found = pair_similarities(maps, np.random.default_rng(0))
    assert len(found) == 50
    assert found.max() < 0.9
    assert len(pair_similarities(maps[:3], np.random.default_rng(0))) == 3
    assert len(pair_similarities(maps[:1], np.random.default_rng(0))) == 0
