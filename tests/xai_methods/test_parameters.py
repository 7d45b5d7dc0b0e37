from dataclasses import dataclass

import pytest

from tests.xai_methods.conftest import small_parameters
from xai_methods import ParameterError, Parameters, parameter


@dataclass(frozen=True)
class Some(Parameters):
    count: int = parameter(10, "How many.", low=1, high=20, step=1)
    width: float = parameter(0.5, "How wide.", low=0.0, high=1.0)
    kind: str = parameter("soft", "Which kind.", choices=("soft", "hard"))
    flag: bool = parameter(False, "Whether.")


def test_texts_become_the_fields_types():
    assert Some.parse({"count": "7", "width": "0.25", "kind": "hard", "flag": "true"}) == Some(7, 0.25, "hard", True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"count": 21}, "count: expected 1 to 20"),
        ({"count": 0}, "count: expected 1 to 20"),
        ({"count": "2.5"}, "count: expected int"),
        ({"width": "nan"}, "width: expected 0 to 1"),
        ({"width": "wide"}, "width: expected float"),
        ({"kind": "loud"}, "kind: expected one of soft, hard"),
        ({"flag": "perhaps"}, "flag: expected bool"),
        ({"size": 3}, "unknown parameter 'size'; this method has: count, width, kind, flag"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(given, said):
    with pytest.raises(ParameterError, match=said.replace("(", r"\(")):
        Some.parse(given)


def test_bounds_hold_for_direct_construction_too():
    with pytest.raises(ParameterError, match="count"):
        Some(count=99)


def test_names_and_values_round_trip():
    assert Some.parse(Some(count=3).as_dict()) == Some(count=3)


def test_small_parameters_stay_inside_their_bounds():
    class Loose(Parameters):
        """No fields."""

    assert small_parameters(Loose) == Loose()
    assert parameter(3, "help", low=1, high=5).metadata["bounds"].high == 5
