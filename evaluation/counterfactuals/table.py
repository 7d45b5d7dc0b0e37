"""Figures of :mod:`evaluation.counterfactuals` as tables: ``python -m evaluation.counterfactuals.table FILE ...``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.markdown import markdown_table
from radiographs.findings import display_name
from xai_methods import get_method

ROWS: tuple[tuple[str, str, str], ...] = (
    ("Refused, share of films", "measured", "refused"),
    ("Decision flips", "measured", "flipped"),
    ("Target and achieved, rank correlation in a film", "measured", "rank"),
    ("Achieved lies from target by", "measured", "off"),
    ("Film and reconstruction: change of the posterior", "measured", "answer"),
    ("Film and reconstruction: SSIM", "measured", "likeness"),
    ("Film and its other end: SSIM", "measured", "similarity"),
    ("Cardiothoracic ratio rises with the target of cardiomegaly", "measured", "ctr_rises"),
    ("Cardiothoracic ratio, slope from absent to present", "measured", "ctr_slope"),
    ("Lower lung shrinks with the target of the finding", "measured", "lower_falls"),
    ("Lower lung, slope (share of the film)", "measured", "lower_slope"),
    ("Difference map: area-matched IoU", "measured", "area_matched_iou"),
    ("Difference map: pointing game", "measured", "pointing_game"),
    ("Difference map: AUPRC", "measured", "pixel_auprc"),
    ("Devices still visible (edge energy within 20 %)", "devices", "visible"),
    ("Change inside devices, film units", "devices", "inside"),
    ("Change elsewhere on these films", "devices", "elsewhere"),
)
"""Words, part and name of each row."""


def interval(value: Mapping[str, Any] | None) -> str:
    """``mean (low to high), n`` as JSON holds it; a dash where it is undefined, no ends for few patients."""
    if value is None or value.get("value") is None:
        return "–"
    digits = 4 if abs(value["value"]) < 0.1 and value["value"] else 2
    ends = "" if value["low"] is None else f" ({value['low']:.{digits}f} to {value['high']:.{digits}f})"
    return f"{value['value']:.{digits}f}{ends}, {value['films']}"


def as_markdown(content: Mapping[str, Any]) -> str:
    """One explainer's figures in Markdown: a row a measure, a column a finding; each mean with its interval and n."""
    findings: Mapping[str, Any] = content["findings"]
    table: dict[str, list[str]] = {"Films": [str(found["films"]) for found in findings.values()]}
    for words, part, name in ROWS:
        table[words] = [interval(found[part].get(name)) for found in findings.values()]
    every = findings.values()
    table |= {
        "Target and achieved, rank correlation over all films": [
            f"{found['spearman_over_all']:.3f}" for found in every
        ],
        "Nearest film is its own": [interval(found["realism"]["identity"]) for found in every],
        "Fréchet distance to real films": [f"{found['realism']['frechet']:.2f}" for found in every],
        "Fréchet distance of two halves": [_halves(found["realism"]) for found in every],
    }
    head = ["", *(display_name(name) for name in findings)]
    rows = ([words, *cells] for words, cells in table.items())
    return f"**{get_method(content['method']).title}**, `{content['model']}`\n\n{markdown_table(head, rows)}"


def _halves(realism: Mapping[str, float]) -> str:
    return f"real and made {realism['frechet_of_half']:.2f}, real and real {realism['frechet_of_real_halves']:.2f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables of files that ``evaluation.counterfactuals`` wrote."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.counterfactuals.table", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    for path in parser.parse_args(argv).files:
        sys.stdout.write(as_markdown(json.loads(path.read_text(encoding="utf-8"))) + "\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
