"""What a person takes home: the table as CSV, the raw maps as npz, the whole as one HTML report."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import streamlit as st

from dashboard.panels import comparison_of
from dashboard.question import Question, short_digest
from dashboard.report import html_report
from evaluation.compare import Comparison, FindingResult
from evaluation.table import comparison_table


def table_csv(comparison: Comparison) -> str:
    """The score table of all findings as CSV; undefined scores are empty."""
    return comparison_table(comparison).to_csv(index=False)


def maps_npz(comparison: Comparison) -> bytes:
    """All maps, raw: ``<finding>.<method>.values`` (input grid) and ``.on_film``, and one JSON text ``meta``."""
    arrays: dict[str, Any] = {}
    meta = []
    for finding, result in comparison.findings.items():
        if result.mask is not None:
            arrays[f"{finding}.outline"] = result.mask
        for method, done in result.methods.items():
            made = done.explanation
            if made is None:
                continue
            arrays[f"{finding}.{method}.values"] = made.values
            arrays[f"{finding}.{method}.on_film"] = done.on_film
            fields = (
                "method",
                "finding",
                "parameters",
                "seed",
                "logit",
                "film",
                "classifier",
                "seconds",
                "diagnostics",
            )
            meta.append({name: getattr(made, name) for name in fields})
    arrays["meta"] = np.array(json.dumps(meta))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def draw_downloads(question: Question, results: dict[str, FindingResult]) -> None:
    """Draw the download buttons, once there is a map to take."""
    if not any(done.explanation for result in results.values() for done in result.methods.values()):
        return
    comparison = comparison_of(question, results)
    stem = f"lightbox-{short_digest(question.film.radiograph.digest)}-{question.classifier.name}"
    film, card = question.film, question.classifier.card
    reference = film.reference
    with st.container(horizontal=True):
        st.download_button(
            "Report (HTML)", lambda: html_report(comparison, card, reference, film.card), f"{stem}.html", "text/html",
            icon=":material/description:", on_click="ignore", key="get_report",
        )  # fmt: skip
        st.download_button(
            "Scores (CSV)", lambda: table_csv(comparison), f"{stem}.csv", "text/csv",
            icon=":material/table:", on_click="ignore", key="get_csv",
        )  # fmt: skip
        st.download_button(
            "Raw maps (npz)", lambda: maps_npz(comparison), f"{stem}.npz", "application/octet-stream",
            icon=":material/data_array:", on_click="ignore", key="get_maps",
        )  # fmt: skip
