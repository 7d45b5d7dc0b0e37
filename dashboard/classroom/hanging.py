"""The exhibits of each kind of step, computed from films and models; slow, so it runs in the background."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from classifiers import ChestClassifier
from classifiers.film_check import checked
from dashboard.classroom.exhibit import CANNOT_TELL, METRICS, ClassPicture, Exhibit, ScoredRow, jpeg
from dashboard.classroom.lesson import LessonStep, Subject
from dashboard.counterfactual.files import changes, grey
from dashboard.shared import display
from dashboard.shared.display import View
from dashboard.shared.film_context import FilmContext
from evaluation.counterfactuals.exaggerated import exaggerated_film, in_words, percent
from evaluation.one_film.evaluate import MethodResult, evaluate_method
from evaluation.scores.randomisation import randomised_models
from evaluation.scores.score import Score
from evaluation.scores.similarity import spearman
from evaluation.stability.distances import threshold_of
from evaluation.stability.perturbations import PERTURBATIONS, Perturbation, averaged, grain_of, perturb
from evaluation.validity.measured import verdict
from radiographs import Radiograph
from radiographs.findings import display_name
from xai_methods import get_method
from xai_methods.counterfactual import EXPLAINERS
from xai_methods.display import ALL_ZERO, NO_EVIDENCE
from xai_methods.method import Progress

LONGEST_PICTURE = 900
CHANGED_SHARE = 0.1
"""Share of the film that counts as where a counterfactual changes it most."""
STRONG = 2
"""Level of everyday changes that a class guesses at."""
NOTICED, SAME = 0.5, 0.99
"""Rank correlation below which a map has noticed that its network was made anew, and from which nobody can tell."""
CHANGES = {
    "noise": "The dose divided by {:g}, so more noise",
    "blur": "A slight blur, {:g} of the model's pixels wide",
    "shift": "Moved sideways by {:g} of the model's pixels",
    "rotation": "Turned by {:g} degrees",
    "brighter": "{:g} % brighter",
    "darker": "{:g} % darker",
    "steeper": "{:g} % more contrast",
    "flatter": "{:g} % less contrast",
    "jpeg": "Stored as a smaller file (JPEG of quality {:g})",
}
"""Everyday changes in words for students; the number is the level."""


@dataclass(frozen=True, eq=False)
class Material:
    """A step with the films and models that it needs, by name."""

    step: LessonStep
    subject: Subject
    films: dict[str, FilmContext]
    models: dict[str, ChestClassifier]
    report: Progress = lambda share: None

    @property
    def film(self) -> FilmContext:
        """The film that the step is about."""
        return self.films[self.subject.film]

    @property
    def model(self) -> ChestClassifier:
        """The model that the step is about."""
        return self.models[self.subject.model]

    @property
    def flipped(self) -> bool:
        """Whether what is right hangs on the left: always the same for a step, and not to be guessed."""
        return zlib.crc32(f"{self.step.title}{self.subject.film}".encode()) % 2 == 0


def build(material: Material) -> Exhibit:
    """Compute a step's exhibit.

    Raises:
        ValueError, LookupError, RuntimeError: a map cannot be made; the message says why. Cancelled: it was stopped.
    """
    made = _BUILDERS[material.step.kind](material)
    film = material.films.get(material.subject.film)
    if film is None:
        return made
    cards = [model.card for model in material.models.values()]
    doubts = checked(film.radiograph, *cards, entry=film.entry).doubts
    return replace(made, doubts=tuple(note.words for note in doubts))


def _tell(material: Material) -> Exhibit:
    step = material.step
    right = frozenset() if step.answer is None else frozenset({step.answer})
    if not material.subject.film:
        return Exhibit(choices=step.choices, right=right)
    pictures = [_film_picture(material.film)]
    if step.methods:
        pictures += [_map_picture(material, made) for made in _explained(material, step.methods)]
    return Exhibit(tuple(pictures), choices=step.choices, right=right, subject=_about(material))


def _point(material: Material) -> Exhibit:
    film, finding = material.film, material.subject.finding
    mask = film.mask(finding)
    made = _explained(material, material.step.methods)
    rows = [ScoredRow(one.title, _values(one.scores)) for one in made] if mask is not None else []
    context = film.scoring_context(material.model)
    if mask is not None:
        reader = context.baseline_scores(finding, "other-reader", tuple(METRICS))
        rows += [ScoredRow("Another expert", _values(reader))] if reader else []
        rows.append(ScoredRow("Chance", _values(context.chance(finding))))
    maps = tuple(_map_picture(material, one, mask) for one in made)
    return Exhibit(
        after=((), maps), film=jpeg(_shown(film.radiograph)), target=mask, target_words=_whose(material),
        scores=tuple(rows), words=_caution(material) if rows else "", subject=_about(material),
    )  # fmt: skip


def _which_map(material: Material) -> Exhibit:
    step, film, model = material.step, material.film.radiograph, material.model
    networks = randomised_models(model, seed=0).cascading
    rows: list[ScoredRow] = []
    hung: list[tuple[ClassPicture, ...]] = []
    count = len(step.methods) * (1 + len(networks))
    for place, name in enumerate(step.methods):
        maps = []
        for number, network in enumerate((model, *networks)):
            maps.append(_map_of(network, film, material.subject.finding, name))
            material.report((place * (1 + len(networks)) + number + 1) / count)
        title = get_method(name).title
        rows.append(ScoredRow(title, {"alike": spearman(maps[0], maps[-1], absolute=True)}))
        said = ["as trained", *(f"{n} of {len(networks)} parts made anew" for n in range(1, len(networks) + 1))]
        hung.append(tuple(_picture(film, maps[at], title, said[at]) for at in (0, 1, len(networks) // 2 + 1, -1)))
    pair = (hung[0][0], hung[0][-1]) if material.flipped else (hung[0][-1], hung[0][0])
    # What a map says of itself, that it shows nothing, gives no network away; "as trained" would.
    before = tuple(
        ClassPicture(side, one.image, one.words if one.words in (NO_EVIDENCE, ALL_ZERO) else "")
        for side, one in zip(("Left", "Right"), pair)
    )
    unaware = [row.who for row in rows if row.values["alike"] >= NOTICED]
    words = (
        f"These maps stayed much alike although the whole network was made anew: {', '.join(unaware)}."
        if unaware
        else "Every one of these maps changed when the network was made anew."
    )
    alike = rows[0].values["alike"]
    right = frozenset({2 if alike >= SAME else 0 if material.flipped else 1})
    after = sum(hung, ())
    return Exhibit(
        before, (after,), ("Left", "Right", CANNOT_TELL), right, scores=tuple(rows), words=words,
        subject=_about(material),
    )  # fmt: skip


def _two_models(material: Material) -> Exhibit:
    step, film, finding = material.step, material.film, material.subject.finding
    mask = film.mask(finding)
    pair = [material.model, material.models[step.second]]
    pair = pair[::-1] if material.flipped else pair
    made = [_one(material, step.methods[0], model) for model in pair]
    before = tuple(_map_picture(material, one, title=side) for side, one in zip(("Left", "Right"), made))
    after = tuple(
        _map_picture(material, one, mask, title=model.card.title, words=_auroc(model, finding))
        for model, one in zip(pair, made)
    )
    rows = [ScoredRow(model.card.title, _values(one.scores)) for model, one in zip(pair, made)]
    return Exhibit(
        before, (after,), ("Left", "Right", CANNOT_TELL), frozenset({pair.index(material.model)}),
        scores=tuple(rows) if mask is not None else (), words=_caution(material) if mask is not None else "",
        subject=_about(material),
    )  # fmt: skip


def _shortcut(material: Material) -> Exhibit:
    step, method = material.step, material.step.methods[0]
    finding = display_name(material.subject.finding).lower()
    before: list[ClassPicture] = []
    after: list[ClassPicture] = []
    for place, (name, other) in enumerate(zip(step.films, step.changed), start=1):
        for title, reference, row in ((f"Film {place}", name, before), (f"Film {place}, changed", other, after)):
            film = material.films[reference].radiograph
            values = _map_of(material.model, film, material.subject.finding, method)
            said = f"{finding} {percent(material.model.probabilities(film)[material.subject.finding])}"
            if row is before:
                before.append(ClassPicture(title, jpeg(_shown(film)), said))
            after.append(_picture(film, values, title, said))
        material.report(place / len(step.films))
    about = _about(material) | {"film": step.films[0], "methods": method}
    return Exhibit(tuple(before), (tuple(after),), step.choices, frozenset({step.answer or 0}), subject=about)


def _counterfactual(material: Material) -> Exhibit:
    model, finding = material.model, material.subject.finding
    serving = [name for name in EXPLAINERS if get_method(name).serves(model, finding) is None]
    if not serving:
        raise ValueError(f"No counterfactual can be made of {display_name(finding).lower()} for {model.card.title}.")
    made = exaggerated_film(model, material.film.radiograph, finding, serving[0], material.report)
    series = made.series
    target = np.abs(series.difference) >= np.quantile(np.abs(series.difference), 1 - CHANGED_SHARE)
    drawn = changes(series.films[[0, -1]], series.film)
    titles = [("Absent", series.films[0], 0), ("As it is", series.film, None), ("Present", series.films[-1], -1)]
    after = [
        ClassPicture(title, jpeg(_enlarged(grey(film))), percent(made.own if at is None else float(made.achieved[at])))
        for title, film, at in titles
    ]
    after.append(ClassPicture("What changed", jpeg(_enlarged(drawn[-1])), "red brighter, blue darker"))
    return Exhibit(
        after=(tuple(after),), film=jpeg(_enlarged(grey(series.film))), target=target,
        target_words="the tenth of the film that changes most", words=in_words(made), subject=_about(material),
    )  # fmt: skip


def _stability(material: Material) -> Exhibit:
    model, finding, step = material.model, material.subject.finding, material.step
    film = averaged(material.film.radiograph)
    threshold = threshold_of(model.card.figures, finding)
    own = model.probabilities(film)[finding]
    grain = grain_of(model.preprocessing, film.shape)
    named = {one.name: one for one in PERTURBATIONS}
    after, right = [], set()
    for place, change in enumerate(named[name] for name in step.changes):
        moved = perturb(film, change, change.levels[STRONG], grain)
        probability = model.probabilities(moved)[finding]
        if (probability > threshold) != (own > threshold):
            right.add(place)
        after.append(ClassPicture(_change(change), jpeg(_shown(moved)), percent(probability)))
        material.report((place + 1) / len(step.changes))
    choices = (*(_change(named[name]) for name in step.changes), "None of them")
    words = f"The film as it is: {percent(own)}. The call changes at {percent(threshold)}."
    before = (ClassPicture("Film", jpeg(_shown(film)), f"{display_name(finding).lower()} {percent(own)}"),)
    return Exhibit(
        before, (tuple(after),), choices, frozenset(right or {len(step.changes)}), words=words,
        subject=_about(material),
    )  # fmt: skip


_BUILDERS: dict[str, Callable[[Material], Exhibit]] = {
    "tell": _tell,
    "choose": _tell,
    "point": _point,
    "which-map": _which_map,
    "two-models": _two_models,
    "shortcut": _shortcut,
    "counterfactual": _counterfactual,
    "stability": _stability,
}


def _change(change: Perturbation) -> str:
    return CHANGES.get(change.name, change.meaning).format(abs(change.levels[STRONG]))


def _explained(material: Material, names: tuple[str, ...]) -> list[MethodResult]:
    made = []
    for place, name in enumerate(names):
        made.append(_one(material, name, material.model))
        material.report((place + 1) / len(names))
    return made


def _one(material: Material, method: str, model: ChestClassifier) -> MethodResult:
    finding = material.subject.finding
    scored = tuple(METRICS) if material.film.mask(finding) is not None else ()
    made = evaluate_method(material.film.scoring_context(model), finding, method, metrics=scored)
    if made.on_film is None:
        raise RuntimeError(made.error)
    return made


def _map_of(model: ChestClassifier, film: Radiograph, finding: str, method: str) -> np.ndarray:
    return model.to_film(get_method(method).explain(model, film, finding), film)


def _values(scores: dict[str, Score]) -> dict[str, float]:
    return {name: scores[name].value for name in METRICS if name in scores}


def _about(material: Material) -> dict[str, str]:
    subject = material.subject
    return {"film": subject.film, "model": subject.model, "finding": subject.finding}


def _whose(material: Material) -> str:
    """Whose outline of the finding it is, in words; "" where there is none."""
    outlines = material.film.outlines(material.subject.finding)
    if not outlines:
        return ""
    if all(outline.exact for outline in outlines):
        return "the outline of what was planted"
    return f"the outline by {material.film.whose(material.subject.finding)}"


def _caution(material: Material) -> str:
    """What the validity gate leaves open of the scores; "" where they may be read as scores of the methods."""
    model, finding = material.model, material.subject.finding
    found = verdict(model.card.figures, model.digest, finding, material.film.collection)
    return "" if found.passed else found.words


def _auroc(model: ChestClassifier, finding: str) -> str:
    """The card's AUROC of a finding in words; "" where it has none."""
    known = model.card.figures.get("findings", {}).get(finding, {})
    return f"AUROC {known['auroc']:.2f} on films of other patients" if "auroc" in known else ""


def _shown(radiograph: Radiograph) -> np.ndarray:
    return display.film_picture(radiograph, LONGEST_PICTURE)


def _enlarged(pixels: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 with every pixel drawn as 2 x 2, so that small films stand large on a projector."""
    return pixels.repeat(2, axis=0).repeat(2, axis=1) if max(pixels.shape) < LONGEST_PICTURE // 2 else pixels


def _film_picture(film: FilmContext) -> ClassPicture:
    return ClassPicture("Film", jpeg(_shown(film.radiograph)))


def _map_picture(
    material: Material, made: MethodResult, mask: np.ndarray | None = None, *, title: str = "", words: str = ""
) -> ClassPicture:
    assert made.on_film is not None
    return _picture(material.film.radiograph, made.on_film, title or made.title, words, mask)


def _picture(
    film: Radiograph, values: np.ndarray, title: str, words: str = "", mask: np.ndarray | None = None
) -> ClassPicture:
    drawn = display.picture(_shown(film), values, View(), mask)
    return ClassPicture(title, jpeg(drawn.pixels), drawn.words or words)
