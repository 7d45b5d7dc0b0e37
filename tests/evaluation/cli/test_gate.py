from __future__ import annotations

import json

import pytest

import classifiers.registry
import radiographs.registry
from evaluation.cli.parser import main
from evaluation.validity.measured import measured_here
from tests.evaluation.looking import Spots, looker


@pytest.fixture(autouse=True)
def at_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(classifiers.registry, "load_classifier", lambda name: looker())
    monkeypatch.setattr(radiographs.registry, "get_collection", lambda name: Spots())


def test_verdicts_are_said_and_stored(capsys):
    assert main(["gate", "--model", "looking", "--collection", "spots"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Spot: not shown. ")
    assert "on spots, where 12 of 24 films have it" in said
    assert measured_here(looker().digest, Spots())["Spot"]["films"] == 24


def test_figures_go_into_a_card_and_out_as_json(capsys, tmp_path):
    card = tmp_path / "looking.json"
    card.write_text('{"name": "looking", "figures": {}}')
    assert main(["gate", "--model", "looking", "--collection", "spots", "--card", str(card), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert json.loads(card.read_text())["figures"]["validity"]["spots"] == printed


def test_a_collection_without_films_is_refused_in_a_sentence(capsys, monkeypatch):
    class Empty(Spots):
        def entries(self):
            return []

        def missing(self):
            return "The films are not at hand."

    monkeypatch.setattr(radiographs.registry, "get_collection", lambda name: Empty())
    assert main(["gate", "--model", "looking", "--collection", "spots"]) == 2
    assert "no film to measure on: The films are not at hand." in capsys.readouterr().err
