"""What readers are shown, made before anybody reads: maps, and what is known of each case and map.

So the page waits for no method, every reader sees the very same map, and the report asks no model again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from classifiers import ChestClassifier
from classifiers.registry import load_classifier
from evaluation.one_film.evaluate import ScoringContext, evaluate_explanation
from evaluation.reader_study.design import Part, map_name
from evaluation.reader_study.study_file import NO_MAP, Arm, Study, StudyCase, StudyError
from evaluation.stability.distances import threshold_of
from radiographs import Radiograph
from radiographs.annotation import Annotation
from radiographs.arrays import read_arrays, write_arrays
from radiographs.collection import Collection, FilmEntry
from radiographs.files import read_json, write_text
from radiographs.findings import is_named
from radiographs.registry import find_film
from xai_methods import get_method
from xai_methods.counterfactual import exaggerate

LONGEST_MAP = 512
"""Longest side of a stored map; the viewer shows no more."""
LOCALISATION = ("area_matched_iou", "pixel_auprc", "pointing_game")
FAITHFULNESS = ("deletion_blur",)
Told = Callable[[str, float], None]


@dataclass(frozen=True)
class CaseFacts:
    """What is known of a case.

    Attributes:
        film, model: their digests. present: the truth. probability, threshold: the model's, and where it calls.
        outlined: whether an expert outlined the finding. doubts: what is odd about the film, in words.
    """

    film: str
    model: str
    present: bool
    probability: float
    threshold: float
    outlined: bool
    doubts: tuple[str, ...] = ()

    @property
    def called(self) -> bool:
        """Whether the model calls the finding present."""
        return self.probability >= self.threshold

    @property
    def model_wrong(self) -> bool:
        """Whether the model's call is not the truth."""
        return self.called != self.present


