"""One question of the compare page: which film, which model, which findings, which methods under which settings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import numpy as np

from classifiers import ChestClassifier
from dashboard.jobs import Task, explanation_cache
from dashboard.shared.state import UPLOAD
from evaluation.one_film.evaluate import ScoringContext
from radiographs import Annotation, Radiograph
from radiographs.collection import CollectionCard, FilmEntry
from radiographs.findings import canonical
from radiographs.registry import collections
from xai_methods import Explanation, Parameters, get_method

SPLIT_OF_COLLECTION = {"nih-boxes": "nih", "known-truth": "known_truth", "paediatric-pneumonia": "known_truth"}
"""The split table that says on which side of a training a collection's films are."""


DIAGNOSTICS = {
    "local_r2": "fits the model nearby, R² {:.2f}",
    "seed_agreement": "agrees with other seeds {:.2f}",
    "additivity_residual": "adds up to within {:.1g}",
    "conservation": "{:.0%} of the logit shared out",
    "bias_share": "{:.0%} of it left in biases",
}
"""Words for the diagnostics that are worth a place under a map."""


@dataclass(frozen=True, eq=False)
class Film:
    """A film with what is known of it.

    Attributes:
        reference: ``collection/film-id``, or ``upload/`` and the start of its digest. radiograph: the film.
        annotations: what readers outlined. entry, card: its line and its collection's card, where it has them.
    """

    reference: str
    radiograph: Radiograph
    annotations: tuple[Annotation, ...] = ()
    entry: FilmEntry | None = None
    card: CollectionCard | None = None
    _joined: dict[str, tuple[np.ndarray | None, str]] = field(default_factory=dict, init=False, repr=False)

    @property
    def collection(self) -> str:
        """Name of the collection."""
        return self.reference.partition("/")[0]

    def outlines(self, finding: str) -> list[Annotation]:
        """What readers outlined for ``finding``, under any name for it."""
        return [a for a in self.annotations if canonical(a.finding) == canonical(finding)]

    def mask(self, finding: str) -> np.ndarray | None:
        """All outlines of ``finding`` joined, (H, W) bool; None where nobody outlined it."""
        return self._outlined(finding)[0]

    def seal(self, finding: str) -> str:
        """Digest of :meth:`mask`, see :func:`mask_digest`."""
        return self._outlined(finding)[1]

    def _outlined(self, finding: str) -> tuple[np.ndarray | None, str]:
        if finding not in self._joined:
            masks = [a.mask for a in self.outlines(finding)]
            mask = np.logical_or.reduce(masks) if masks else None
            self._joined[finding] = mask, mask_digest(mask)
        return self._joined[finding]


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked, in full.

    Attributes:
        film: the film. classifier: the model. findings: names the model knows.
        parameters: each chosen method's parameters, by its name, in order. seed: of all methods.
    """

    film: Film
    classifier: ChestClassifier
    findings: tuple[str, ...]
    parameters: dict[str, Parameters]
    seed: int

    def context(self) -> ScoringContext:
        """The film and the model with what all maps are scored with."""
        film = self.film
        collection = collections().get(film.collection)
        return ScoringContext(self.classifier, film.radiograph, film.annotations, collection, film.entry)

    def key(self, finding: str, method: str) -> Hashable:
        """Content address of one explanation: equal keys mean equal maps."""
        settings = tuple(sorted(self.parameters[method].as_dict().items()))
        return self.film.radiograph.digest, self.classifier.digest, method, settings, finding, self.seed

    def pairs(self) -> list[tuple[str, str]]:
        """Findings and methods of all explanations asked for."""
        return [(finding, method) for finding in self.findings for method in self.parameters]

    def keys(self) -> list[Hashable]:
        """Content addresses of all explanations asked for."""
        return [self.key(finding, method) for finding, method in self.pairs()]

    def work(self, finding: str, method: str) -> Task:
        """The computation of one explanation, for the job manager; what is kept on disk is not computed again."""
        film, classifier, parameters, seed = self.film.radiograph, self.classifier, self.parameters[method], self.seed
        store = (
            explanation_cache.explanations()
            if self.film.collection != UPLOAD or explanation_cache.uploads_too()
            else None
        )

        def known() -> Explanation | None:
            asked = film.digest, classifier.digest, method, parameters.as_dict(), finding, seed
            return store.get(explanation_cache.address_of(*asked)) if store is not None else None

        def explain(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Explanation:
            made = get_method(method).explain(
                classifier, film, finding, parameters=parameters, seed=seed, progress=progress, cancelled=cancelled
            )
            if store is not None:
                store.put(made)
            return made

        return Task(explain, method, known)


def default_findings(film: Film, probabilities: dict[str, float]) -> tuple[str, ...]:
    """What to explain where nothing was chosen: what was outlined and the model knows, else what it finds likeliest."""
    outlined = [finding for finding in probabilities if film.outlines(finding)]
    if outlined:
        return tuple(outlined[:2])
    return (max(probabilities, key=lambda finding: probabilities[finding]),)


def seen_in_training(film: Film, split: str | None) -> bool:
    """Whether a model trained on ``split`` (see ``ModelCard.split``) has seen films of this film's patient."""
    entry = film.entry
    same = split is not None and SPLIT_OF_COLLECTION.get(film.collection) == split.removesuffix(".csv")
    return same and entry is not None and entry.part == "train"


def short_digest(digest: str) -> str:
    """The start of a digest, enough to tell films or models apart on a page."""
    return digest[:12]


def mask_digest(mask: np.ndarray | None) -> str:
    """SHA-256 of a mask's shape and pixels; "" for None."""
    return "" if mask is None else hashlib.sha256(repr(mask.shape).encode() + np.packbits(mask).tobytes()).hexdigest()


def notes_on(explanation: Explanation) -> list[str]:
    """What a person should know of one map, in short plain phrases."""
    notes = []
    if explanation.cells is not None:
        notes.append(f"really {explanation.cells[0]} × {explanation.cells[1]} cells")
    if explanation.regions is not None:
        notes.append(f"{len(np.unique(explanation.regions))} regions")
    notes.extend(
        words.format(explanation.diagnostics[name])
        for name, words in DIAGNOSTICS.items()
        if name in explanation.diagnostics
    )
    return notes
