"""What a report is about, and what it says of how its maps were made."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from classifiers import ModelCard
from dashboard.shared.display import View
from evaluation.one_film.compare import Comparison
from radiographs import Annotation, Radiograph
from radiographs.collection import CollectionCard
from xai_methods import get_method

PACKAGES = ("xai-lightbox", "torch", "torchvision", "numpy", "captum", "shap", "scikit-image", "scikit-learn", "scipy")
LINK = "The same view in the dashboard"
OVERRULED = "Whoever made this report looked at the film and overruled that doubt."
SHOWN = {
    "positive": "colours from 0 to the 99.5th percentile of each map's positive part",
    "signed": "colours about 0, up to the 99.5th percentile of each map's absolute values",
}


@dataclass(frozen=True, eq=False)
class ReportContent:
    """What a report is about.

    Attributes:
        comparison: maps and scores. card: the model's card.
        reference: ``collection/film-id``, or words for a film that is in no collection; never a file's name.
        collection: the card of the film's collection. view: how maps are drawn.
        link: address at which the dashboard shows the same, "" for none.
        overruled: whether the person has looked at the film and overruled the reader's doubts.
        annotations: what experts outlined, for the evidence that lies on tubes and lines.
    """

    comparison: Comparison
    card: ModelCard
    reference: str
    collection: CollectionCard | None = None
    view: View = field(default_factory=View)
    link: str = ""
    overruled: bool = False
    annotations: tuple[Annotation, ...] = ()


def facts(content: ReportContent) -> dict[str, str]:
    """What is needed to do it again, in words, by heading."""
    found = {
        "Film": content.reference,
        "Film digest (SHA-256 of shape and pixels)": content.comparison.radiograph.digest,
        "Model": f"{content.card.name}: {content.card.summary}",
        "Model digest": content.comparison.classifier_digest,
        "Model trained on": content.card.trained_on,
        "Model limits": content.card.limits,
        "Model licence and source": f"{content.card.licence} {content.card.citation}",
        "Seed": str(content.comparison.seed),
        "Film size": _size(content.comparison.radiograph),
        "Scored": "the positive part of each map, in the film's own pixels",
        "Maps shown": SHOWN[content.view.part],
    }
    notes = content.comparison.radiograph.notes
    if notes:
        found["Film as it was read"] = " ".join(note.words for note in notes)
    if content.comparison.radiograph.doubts:
        words = [note.words for note in content.comparison.radiograph.doubts]
        found["In doubt"] = " ".join([*words, OVERRULED] if content.overruled else words)
    if content.collection is not None:
        found["Film collection"] = f"{content.collection.title}. {content.collection.annotators}"
        found["Film licence and citation"] = f"{content.collection.licence} {content.collection.citation}"
    for result in content.comparison.findings.values():
        for done in result.methods.values():
            if done.explanation is not None:
                given = ", ".join(f"{name} {value}" for name, value in done.explanation.parameters.items())
                reference_of = get_method(done.method).reference
                found[f"{done.title} settings"] = f"{given or 'none'} ({reference_of})"
    found["Versions"] = ", ".join([f"Python {platform.python_version()}", *_versions()])
    if content.link.startswith(("http://", "https://")):
        found[LINK] = content.link
    return found


def _size(film: Radiograph) -> str:
    spacing = film.pixel_spacing_mm
    apart = f", {spacing[0]:g} x {spacing[1]:g} mm apart" if spacing else ""
    return f"{film.shape[1]} x {film.shape[0]} pixels{apart}"


def _versions() -> list[str]:
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return found
