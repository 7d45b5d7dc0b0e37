"""What is known of a film: its outlines under any name, its digest, and whether a model was trained on its patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dashboard.shared.film_context import FilmContext, mask_digest
from radiographs import Annotation
from radiographs.collection import FilmEntry
from radiographs.registry import get_collection
from tests.dashboard.made import TinyCollection, tiny_film
from tests.evaluation.looking import CARD


def context(*annotations: Annotation) -> FilmContext:
    return FilmContext("tiny-films/film-0", tiny_film()[0], annotations)


@pytest.mark.parametrize(
    ("collection", "part", "split", "seen"),
    [
        ("nih-boxes", "train", "nih", True),
        ("nih-boxes", "train", "nih.csv", True),
        ("nih-boxes", "test", "nih", False),
        ("nih-boxes", "train", "known_truth", False),
        ("nih-boxes", "train", None, False),
        ("known-truth", "train", "known_truth", True),
        ("paediatric-pneumonia", "train", "known_truth", True),
        ("adult-dicom", "train", "", False),
        (None, None, "nih", False),
    ],
)
def test_a_film_was_seen_in_training_where_its_collection_and_the_model_share_the_split(collection, part, split, seen):
    entry = FilmEntry("a", part=part) if part else None
    source = get_collection(collection) if collection else None
    card = replace(CARD, split=split)
    assert FilmContext("x/a", tiny_film()[0], entry=entry, collection=source).seen_in_training(card) is seen


def test_outlines_of_one_finding_are_joined_under_any_name_for_it():
    mask = tiny_film()[1]
    film = context(Annotation("Effusion", mask, "mask", "A"), Annotation("Pleural Effusion", ~mask, "mask", "B"))
    assert film.mask("Pleural Effusion").all()
    assert film.mask("Nodule") is None


def test_the_digest_changes_with_what_is_outlined():
    mask = tiny_film()[1]
    digests = {
        film.digest
        for film in (
            context(),
            context(Annotation("Nodule", mask, "mask", "A")),
            context(Annotation("Nodule", ~mask, "mask", "A")),
            context(Annotation("Mass", mask, "mask", "A")),
            FilmContext("tiny-films/film-1", tiny_film(1)[0]),
        )
    }
    assert len(digests) == 5
    assert context(Annotation("Nodule", mask, "mask", "A")).digest in digests


def test_a_line_describes_the_film():
    source = TinyCollection()
    film = FilmContext(
        "tiny-films/film-0", tiny_film()[0], entry=FilmEntry("film-0", view="PA", age=4), collection=source
    )
    assert film.description() == "Tiny films · 64 × 80 pixels · PA view · age 4"
    assert context().description() == "Uploaded film · 64 × 80 pixels"


def test_mask_digest_tells_masks_apart():
    mask = tiny_film()[1]
    assert mask_digest(None) == ""
    assert mask_digest(mask) != mask_digest(~mask)
    assert mask_digest(mask) != mask_digest(np.ascontiguousarray(mask.T))
