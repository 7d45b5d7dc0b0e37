"""Choices go through the address unharmed; hostile addresses fall back with words."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dashboard.shared.display import View
from dashboard.shared.state import Choice, Known, from_query, quoted, to_query
from xai_methods import Parameters, parameter


@dataclass(frozen=True)
class _Parameters(Parameters):
    samples: int = parameter(100, "How many.", low=10, high=1000)
    kind: str = parameter("grid", "Which.", choices=("grid", "slic"))


class _Method:
    name = "lime"
    parameters = _Parameters


KNOWN = Known(
    film_exists=lambda film: film == "known-truth/nodule-03",
    models=["known-truth", "nih14"],
    findings=lambda model: ("Nodule", "Mass", "Effusion", "Edema", "Hernia"),
    methods={"lime": _Method(), "grad-cam": _Method()},
)
FULL = Choice(
    film="known-truth/nodule-03",
    model="known-truth",
    findings=("Nodule", "Mass"),
    methods=("lime", "grad-cam"),
    parameters={"lime": {"samples": 500, "kind": "slic"}},
    seed=7,
    view=View("contour", "signed", 0.35, False),
    run=True,
)


@pytest.mark.parametrize("choice", [FULL, Choice(), Choice(model="nih14", view=View(opacity=0.0))])
def test_round_trip(choice):
    assert from_query(to_query(choice), KNOWN) == (choice, [])


def test_defaults_are_left_out():
    assert to_query(Choice(film="a/b", model="m")) == {"film": ["a/b"], "model": ["m"]}


def test_an_empty_address_is_the_default():
    assert from_query({}, KNOWN) == (Choice(), [])


@pytest.mark.parametrize(
    "query",
    [
        {"film": ["../../etc/passwd"]},
        {"film": ["known-truth/<script>alert(1)</script>"]},
        {"model": ["../x.pt"]},
        {"model": ["known-truth"], "finding": ["Plague"]},
        {"method": ["__import__('os')"]},
        {"set": ["lime.samples:9999999"]},
        {"set": ["lime.samples:nan"]},
        {"set": ["lime.samples:inf"]},
        {"set": ["lime.nothing:1"]},
        {"set": ["nobody.samples:50"]},
        {"set": ["lime"]},
        {"seed": ["-1"]},
        {"seed": ["1e99"]},
        {"seed": ["nan"]},
        {"seed": ["٣"]},
        {"opacity": ["7"]},
        {"film": ["x" * 100_000]},
        {"method": ["lime"] * 10_000},
    ],
)
def test_hostile_values_fall_back_with_words(query):
    choice, words = from_query(query, KNOWN)
    assert words
    assert all(len(w) < 300 and "<" not in w and "`" not in w and "[" not in w for w in words)
    assert choice.film == ""
    assert choice.findings == ()
    assert choice.parameters == {}
    assert choice.seed == 0
    assert choice.view == View()


def test_an_upload_that_is_gone_is_named_and_no_other_film_takes_its_place():
    choice, words = from_query({"film": ["upload/<b>0123"], "run": ["1"]}, KNOWN)
    assert (choice.film, choice.run) == ("upload/", False)
    assert "Choose its file again" in words[0]
    assert "<" not in words[0]


def test_the_good_part_of_a_bad_link_is_kept():
    choice, words = from_query({"model": ["nih14"], "method": ["lime", "magic"], "seed": ["3"]}, KNOWN)
    assert (choice.model, choice.methods, choice.seed) == ("nih14", ("lime",), 3)
    assert len(words) == 1


def test_at_most_four_findings():
    query = {"model": ["nih14"], "finding": ["Nodule", "Mass", "Effusion", "Edema", "Hernia"]}
    choice, words = from_query(query, KNOWN)
    assert len(choice.findings) == 4
    assert words


def test_default_valued_settings_are_dropped():
    assert from_query({"set": ["lime.samples:100"]}, KNOWN) == (Choice(), [])


def test_quoted_is_harmless_in_markdown():
    assert not set("[]()*`<>:") & set(quoted("[x](javascript:1)*`<b>"))
    assert len(quoted("a" * 500)) == 42
    assert "www." not in quoted("see www.evil.example")
