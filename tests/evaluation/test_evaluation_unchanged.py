"""Scores of fixed films, methods and metrics are what they were; the table says which, and how far each may move."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from evaluation.scores import metrics
from radiographs.registry import collections
from tests.evaluation.unchanged_scores import COUNTERFACTUAL, QUESTIONS, Question, computed_scores, moved, recorded
from xai_methods import methods

pytestmark = pytest.mark.skipif(
    bool(collections()["known-truth"].missing()), reason=str(collections()["known-truth"].missing())
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"{question.model} on {question.film}")
def test_no_score_has_changed(question: Question) -> None:
    now = {key: (score.value, score.chance) for key, score in computed_scores(question)}
    was = {key: row for key, row in recorded().items() if key[:2] == (question.film, question.model)}
    assert now.keys() == was.keys()
    changed = {
        key: f"was {value!r} (chance {chance!r}), is {now[key]}"
        for key, (value, chance, value_may, chance_may) in was.items()
        if moved(value, now[key][0], value_may) or moved(chance, now[key][1], chance_may)
    }
    assert changed == {}


def test_the_table_holds_every_metric_and_nearly_every_method() -> None:
    known = recorded()
    assert set(metrics()) <= {metric for *_, metric in known}
    # No recorded model attends.
    convolutional = {name for name, method in methods().items() if method.family != "attention"}
    lacking = convolutional - {method for _, _, _, method, _ in known}
    assert lacking == {"latent-shift-xrv"} < set(COUNTERFACTUAL)
