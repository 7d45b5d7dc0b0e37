"""Estimates: parts of known cost add up, long parts are cut off, and the time is kept to."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from evaluation.cli.runs import estimate_words
from evaluation.runs import timing
from evaluation.runs.estimate import estimate
from evaluation.runs.plan import Plan
from evaluation.runs.selection import MapRequest, open_plan, work_items
from evaluation.scores import Case, registry
from tests.evaluation.runs.conftest import OUTLINED


def _request(kind: str, metrics: tuple[str, ...]) -> MapRequest:
    return MapRequest("k", "Nodule", kind, "rise", "{}", "d", 0, metrics)


def test_what_a_question_costs() -> None:
    costs = timing.Costs(
        maps={("rise", "d"): 2.0}, baseline=0.3, localise=0.1, scores={"road": 5.0}, repeats={"max_sensitivity": 10.0}
    )
    assert costs.of(_request("baseline", ("pixel_auprc",))) == pytest.approx(0.3)
    assert costs.of(_request("method", ("pixel_auprc",))) == pytest.approx(2.1)
    assert costs.of(_request("method", ("road",))) == pytest.approx(7.0)
    assert costs.of(_request("method", ("pixel_auprc", "road", "max_sensitivity"))) == pytest.approx(27.1)


def test_a_part_that_takes_long_is_cut_off_and_told_from_its_share(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def compute(case: Case) -> float:
        for step in range(1, 401):
            time.sleep(0.01)
            case.report(step / 400)
        return 0.0

    known = registry.metrics()
    with_slow = known | {"slow": replace(known["entropy"], name="slow", compute=compute, slow=True)}
    monkeypatch.setattr(registry, "_ordered", lambda: with_slow)
    (model,) = open_plan(plan)
    item = next(iter(work_items(plan, [model])))
    requests = tuple(replace(one, metrics=(*one.metrics, "slow")) for one in item.requests if one.kind == "method")
    began = time.monotonic()
    costs = timing.time_film(replace(item, requests=requests), slice_=0.5)
    assert time.monotonic() - began < 20
    assert costs.cut.count("slow") == 1
    assert costs.scores["slow"] >= 4.0
    assert not costs.failures


def test_a_plan_is_estimated_within_its_time(plan: Plan) -> None:
    found = estimate(plan, workers=1, films=2)
    (share,) = found.shares
    assert (share.films, found.timed) == (OUTLINED, 2)
    assert share.maps == OUTLINED * 3 * 2
    assert 0 < found.seconds < 600
    assert share.bytes > 0
    assert set(found.by_method) == {"grad-cam", "rise"}
    assert "Timed on 2 film(s)." in estimate_words(found)
    assert estimate(plan, films=2, seconds=1e-9).timed <= 1
    counted = estimate(plan, films=0)
    assert (counted.seconds, counted.timed, counted.shares[0].maps) == (0, 0, share.maps)


def test_what_stops_the_estimate_is_passed_on(plan: Plan) -> None:
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        estimate(plan, progress=stop)
