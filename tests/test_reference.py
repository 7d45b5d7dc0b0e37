"""docs/reference.md is what the docstrings say now, and leaves out nothing that is public."""

from __future__ import annotations

import importlib

import xai_lightbox
from xai_lightbox.reference import CHAPTERS, PAGE, reference_page, section, signature


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference_page(), "run: python -m xai_lightbox.reference"


def test_every_name_of_the_door_stands_on_it_and_has_words():
    named = {name for homes in CHAPTERS.values() for names in homes.values() for name in names}
    assert set(xai_lightbox.__all__) <= named
    for homes in CHAPTERS.values():
        for home, names in homes.items():
            assert all(getattr(importlib.import_module(home), name).__doc__ for name in names)


def test_signatures_say_defaults_and_what_must_be_named():
    def example(self, values, *parts, polarity="positive", make=print, **rest):
        """Do it.

        Args:
            values: (H, W).
        """

    assert signature(example) == "(values, *parts, polarity='positive', make=..., **rest)"
    said = section("example", example)
    assert said.startswith("### example\n\n`example(values, ")
    assert "Do it.\n\n```text\nArgs:\n    values: (H, W).\n```" in said
