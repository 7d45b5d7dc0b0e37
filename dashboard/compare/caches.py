"""Scores and pictures of the compare page, worked out once for each film, model and map."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import streamlit as st

from classifiers import ChestClassifier
from dashboard import viewer
from dashboard.jobs.explanation_cache import address
from dashboard.shared.caches import BY_CONTENT
from dashboard.shared.film_context import FilmContext, mask_digest
from evaluation.one_film import agreement, marks
from evaluation.one_film.compare import FindingResult, finding_result
from evaluation.one_film.evaluate import MethodResult, evaluate_explanation
from radiographs import Radiograph
from radiographs.bounded_cache import bounded_cache
from xai_methods import Explanation


def _content_of(result: FindingResult) -> Hashable:
    maps = tuple(address(done.explanation) for done in result.methods.values() if done.explanation is not None)
    outline = mask_digest(result.mask), result.readers, result.reference_hidden
    return result.finding, outline, result.logit, result.verdict.words, maps


RESULT_BY_CONTENT: dict[str | type, Callable[[Any], Any]] = {FindingResult: _content_of}
"""For ``hash_funcs`` of Streamlit's caches: which maps are there, the outline, and the verdict."""


def _digests(*given: Radiograph | FilmContext | ChestClassifier | Explanation | str) -> Hashable:
    return tuple(one if isinstance(one, str) else BY_CONTENT[type(one)](one) for one in given)


@st.cache_data(max_entries=32, max_size="256MB", show_spinner=False, hash_funcs=BY_CONTENT)
def film_png(radiograph: Radiograph) -> bytes:
    """The film as the viewer takes it."""
    return viewer.film_png(radiograph)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_CONTENT)
def film_windows(radiograph: Radiograph) -> dict[str, tuple[float, float]]:
    """The film's window presets."""
    return viewer.windows(radiograph)


@st.cache_data(max_entries=256, max_size="64MB", show_spinner=False, hash_funcs={np.ndarray: mask_digest})
def outline_png(mask: np.ndarray) -> bytes:
    """An outline as the viewer takes it."""
    return viewer.mask_png(mask)


@bounded_cache(128, key=_digests)
def map_picture(classifier: ChestClassifier, radiograph: Radiograph, explanation: Explanation) -> viewer.MapPicture:
    """One map as the viewer takes it; the same for every outline and every way of looking."""
    return viewer.map_picture(classifier.to_film(explanation, radiograph))


@bounded_cache(512, key=_digests)
def scored(classifier: ChestClassifier, film: FilmContext, explanation: Explanation) -> MethodResult:
    """One explanation in the film's own pixels, with its scores where somebody outlined the finding."""
    return evaluate_explanation(film.scoring_context(classifier), explanation)


@bounded_cache(128, key=_digests)
def unexplained(classifier: ChestClassifier, film: FilmContext, finding: str) -> FindingResult:
    """What is known of one finding before any method ran: probability, verdict, baselines, chance."""
    return finding_result(film.scoring_context(classifier), finding, {})


@bounded_cache(128, key=_digests)
def marks_on(film: FilmContext) -> dict[str, np.ndarray]:
    """Lettering, tubes and lines on the film, see :func:`evaluation.one_film.marks.marks_on`."""
    return marks.marks_on(film.radiograph, film.annotations)


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs=RESULT_BY_CONTENT | BY_CONTENT)
def on_marks(result: FindingResult, film: FilmContext) -> str:
    """How much of the maps' evidence lies on those, where it is much."""
    return marks.marks_in_words(result, marks_on(film))


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs=RESULT_BY_CONTENT)
def in_words(result: FindingResult) -> str:
    """What the scores of one finding say, see :func:`evaluation.one_film.agreement.in_words`."""
    return agreement.in_words(result)