@dataclass(frozen=True)
class StudyMaterial:
    """All that is known of a study's cases and maps.

    Attributes:
        cases: facts by part of the study and place in it. scores: of each map, by its file's name and metric.
    """

    cases: Mapping[tuple[Part, int], CaseFacts]
    scores: Mapping[str, Mapping[str, float | None]]

    def present(self) -> np.ndarray:
        """(N,) bool, the truth of the cases that count."""
        count = sum(part == "case" for part, _ in self.cases)
        return np.array([self.cases["case", place].present for place in range(count)], dtype=bool)

    def save(self, path: Path) -> None:
        """Write it as JSON that only the program's own user reads."""
        cases = [{"part": part, "case": place, **asdict(facts)} for (part, place), facts in self.cases.items()]
        write_text(path, json.dumps({"cases": cases, "scores": self.scores}, indent=1), durable=True)
        os.chmod(path, 0o600)

    @classmethod
    def load(cls, path: Path) -> StudyMaterial:
        """Read what :meth:`save` wrote.

        Raises:
            StudyError: the file is not there, or damaged.
        """
        try:
            told = read_json(path)
            cases = {
                (one.pop("part"), one.pop("case")): CaseFacts(**one | {"doubts": tuple(one["doubts"])})
                for one in told["cases"]
            }
            return cls(cases, told["scores"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StudyError(f"what was prepared for the study, {path}, cannot be read; open the study anew") from error


@dataclass(frozen=True, eq=False)
class ShownMap:
    """A map as readers see it: (h, w) float32 over the film, and for a counterfactual the films at its ends."""

    values: np.ndarray
    ends: tuple[np.ndarray, np.ndarray] | None = None


def listed(study: Study) -> list[tuple[Part, int, StudyCase]]:
    """All cases with the part of the study and their place in it."""
    parts: tuple[tuple[Part, tuple[StudyCase, ...]], ...] = (
        ("practice", study.practice), ("check", study.checks), ("case", study.cases)
    )  # fmt: skip
    return [(part, place, case) for part, cases in parts for place, case in enumerate(cases)]


def prepare(study: Study, secret: bytes, folder: Path, told: Told = lambda doing, share: None) -> StudyMaterial:
    """Read all films, run all models and methods, and store what readers are shown under ``folder``.

    Args:
        told: hears what is being done and the share that is done.

    Raises:
        StudyError: a film, model, finding or map cannot be had, or the truth of a case is not known.
    """
    cases: dict[tuple[Part, int], CaseFacts] = {}
    scores: dict[str, dict[str, float | None]] = {}
    (folder / "maps").mkdir(parents=True, exist_ok=True)
    (folder / "outlines").mkdir(exist_ok=True)
    todo = listed(study)
    for number, (part, place, case) in enumerate(todo):
        told(f"case {number + 1} of {len(todo)}", number / len(todo))
        where = f"{part} {place + 1} ({case.film})"
        try:
            context, doubts = _opened(case)
        except (LookupError, ValueError, OSError, RuntimeError) as error:
            raise StudyError(f"{where}: {error}") from error
        cases[part, place] = _facts(case, context, doubts, where)
        region = context.region(case.finding)
        if region is not None:
            write_arrays(folder / "outlines" / f"{part}-{place}.npz", {"mask": region.mask})
        for arm_place, arm in enumerate(study.arms):
            if arm.kind == NO_MAP:
                continue
            name = map_name(secret, part, place, arm_place)
            try:
                shown, scored = _map(context, case, arm, seed=number)
            except (LookupError, ValueError, RuntimeError) as error:
                raise StudyError(f"{where}, arm {arm.name}: {error}") from error
            ends = {} if shown.ends is None else dict(zip(("less", "more"), shown.ends))
            write_arrays(folder / "maps" / f"{name}.npz", {"values": shown.values, **ends})
            scores[name] = scored
    told("all cases", 1.0)
    return StudyMaterial(cases, scores)


@lru_cache(maxsize=4)
def _model(name: str) -> ChestClassifier:
    return load_classifier(name)


def _opened(case: StudyCase) -> tuple[ScoringContext, tuple[str, ...]]:
    # Only this command and its worker need the film check's network.
    from classifiers.film_check import checked

    model = _model(case.model)
    model.column(case.finding)
    radiograph, entry, collection = find_film(case.film)
    seen = checked(radiograph, model.card, entry=entry)
    annotations: list[Annotation] = [] if collection is None or entry is None else collection.annotations(entry.film_id)
    doubts = tuple(note.words for note in seen.doubts)
    return ScoringContext(model, radiograph, annotations, collection, entry), doubts


def _facts(case: StudyCase, context: ScoringContext, doubts: tuple[str, ...], where: str) -> CaseFacts:
    model, film = context.classifier, context.radiograph
    region = context.region(case.finding)
    present = case.present
    if present is None:
        present = _truth(case.finding, context.collection, context.entry, region is not None)
    if present is None:
        raise StudyError(f"{where}: nothing says whether {case.finding} is present; add present = true or false")
    probability = model.probabilities(film)[case.finding]
    threshold = threshold_of(model.card.figures, case.finding)
    return CaseFacts(film.digest, model.digest, present, probability, threshold, region is not None, doubts)


def _truth(finding: str, collection: Collection | None, entry: FilmEntry | None, outlined: bool) -> bool | None:
    if outlined:
        return True
    return None if collection is None or entry is None else is_named(finding, entry.labels)


def _map(context: ScoringContext, case: StudyCase, arm: Arm, seed: int) -> tuple[ShownMap, dict[str, float | None]]:
    """The map of one case under one arm, and its scores; a score that is undefined is None."""
    method = get_method(arm.method)
    ends = None
    if arm.kind == "counterfactual":
        series = exaggerate(context.classifier, context.radiograph, case.finding, method=arm.method)
        if series.refusal:
            raise StudyError(series.refusal)
        ends = series.films[0].astype(np.float32), series.films[-1].astype(np.float32)
    explanation = method.explain(
        context.classifier, context.radiograph, case.finding,
        parameters=method.parameters.parse(arm.parameters), seed=seed,
    )  # fmt: skip
    names = [*(LOCALISATION if context.region(case.finding) is not None else ()), *FAITHFULNESS]
    done = evaluate_explanation(context, explanation, names)
    assert done.on_film is not None
    scored = {name: score.value if score.defined else None for name, score in done.scores.items()}
    return ShownMap(_shrunk(done.on_film), ends), scored


def _shrunk(values: np.ndarray) -> np.ndarray:
    factor = LONGEST_MAP / max(values.shape)
    if factor >= 1:
        return values.astype(np.float32)
    size = [max(1, round(side * factor)) for side in values.shape]
    plane = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None, None]
    return torch.nn.functional.interpolate(plane, size=size, mode="bilinear", antialias=True)[0, 0].numpy()


def read_map(folder: Path, name: str) -> ShownMap:
    """A stored map by its file's name.

    Raises:
        StudyError: it is not there, or damaged.
    """
    try:
        arrays, _ = read_arrays(folder / "maps" / f"{name}.npz")
        ends = (arrays["less"], arrays["more"]) if "less" in arrays else None
        return ShownMap(arrays["values"], ends)
    except Exception as error:  # what zipfile, zlib and NumPy raise for damage has no common base
        raise StudyError("a map of this study is missing or damaged; tell whoever runs the study") from error


def read_outline(folder: Path, part: Part, case: int) -> np.ndarray | None:
    """What experts outlined on a case: (H, W) bool; None where nobody did.

    Raises:
        StudyError: the file is damaged.
    """
    path = folder / "outlines" / f"{part}-{case}.npz"
    try:
        return read_arrays(path)[0]["mask"]
    except FileNotFoundError:
        return None
    except Exception as error:  # as in read_map
        raise StudyError(f"the outline {path} is damaged") from error


def checked_film(case: StudyCase, facts: CaseFacts) -> Radiograph:
    """The film of a case, the very one that was there when the study was opened.

    Raises:
        StudyError: it is another film now. LookupError, FilmError: it cannot be had.
    """
    film, _, _ = find_film(case.film)
    if film.digest != facts.film:
        raise StudyError("a film of this study is not the one that it was opened with; tell whoever runs the study")
    return film
