"""Licence, citation and changelog say the same as pyproject.toml."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
APACHE = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""SHA-256 of apache.org/licenses/LICENSE-2.0.txt."""


def test_the_licence_is_apaches_word_for_word():
    assert PROJECT["license"] == "Apache-2.0"
    assert PROJECT["license-files"] == ["LICENSE"]
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE


def test_the_citation_has_what_the_format_asks_for():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] == "software"
    assert (cited["version"], cited["license"]) == (PROJECT["version"], PROJECT["license"])
    for work in (cited, *cited["references"]):
        assert work["title"]
        assert all("name" in one or {"family-names", "given-names"} <= set(one) for one in work["authors"])
    assert all(re.fullmatch(r"10\.\d{4,}/\S+", work["doi"]) for work in cited["references"])


def test_the_changelog_names_versions_newest_first():
    heads = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert heads[0] == "Unreleased"
    released = [tuple(map(int, head.split("."))) for head in heads[1:]]
    assert released == sorted(released, reverse=True)


def test_links_of_contributing_lead_somewhere():
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []
