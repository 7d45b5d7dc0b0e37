"""What outlives a rerun and is shared between people: models, films, thumbnails, the job manager.

Films, models and maps are told apart by their digests: of arrays Streamlit would hash a sample only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import torch
from streamlit import runtime
from streamlit.runtime.uploaded_file_manager import UploadedFile

from classifiers import ChestClassifier
from classifiers.registry import load_classifier
from dashboard.jobs import JobManager
from dashboard.jobs.explanation_cache import address
from dashboard.jobs.fair_queue import person_of
from dashboard.settings import settings
from dashboard.shared import belongings, display
from dashboard.shared.film_context import FilmContext
from radiographs import Radiograph
from radiographs.bounded_cache import bounded_cache
from radiographs.decoding.pool import read_film
from radiographs.registry import get_collection
from radiographs.thumbnails import thumbnail
from xai_methods import Explanation

THUMBNAIL = 192
WORKERS, URGENT_WORKERS = 2, 1
"""Explanations computed at once; and more workers for fast methods alone, which never wait for slow ones."""
THREADS = max(1, (os.cpu_count() or 1) // WORKERS)
"""Threads of one piece of work: workers that each take all cores spend their time waiting for each other."""
BY_CONTENT: dict[str | type, Callable[[Any], Any]] = {
    Radiograph: attrgetter("digest"),
    FilmContext: attrgetter("digest"),
    ChestClassifier: attrgetter("digest"),
    Explanation: address,
}
"""For ``hash_funcs`` of Streamlit's caches."""


def _share_cores() -> None:
    torch.set_num_threads(THREADS)


def _present(owner: str) -> bool:
    person = person_of(owner)
    return not runtime.exists() or belongings.present(person) or settings.load(person).go_on


@st.cache_resource(show_spinner=False)
def manager() -> JobManager:
    """The one job manager of the server; its workers share the cores evenly, and people take turns."""
    return JobManager(WORKERS, urgent_workers=URGENT_WORKERS, prepare=_share_cores, present=_present)


@st.cache_resource(max_entries=4, show_spinner="Loading the model ...")
def classifier(name: str) -> ChestClassifier:
    """The model of that name; shared, it guards itself by its lock."""
    return load_classifier(name)


@bounded_cache(256, key=str)
def film(reference: str) -> FilmContext:
    """A collection's film with what is known of it.

    Raises:
        CollectionError, FilmError: it is not available or cannot be read.
    """
    name, _, film_id = reference.partition("/")
    with st.spinner("Reading the film ..."):
        collection = get_collection(name)
        annotations = tuple(collection.annotations(film_id))
        return FilmContext(reference, collection.read(film_id), annotations, collection.entry(film_id), collection)


@st.cache_resource(
    max_entries=1,
    scope="session",
    show_spinner="Reading the film ...",
    hash_funcs={UploadedFile: attrgetter("file_id")},
)
def uploaded(file: UploadedFile) -> Radiograph:
    """The film in an uploaded file; it is forgotten when the session ends.

    Raises:
        FilmError: it cannot be read.
    """
    return read_film(file.getvalue())


@st.cache_data(max_entries=2000, max_size="256MB", show_spinner=False)
def small_picture(reference: str, outlined: bool) -> np.ndarray:
    """The film's square thumbnail for the gallery, (S, S, 3) uint8, with what experts outlined where that is wanted."""
    name, _, film_id = reference.partition("/")
    collection = get_collection(name)
    film = collection.read(film_id)
    picture = np.repeat(thumbnail(film, THUMBNAIL)[..., None], 3, axis=2)
    masks = [annotation.mask for annotation in collection.annotations(film_id)] if outlined else []
    if not masks:
        return picture
    side = max(film.shape)
    top, left = ((side - length) // 2 for length in film.shape)
    square = np.zeros((side, side), dtype=bool)
    square[top : top + film.shape[0], left : left + film.shape[1]] = np.logical_or.reduce(masks)
    return display.outlined(picture, square)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_CONTENT)
def probabilities(radiograph: Radiograph, model: ChestClassifier) -> dict[str, float]:
    """The model's probabilities on the film, by finding."""
    return model.probabilities(radiograph)


@st.cache_data(max_entries=64, show_spinner=False)
def film_table(collection: str, count: int) -> pd.DataFrame:
    """A collection's list as a table: film_id, labels, annotated, part; ``count`` tells lists apart as films arrive."""
    return pd.DataFrame(
        [(e.film_id, e.labels, e.annotated, e.part) for e in get_collection(collection).entries()],
        columns=["film_id", "labels", "annotated", "part"],
    )
