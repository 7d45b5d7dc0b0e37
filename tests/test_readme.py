"""README's commands: each is one that there is, and the first of them do what they say, in their order."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dashboard.cli import main as command_line
from evaluation.cli.parser import build_parser
from radiographs.errors import CollectionError
from radiographs.registry import find_film

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line) for line in re.findall(r"^lightbox (.*)$", README, flags=re.MULTILINE)]
RUN = ("films", "models", "methods", "metrics", "show", "explain", "score")


def test_every_command_is_one_that_there_is(monkeypatch, capsys):
    monkeypatch.setattr(command_line, "run", lambda parser, argv: bool(parser.parse_args(argv)))
    assert len(COMMANDS) > 15
    assert all(command_line.main(words) for words in COMMANDS)
    (listed,) = build_parser()[0]._subparsers._group_actions
    assert set(RUN) < set(listed.choices)


@pytest.mark.slow
def test_the_commands_up_to_the_score_run_as_they_stand(tmp_path, monkeypatch, capsys):
    try:
        find_film("known-truth/nodule-01")
    except CollectionError as error:
        pytest.skip(str(error))
    monkeypatch.chdir(tmp_path)
    done = [words for words in COMMANDS if words[0] in RUN and words[1:2] not in (["add"], ["rename"], ["remove"])]
    for words in done:
        capsys.readouterr()
        assert command_line.main(words) == 0, words
        if words[0] == "score" and "--out" not in words:
            found = json.loads(capsys.readouterr().out)
            assert found["pixel_auprc"]["value"] > found["pixel_auprc"]["chance"]
    assert {words[0] for words in done} == set(RUN)
    assert np.asarray(Image.open(tmp_path / "mask.png")).any()
