"""What is kept between reruns and shared between people: models, films, thumbnails, the job manager.

Everything is keyed by names and digests, never by arrays, of which Streamlit would hash a sample only.
"""

from __future__ import annotations

import os
from collections.abc import Hashable

import numpy as np
import pandas as pd
import streamlit as st
import torch
from streamlit import runtime

from classifiers import ChestClassifier
from classifiers.registry import load_classifier
from dashboard import viewer
from dashboard.compare.question import Film, Question
from dashboard.jobs import JobManager
from evaluation.one_film import agreement
from evaluation.one_film.compare import FindingResult, finding_result
from evaluation.one_film.evaluate import MethodResult, evaluate_explanation
from radiographs.registry import get_collection
from radiographs.thumbnails import thumbnail
from xai_methods import Explanation

THUMBNAIL = 192


WORKERS = 2
"""Explanations computed at once."""


def _share_cores() -> None:
    # Two workers that each take all cores spend their time waiting for each other.
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // WORKERS))


def _present(owner: str) -> bool:
    return not runtime.exists() or runtime.get_instance().is_active_session(owner.partition(" ")[0])


@st.cache_resource(show_spinner=False)
def manager() -> JobManager:
    """The one job manager of the server; its workers share the cores evenly, and people take turns."""
    return JobManager(workers=WORKERS, prepare=_share_cores, present=_present)


@st.cache_resource(max_entries=4, show_spinner="Loading the model ...")
def classifier(name: str) -> ChestClassifier:
    """The model of that name; shared, it guards itself by its lock."""
    return load_classifier(name)


@st.cache_resource(max_entries=32, show_spinner="Reading the film ...")
def film(reference: str) -> Film:
    """A collection's film with what is known of it.

    Raises:
        CollectionError, FilmError: it is not at hand or cannot be read.
    """
    name, _, film_id = reference.partition("/")
    collection = get_collection(name)
    return Film(
        reference,
        collection.read(film_id),
        tuple(collection.annotations(film_id)),
        collection.entry(film_id),
        collection.card,
    )


@st.cache_data(max_entries=2000, show_spinner=False)
def small_picture(reference: str) -> np.ndarray:
    """The film's thumbnail for the gallery."""
    name, _, film_id = reference.partition("/")
    return thumbnail(get_collection(name).read(film_id), THUMBNAIL)


@st.cache_data(max_entries=512, show_spinner=False)
def probabilities(film_digest: str, model_digest: str, _film: Film, _model: ChestClassifier) -> dict[str, float]:
    """The model's probabilities on the film, by finding."""
    return _model.probabilities(_film.radiograph)


@st.cache_data(max_entries=32, max_size="256MB", show_spinner=False)
def film_png(film_digest: str, _film: Film) -> bytes:
    """The film as the viewer takes it."""
    return viewer.film_png(_film.radiograph)


@st.cache_data(max_entries=512, show_spinner=False)
def film_windows(film_digest: str, _film: Film) -> dict[str, tuple[float, float]]:
    """The film's window presets."""
    return viewer.windows(_film.radiograph)


@st.cache_data(max_entries=256, max_size="64MB", show_spinner=False)
def outline_png(mask_digest: str, _mask: np.ndarray) -> bytes:
    """An outline as the viewer takes it."""
    return viewer.mask_png(_mask)


@st.cache_resource(max_entries=64, show_spinner=False)
def scored(key: Hashable, mask_digest: str, _question: Question, _explanation: Explanation) -> MethodResult:
    """One explanation in the film's own pixels, with its scores where somebody outlined the finding."""
    return evaluate_explanation(_question.context(), _explanation)


@st.cache_resource(max_entries=64, show_spinner=False)
def unexplained(
    film_digest: str, model_digest: str, finding: str, mask_digest: str, _question: Question
) -> FindingResult:
    """What is known of one finding before any method ran: probability, verdict, baselines, chance."""
    return finding_result(_question.context(), finding, {})


@st.cache_resource(max_entries=256, show_spinner=False)
def map_picture(key: Hashable, _question: Question, _explanation: Explanation) -> viewer.MapPicture:
    """One map as the viewer takes it; the same for every outline and every way of looking."""
    return viewer.map_picture(_question.classifier.to_film(_explanation, _question.film.radiograph))


@st.cache_data(max_entries=128, show_spinner=False)
def in_words(maps: Hashable, _result: FindingResult) -> str:
    """What the scores of one finding say, see :func:`evaluation.one_film.agreement.in_words`."""
    return agreement.in_words(_result)


@st.cache_data(max_entries=64, show_spinner=False)
def film_table(collection: str, count: int) -> pd.DataFrame:
    """A collection's list as a table: film_id, labels, annotated, part; ``count`` tells lists apart as films arrive."""
    return pd.DataFrame(
        [(e.film_id, e.labels, e.annotated, e.part) for e in get_collection(collection).entries()],
        columns=["film_id", "labels", "annotated", "part"],
    )
