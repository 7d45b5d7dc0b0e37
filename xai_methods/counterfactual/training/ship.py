"""Turn a run into shipped weights and a card: ``python -m xai_methods.counterfactual.training.ship --help``.

The card says what a reconstruction may cost before a counterfactual is refused. These limits are measured: the worst
tenth of validation films is refused for each, so that what is refused is what the explainer itself draws badly.
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from classifiers import ChestClassifier
from classifiers.registry import load_classifier
from classifiers.training import nih_data
from radiographs import Radiograph
from xai_methods.counterfactual.autoencoder import AutoencoderShape
from xai_methods.counterfactual.exaggeration import exaggerated
from xai_methods.counterfactual.generate import unit_film
from xai_methods.counterfactual.latent import shifted
from xai_methods.counterfactual.registry import build, save_counterfactual
from xai_methods.counterfactual.series import Limits, Series

REFUSED = 0.1
"""Share of validation films that each limit refuses."""
OPEN = {"answer": 1.0, "likeness": -1.0}
_NIH = (
    "Frontal films of NIH ChestX-ray14 (Wang et al. 2017, arXiv 1705.02315) of patients on the training side of "
    "assets/splits/nih.csv"
)
_LICENCE = "weights: Apache-2.0"
_COMMON = (
    "For research and teaching, not for diagnosis. It shows what the classifier answers to, not how a disease "
    "develops. Not for children, lateral films or films of other parts. "
)


def generator_card_of(run: dict[str, Any], step: int) -> dict[str, Any]:
    """The card of a generator from its run's description."""
    findings = run["findings"]
    return {
        "name": f"exaggeration-{run['model']}",
        "kind": "generator",
        "title": f"Progressive exaggeration for {run['model']}",
        "summary": f"Draws {', '.join(findings)} into a film or takes it out, as a smooth displacement and a smooth "
        f"change of brightness, until {run['model']}'s answer reaches the target.",
        "trained_on": f"{run['films']} films: {_NIH}; {step} steps of {run['settings']['batch']} films.",
        "licence": _LICENCE,
        "citation": "Singla et al. 2023, doi 10.1016/j.media.2022.102721, arXiv 2101.04230",
        "limits": _COMMON
        + "Its changes are smooth: it cannot draw or remove sharp edges, fine lines, small nodules or "
        "texture. Posteriors are calibrated as if half of all films had the finding, on films most of which the "
        "classifier was trained on, so they are somewhat too sure. It serves no other classifier.",
        "shape": run["shape"],
        "model": run["model"],
        "classifier": run["classifier"],
        "findings": findings,
        "posteriors": dict(zip(findings, run["posteriors"])),
        "figures": {"limits": OPEN},
    }


def autoencoder_card_of(step: int) -> dict[str, Any]:
    """The card of an autoencoder."""
    return {
        "name": "latent-shift",
        "kind": "autoencoder",
        "title": "Latent shift",
        "summary": "A small autoencoder of frontal chest films at 128 pixels, for shifting a film's code along a "
        "classifier's gradient.",
        "trained_on": f"{_NIH}; {step} steps of 16 films.",
        "licence": _LICENCE,
        "citation": "Cohen et al. 2021, arXiv 2102.09475",
        "limits": _COMMON
        + "It draws coarse shapes only. What it cannot draw is kept from the film and does not change "
        "along the series, so a finding of fine detail cannot vanish.",
        "shape": AutoencoderShape().as_dict(),
        "model": "",
        "classifier": "",
        "findings": [],
        "posteriors": {},
        "figures": {"limits": OPEN},
    }


def measured_limits(series: list[Series]) -> dict[str, float]:
    """Limits that each refuse the worst tenth of ``series``, to two places."""
    answers, likenesses = [s.cost.answer for s in series], [s.cost.likeness for s in series]
    return {
        "answer": round(float(np.quantile(answers, 1 - REFUSED)), 2),
        "likeness": round(float(np.quantile(likenesses, REFUSED)), 2),
    }


def validation_films(data: Path, number: int) -> list[Radiograph]:
    """The first ``number`` larger films of patients on the validation side."""
    split = nih_data.make_split(data)
    held = set(split[split.split == "val"].patient_id)
    table = pd.read_csv(data / "nih_train" / "films.csv")
    names = table[(table.archive == "films_384.zip") & table.patient_id.isin(held)].image[:number]
    with zipfile.ZipFile(data / "nih_train" / "films_384.zip") as opened:
        return [_film(opened.read(name)) for name in names]


def _film(raw: bytes) -> Radiograph:
    with Image.open(io.BytesIO(raw)) as image:
        return Radiograph(np.asarray(image.convert("L"), dtype=np.float32) / 255)


def validation_series(
    explain: Callable[..., Series],
    classifier: ChestClassifier,
    findings: list[str],
    films: list[Radiograph],
    folder: Path | None,
) -> list[Series]:
    """Series of the two ends of ``films`` for each finding, refusing none."""
    shown = [unit_film(classifier, classifier.prepare(film)) for film in films]
    ends = (0.05, 0.95)
    return [explain(classifier, film, f, ends, Limits(**OPEN), folder=folder) for f in findings for film in shown]


def main() -> None:
    """Ship from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("generator", "autoencoder"))
    parser.add_argument("--run", type=Path, required=True, help="folder that training wrote to")
    parser.add_argument("--data", type=Path, required=True, help="folder laid out as docs/training.md says")
    parser.add_argument("--model", default="nih14-localised", help="autoencoder: classifier to measure its limits with")
    parser.add_argument("--films", type=int, default=40, help="validation films to measure the limits on")
    parser.add_argument("--out", type=Path, help="folder of weights and cards; the project's own by default")
    arguments = parser.parse_args()
    checkpoint = arguments.run / "checkpoint.safetensors"
    with safe_open(checkpoint, "pt") as opened:
        step = int(opened.metadata()["step"])
    state, findings, model = load_file(checkpoint), ["Cardiomegaly", "Effusion", "Atelectasis"], arguments.model
    if arguments.kind == "generator":
        run = json.loads((arguments.run / "run.json").read_text(encoding="utf-8"))
        card, explain = generator_card_of(run, step), exaggerated
        findings, model = run["findings"], run["model"]
        state = {k.removeprefix("average."): v for k, v in state.items() if k.startswith("average.")}
    else:
        card, explain = autoencoder_card_of(step), shifted
    network = build(card["kind"], card["shape"])
    network.load_state_dict(state)
    save_counterfactual(network, card, arguments.out)
    classifier = load_classifier(model, "cpu")
    made = validation_series(
        explain, classifier, findings, validation_films(arguments.data, arguments.films), arguments.out
    )
    card["figures"] = {"limits": measured_limits(made), "limits_measured_on": len(made)}
    save_counterfactual(network, card, arguments.out)


if __name__ == "__main__":
    main()
