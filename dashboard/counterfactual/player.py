"""The film between its ends, as a component: once it stands, moving it asks neither server nor model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit import runtime

from dashboard.counterfactual import files
from evaluation.counterfactuals.exaggerated import Exaggerated, ExaggeratedPlane, percent
from radiographs.findings import display_name

HERE = Path(__file__).resolve().parent
RATIO = ("Cardiothoracic ratio", "By our segmentation; –: it is unsure.")
LUNG = ("Lung, share of film", "Area of both lungs by our segmentation; –: it is unsure.")

_component = st.components.v2.component(
    "lightbox_player",
    html='<div class="mount"></div>',
    css=(HERE / "player.css").read_text(encoding="utf-8"),
    js=(HERE / "player.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, eq=False)
class PlayerContent:
    """What the player moves through; N films, the last axis fastest.

    Attributes:
        film: (S, S) as it is. films: (N, S, S). findings: on the axes.
        targets: for each axis, probabilities that the films should have. missed: (N, axes) bool, see ``Exaggerated``.
        classifier_findings: C names. probabilities: (N, C), own_probabilities: (C,) the model's own.
        measures: label, help, (N,) values and the value of the film as it is, of each.
    """

    film: np.ndarray
    films: np.ndarray
    findings: tuple[str, ...]
    targets: tuple[np.ndarray, ...]
    missed: np.ndarray
    classifier_findings: tuple[str, ...]
    probabilities: np.ndarray
    own_probabilities: np.ndarray
    measures: tuple[tuple[str, str, np.ndarray, float], ...]


def one_axis(made: Exaggerated) -> PlayerContent:
    """A series as the player takes it."""
    series = made.series
    return PlayerContent(
        series.film, series.films, (series.finding,), (made.targets,), made.missed[:, None],
        series.findings, series.probabilities, series.own_probabilities,
        ((*RATIO, made.ratios, made.own_ratio), (*LUNG, made.lungs, made.own_lung)),
    )  # fmt: skip


def two_axes(made: ExaggeratedPlane) -> PlayerContent:
    """A plane as the player takes it."""
    plane = made.plane
    count = len(plane.levels) ** 2
    return PlayerContent(
        plane.film, plane.films.reshape(count, *plane.film.shape), plane.findings, tuple(made.targets),
        made.missed.reshape(count, 2), plane.classifier_findings, plane.probabilities.reshape(count, -1),
        plane.own_probabilities, ((*RATIO, made.ratios.ravel(), made.own_ratio),),
    )  # fmt: skip


def given(shown: PlayerContent, key: str) -> dict[str, Any]:
    """What the browser is told of ``shown``; ``key`` tells players of a page apart."""
    changes = files.changes(shown.films, shown.film)
    chosen = [shown.classifier_findings.index(finding) for finding in shown.findings]
    owns = [float(shown.own_probabilities[column]) for column in chosen]
    return {
        "film": _address(files.film_png(shown.film), f"{key} film"),
        "films": [_address(files.film_png(film), f"{key} {place}") for place, film in enumerate(shown.films)],
        "changes": [_address(files.png(change), f"{key} change {place}") for place, change in enumerate(changes)],
        "words": "The film as it is: "
        + ", ".join(f"{display_name(finding).lower()} {percent(own)}" for finding, own in zip(shown.findings, owns)),
        "axes": [
            {"label": display_name(finding), "targets": targets.tolist(), "start": _nearest(targets, own)}
            for finding, targets, own in zip(shown.findings, shown.targets, owns, strict=True)
        ],
        "missed": shown.missed.tolist(),
        "findings": [display_name(finding) for finding in shown.classifier_findings],
        "chosen": chosen,
        "probabilities": shown.probabilities.tolist(),
        "own": shown.own_probabilities.tolist(),
        "measures": [
            {"label": label, "help": words, "values": [_known(value) for value in values], "own": _known(own)}
            for label, words, values, own in shown.measures
        ],
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _nearest(targets: np.ndarray, own: float) -> int:
    return int(np.abs(targets - own).argmin())


def _address(data: bytes, coordinates: str) -> str:
    return runtime.get_instance().media_file_mgr.add(data, "image/png", coordinates)


def draw(shown: PlayerContent, key: str) -> None:
    """Draw the player.

    Args:
        shown: what it moves through. key: content address of it, as text.
    """
    _component(key=f"player {key}", data=given(shown, key) | {"key": key})
