import numpy as np
import pytest

from evaluation.one_film.compare import FindingResult
from evaluation.one_film.evaluate import MethodResult
from evaluation.one_film.two_models import BETWEEN, WITHIN, between_models
from evaluation.validity.gate import Verdict


def _spot(row, column, side=300):
    values = np.zeros((side, side), np.float32)
    values[row : row + 90, column : column + 90] = 1
    return values


def _result(**maps):
    done = {name: MethodResult("Mass", name, name.upper(), on_film=values) for name, values in maps.items()}
    return FindingResult("Mass", 0.0, 0.5, None, Verdict.__new__(Verdict), done, {}, {})


def test_what_is_common_to_the_models_and_what_to_the_method():
    first = _result(lime=_spot(0, 0), lrp=_spot(200, 200), random=_spot(0, 0), rise=None)
    second = _result(lime=_spot(0, 0), lrp=_spot(0, 200), random=_spot(0, 0), rise=_spot(0, 0))
    table = between_models(first, second)
    assert list(table.index) == ["LIME", "LRP"]
    assert table.loc["LIME", BETWEEN] == pytest.approx(1.0)
    assert table.loc["LRP", BETWEEN] == pytest.approx(0.0, abs=0.01)
    assert table[WITHIN].tolist() == pytest.approx([0.0, 0.0], abs=0.01)
    alone = between_models(_result(lime=_spot(0, 0)), _result(lime=_spot(0, 30)))
    assert 0.4 < alone.loc["LIME", BETWEEN] < 0.6
    assert np.isnan(alone.loc["LIME", WITHIN])
