"""What a person may have meant: the likest names, and everywhere a name is typed."""

import pytest

from radiographs.nearness import near


def test_the_likest_come_first_and_case_does_not_count():
    assert near("GRAD-CAM", ["lime", "grad-cam"]) == "did you mean 'grad-cam'?"
    assert near("film-1", ["film-13", "film-1", "lime"]).startswith("did you mean 'film-1' or 'film-13'")


def test_where_none_is_near_all_are_named_or_none():
    assert near("x", ["lime", "lrp"], "it has") == "it has: lime, lrp"
    assert near("x", []) == "there are: none"
    assert near("x", ["lime"], otherwise="") == ""


def test_every_name_that_is_typed_has_a_near_one():
    from classifiers.registry import card_of
    from evaluation.scores import get_metric
    from radiographs.registry import find_film, get_collection
    from tests.families import random_classifier
    from xai_methods import get_method

    network = random_classifier("resnet", 1, 32)
    for look_up, typed, meant in (
        (get_method, "grad-cm", "grad-cam"),
        (get_metric, "pixel_auprk", "pixel_auprc"),
        (card_of, "nih14-localized", "nih14-localised"),
        (get_collection, "known-thruth", "known-truth"),
        (find_film, "known-thruth/mass-01", "known-truth"),
        (find_film, "known-truth/mas-01", "mass-01"),
        (network.column, network.findings[0].upper() + "s", network.findings[0]),
        (get_method("lime").parameters.parse, {"sampels": 1}, "samples"),
    ):
        with pytest.raises((LookupError, ValueError), match=f"did you mean .*'{meant}'"):
            look_up(typed)
