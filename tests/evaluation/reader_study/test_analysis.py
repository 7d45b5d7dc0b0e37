"""Simulated readers of known behaviour read a whole study on disk, and the analysis finds what they did."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from evaluation.reader_study.analysis import analyse_study, compared, rank_correlation
from evaluation.reader_study.endpoints import ENDPOINTS
from evaluation.reader_study.material import read_outline
from evaluation.reader_study.readings import readings, sealed_readings
from evaluation.reader_study.regions import centre, packed, unpacked
from evaluation.reader_study.store import StudyStore
from evaluation.reader_study.study_file import StudyError
from tests.evaluation.reader_study.made import made_study, tiny_world  # noqa: F401

RIGHT = {"no map": 0.6, "grad-cam": 0.9, "random": 0.6}
"""How often simulated readers are right, by arm."""
SECONDS = {"no map": 20.0, "grad-cam": 30.0, "random": 20.0}
USEFUL = {"grad-cam": 5, "random": 1}


def read_study(store: StudyStore, reader: int, rng: np.random.Generator, most: int = 1000) -> None:
    """One simulated reader reads on: right as often as ``RIGHT`` says, points into the outline under Grad-CAM alone."""
    now = 1000.0
    for _ in range(most):
        trial = store.turn(reader, now).trial
        if trial is None:
            return
        facts = store.material.cases[trial.part, trial.case]
        arm = store.study.arms[trial.arm].name
        right = trial.part != "case" or rng.random() < RIGHT[arm]
        outline = read_outline(store.folder, trial.part, trial.case)
        place = centre(outline) if arm == "grad-cam" and outline is not None else None
        given = {"present": facts.present if right else not facts.present, "confidence": int(rng.integers(40, 100))}
        given |= {"place": place} | ({"usefulness": USEFUL[arm], "misled": arm == "random"} if arm in USEFUL else {})
        store.shown(reader, trial, now)
        store.answer(reader, trial, given, now + SECONDS[arm])
        now += 100


def test_six_readers_of_twelve_cases_interrupted_and_analysed(tiny_world):  # noqa: F811
    store = StudyStore.create(made_study())
    store.add_readers(6)
    rng = np.random.default_rng(12)
    for reader in store.readers:
        read_study(store, reader, rng, most=5 if reader == 2 else 1000)
    with (store.folder / "answers" / "reader-002.jsonl").open("ab") as file:
        file.write(b'{"event": "answered", "tri')  # the server was killed here
    again = StudyStore(store.folder)
    assert again.turn(2).done == 5
    with pytest.raises(StudyError, match="still open"):
        readings(again)
    assert not {"arm", "present_truth", "correct"} & set(sealed_readings(again))
    read_study(again, 2, rng)
    assert all(again.turn(reader).trial is None for reader in again.readers)
    again.close()

    found = analyse_study(StudyStore(store.folder))
    arms = found.arms.set_index(["endpoint", "arm"])
    assert found.readers["counts"].all()
    for arm, truth in RIGHT.items():
        row = arms.loc[("accuracy", arm)]
        assert row["low"] <= truth <= row["high"]
        assert (row["readers"], row["cases"]) == (6, 12)
        own = found.readings[(found.readings["part"] == "case") & (found.readings["arm"] == arm)]
        assert row["value"] == pytest.approx(own["correct"].mean())
        assert arms.loc[("seconds", arm), "value"] == pytest.approx(SECONDS[arm])
    assert [arms.loc[("hit", arm), "value"] for arm in RIGHT] == [0, 1, 0]
    assert [arms.loc[("usefulness", arm), "value"] for arm in USEFUL] == [5, 1]
    assert ("usefulness", "no map") not in arms.index
    pairs = found.differences.set_index(["endpoint", "first", "second"])
    gain = pairs.loc[("accuracy", "no map", "grad-cam")]
    assert gain["low"] <= RIGHT["no map"] - RIGHT["grad-cam"] <= gain["high"]
    assert pairs.loc[("seconds", "no map", "grad-cam"), "difference"] == pytest.approx(2 / 3)
    alike = found.agreement.set_index(["question", "arm"])
    assert math.isnan(alike.loc[("Usefulness", "random"), "Krippendorff's alpha"]), "all said the same"
    assert set(found.key) == {"A", "B"}


def test_who_misses_the_checks_does_not_count(tiny_world):  # noqa: F811
    store = StudyStore.create(made_study(further="failed_checks = 0"))
    store.add_readers(3)
    rng = np.random.default_rng(2)
    for reader in (1, 2):
        read_study(store, reader, rng)
    check = next(t for t in store.trials(2) if t.part == "check")
    path = store.folder / "answers" / "reader-002.jsonl"
    lines = path.read_text().splitlines()
    place = f'"trial": {check.number},'
    wrong = [one.replace('"present": true', '"present": false') if place in one else one for one in lines]
    path.write_text("\n".join(wrong) + "\n")
    store.close()
    found = analyse_study(store)
    assert found.readers["counts"].tolist() == [True, False, False]
    assert found.readers["checks missed"].tolist() == [0, 1, 0]
    assert set(found.arms["readers"]) == {1}
    assert found.arms["low"].isna().all(), "one reader gives no interval"


def test_over_reliance_is_found_where_readers_follow_the_model():
    """Eight readers of forty cases follow the model under 'map' and know the truth without."""
    rng = np.random.default_rng(5)
    wrong = rng.random(40) < 0.3
    rows = [
        {
            "reader": reader, "case": case, "arm": arm, "present": bool(case % 2), "model_wrong": bool(wrong[case]),
            "correct": (not wrong[case]) if arm == "map" else bool(rng.random() < 0.9), "rating": 50.0, "hit": math.nan,
            "overlap": math.nan, "seconds": 10.0, "interrupted": False, "usefulness": math.nan, "misled": math.nan,
        }
        for reader in range(8)
        for case in range(40)
        for arm in ("none", "map")
    ]  # fmt: skip
    arms, pairs = compared(pd.DataFrame(rows), ["none", "map"], list(range(8)))
    by = arms.set_index(["endpoint", "arm"])["value"]
    assert by["accuracy_model_wrong", "map"] == 0
    assert by["accuracy_model_right", "map"] == 1
    assert by["accuracy_model_wrong", "none"] == pytest.approx(0.9, abs=0.07)
    drop = pairs.set_index("endpoint").loc["accuracy_model_wrong"]
    assert drop["low"] <= 0.9 <= drop["high"]
    assert drop["p_holm"] < 0.001
    assert set(arms["endpoint"]) <= {endpoint.name for endpoint in ENDPOINTS}


def test_liking_right_maps_is_a_rank_correlation_with_an_interval_over_cases():
    rng = np.random.default_rng(1)
    cases = np.repeat(np.arange(40), 2)
    score = rng.random(80)
    value, low, high = rank_correlation(score + 0.3 * rng.standard_normal(80), score, cases, rng)
    assert 0.4 < low < value < high < 0.95
    value, low, high = rank_correlation(score[:10], score[:10], cases[:10], rng)
    assert value == pytest.approx(1)
    assert math.isnan(low)


def test_a_region_survives_its_line_of_answers():
    mask = np.zeros((600, 900), dtype=bool)
    mask[100:200, 300:600] = True
    again = unpacked(packed(mask))
    assert again.shape == (341, 512)
    assert again.mean() == pytest.approx(mask.mean(), rel=0.02)
    assert centre(again)["x"] == pytest.approx(0.5, abs=0.01)
