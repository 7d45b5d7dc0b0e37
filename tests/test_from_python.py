"""The lines of docs/from-python.md run as they stand, in their order; its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from radiographs.errors import CollectionError
from radiographs.registry import find_film

PAGE = Path(__file__).resolve().parents[1] / "docs" / "from-python.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_lines_run_in_their_order(capsys):
    try:
        find_film("known-truth/mass-01")
    except CollectionError as error:
        pytest.skip(str(error))
    space: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), space)
    assert space["auprc"].value > space["auprc"].chance
    assert space["done"].failures == {}
    assert {"method", "baseline", "chance"} == set(space["table"]["kind"])
    assert space["p"] < 0.05
    assert "uniform" in capsys.readouterr().out


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 4
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
