"""What the base class does for every method, held to toy methods."""

from dataclasses import dataclass

import numpy as np
import pytest

from classifiers import UnknownFindingError
from radiographs import Radiograph
from tests.families import FAMILIES
from tests.xai_methods.conftest import FINDINGS
from tests.xai_methods.untouched import assert_untouched, state_of
from xai_methods import Attribution, Cancelled, Method, Parameters, Request, parameter


@dataclass(frozen=True)
class ToyParameters(Parameters):
    factor: float = parameter(2.0, "what the film is multiplied by", low=0.0, high=10.0)


class Toy(Method):
    """The film itself, times a factor."""

    name, title, family, question, reference = "toy", "Toy", "toy", "What?", "none"
    signed, unit, speed = True, "arbitrary", "fast"
    parameters = ToyParameters

    def _explain(self, request: Request) -> Attribution:
        return Attribution(request.parameters.factor * request.film[0, 0].double().numpy())


def gives(values, **known) -> Method:
    """A toy that returns what it is given, whatever the film."""

    class Given(Toy):
        def _explain(self, request: Request) -> Attribution:
            return Attribution(values, **known)

    return Given()


def test_an_explanation_says_what_it_is_of(family_classifier, film):
    classifier, shares = family_classifier("resnet"), []
    found = Toy().explain(classifier, film, "Finding 2", seed=7, progress=shares.append)
    assert (found.method, found.finding, found.seed, found.signed) == ("toy", "Finding 2", 7, True)
    assert (found.film, found.classifier) == (film.digest, classifier.digest)
    assert found.parameters == {"factor": 2.0}
    assert found.logit == pytest.approx(float(classifier.logits(film)[1]), rel=1e-4, abs=1e-5)
    assert found.evaluations == 1
    assert found.seconds > 0
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    np.testing.assert_array_equal(found.values, 2 * classifier.prepare(film)[0, 0].numpy())


def test_values_are_single_precision_and_cannot_be_changed(family_classifier, film):
    found = Toy().explain(family_classifier("resnet"), film, "Finding 1")
    assert found.values.dtype == np.float32
    assert found.values.flags.c_contiguous
    assert not found.values.flags.writeable


def test_a_logit_that_the_method_knows_costs_no_pass(family_classifier, film):
    classifier = family_classifier("resnet")
    found = gives(np.ones((classifier.side, classifier.side)), logit=1.5).explain(classifier, film, "Finding 1")
    assert (found.logit, found.evaluations) == (1.5, 0)


class Sharpens(Toy):
    """The film itself, shown three times on the way."""

    def _explain(self, request: Request) -> Attribution:
        for part in range(3):
            request.count(10)
            request.show(lambda part=part: Attribution(part * request.film[0, 0].double().numpy(), logit=1.0))
        return super()._explain(request)


def test_a_map_that_sharpens_is_shown_as_it_stands_where_somebody_looks(family_classifier, film, monkeypatch):
    classifier, early = family_classifier("resnet"), []
    found = Sharpens().explain(classifier, film, "Finding 1", early=early.append)
    assert [one.diagnostics for one in early] == [{"films_so_far": 10.0}]
    assert early[0].early
    assert not found.early
    np.testing.assert_array_equal(found.values, Sharpens().explain(classifier, film, "Finding 1").values)
    monkeypatch.setattr("xai_methods.method.EARLY_SECONDS", 0.0)
    early.clear()
    Sharpens().explain(classifier, film, "Finding 1", early=early.append)
    assert [one.evaluations for one in early] == [10, 20, 30]


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unknown_finding_leaves_no_trace(family, family_classifier, film):
    classifier = family_classifier(family)
    before = state_of(classifier)
    with pytest.raises(UnknownFindingError, match=", ".join(f"Finding {n + 1}" for n in range(FINDINGS))):
        Toy().explain(classifier, film, "Hiccups")
    assert_untouched(classifier, before)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_cancelled_before_it_begins_never_begins(family, family_classifier, film, monkeypatch):
    classifier = family_classifier(family)
    before = state_of(classifier)
    monkeypatch.setattr(Toy, "_explain", lambda self, request: pytest.fail("it began"))
    with pytest.raises(Cancelled):
        Toy().explain(classifier, film, "Finding 1", cancelled=lambda: True)
    assert_untouched(classifier, before)


def test_what_a_method_does_not_serve_is_refused_in_its_words(family_classifier, film, monkeypatch):
    monkeypatch.setattr(Toy, "serves", lambda self, classifier, finding: f"no toy for {finding}")
    with pytest.raises(LookupError, match="no toy for Finding 1"):
        Toy().explain(family_classifier("resnet"), film, "Finding 1")


def test_another_methods_parameters_are_refused(family_classifier, film):
    class Strange(Parameters):
        pass

    with pytest.raises(TypeError, match="toy takes ToyParameters, got Strange"):
        Toy().explain(family_classifier("resnet"), film, "Finding 1", parameters=Strange())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((4, 4)), r"shape \(4, 4\) instead of \(32, 32\)"),
        (np.full((32, 32), np.nan), "not finite"),
        (np.full((32, 32), np.inf), "not finite"),
    ],
)
def test_a_map_that_breaks_the_contract_is_no_explanation(values, words, family_classifier, film):
    with pytest.raises(RuntimeError, match=f"toy returned .*{words}"):
        gives(values).explain(family_classifier("resnet"), film, "Finding 1")


@pytest.mark.parametrize("shape", [(10, 10), (7, 12)])
def test_a_film_smaller_than_the_grid_is_enlarged_and_its_map_carried_back(shape, family_classifier):
    classifier = family_classifier("resnet")
    film = Radiograph(np.random.default_rng(2).random(shape, dtype=np.float32))
    found = Toy().explain(classifier, film, "Finding 1")
    assert found.values.shape == (classifier.side, classifier.side)
    back = classifier.to_film(found, film)
    assert back.shape == shape
    assert np.isfinite(back).all()


def test_the_seed_alone_decides_what_is_drawn(family_classifier, film):
    class Draws(Toy):
        def _explain(self, request: Request) -> Attribution:
            return Attribution(request.rng.normal(size=(32, 32)))

    first, again, other = (Draws().explain(family_classifier("resnet"), film, "Finding 1", seed=s) for s in (7, 7, 8))
    np.testing.assert_array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)
