"""Simulated ratings have the AUROC asked for, and power is the level where there is no effect and grows with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.reader_study import mrmc, planning
from tests.evaluation.reader_study.made import made_study


def test_simulated_readers_have_the_area_they_should():
    truth = np.arange(1200) % 2 == 0
    ratings = planning.simulated_ratings(truth, (0.75, 0.9), 20, np.random.default_rng(4))
    assert mrmc.auroc(ratings, truth).values.mean(axis=1) == pytest.approx([0.75, 0.9], abs=0.03)


def test_power_is_the_level_without_an_effect_and_grows_with_readers_and_cases():
    study = made_study()
    none = planning.power(replace(study, effect=1e-9), 6, 60, 0.5, simulations=150)
    few = planning.power(replace(study, effect=0.15), 3, 24, 0.5, simulations=80)
    many = planning.power(replace(study, effect=0.15), 9, 120, 0.5, simulations=40)
    assert none.power <= 0.1
    assert few.power < 0.5 < many.power
    crossed = planning.power(replace(study, effect=0.15, design="crossover"), 6, 60, 0.5, simulations=40)
    assert crossed.power > planning.power(replace(study, effect=0.15), 6, 60, 0.5, simulations=40).power
    assert "9 readers of 120 cases find a gain of 0.1" in planning.in_words(study, [few, many])
    assert "None of these finds" in planning.in_words(study, [none, few])
