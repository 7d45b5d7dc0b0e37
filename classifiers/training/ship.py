"""Put trained weights in the registry with their card: ``python -m classifiers.training.ship --help``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import nn

from classifiers import ModelCard, Preprocessing, Scope
from classifiers.networks import chest_resnet18
from classifiers.shipped import save_shipped
from classifiers.training import augment, nih_data
from classifiers.training.calibration import Calibration
from classifiers.training.loop import load_weights
from classifiers.vision_transformer import ChestVit
from radiographs.planting import FINDINGS as PLANTED

SIDE = 224
LICENCE = "weights: Apache-2.0; started from torchvision's ResNet-18 (BSD-3-Clause)"
CITATION = "He et al. 2016, arXiv 1512.03385; Wang et al. 2017, arXiv 1705.02315"
OUTLINED_CITATION = (
    CITATION + "; limited box supervision after Li et al. 2018, arXiv 1711.06373; ChestX-Det: Lian et al. 2021, arXiv "
    "2104.10326; averaged weights: Wortsman et al. 2022, arXiv 2203.05482"
)
NIH_FILMS = (
    "About 8,700 frontal films of NIH ChestX-ray14 at 128 or 384 pixels, labels mined from reports, and 289 films of "
    "the published box list; 2,880 and 238 patients (assets/splits/nih.csv)."
)
OUTLINED_FILMS = (
    "9,305 frontal films of NIH ChestX-ray14 at 128 to 512 pixels with labels mined from reports, of the patients on "
    "the training side of assets/splits/nih.csv. Where to look was taught by 322 of NIH's boxes, 1,738 polygons of "
    "ChestX-Det, 397 boxes of the RSNA challenge (as Pneumonia), and findings planted into 1,600 normal films."
)
SOFT = "Small nodules are below its resolution"
NIH_LIMITS = (
    "A small network trained on few films at low resolution; labels mined from text are wrong for about one in ten. "
    "{}. Not for diagnosis, not for children, not for lateral films."
)
NIH_SCOPE = Scope(ages=(18, 94), projections=("PA", "AP"), collections=("nih-boxes",))
CHILDREN_SCOPE = Scope(ages=(1, 5), projections=("AP",), collections=("known-truth", "paediatric-pneumonia"))
CARDS: dict[str, dict[str, Any]] = {
    "nih14-localised": {
        "title": "NIH 14, localised",
        "summary": "ResNet-18 for NIH's 14 findings; in training its class maps were pulled into outlines.",
        "trained_on": OUTLINED_FILMS,
        "limits": NIH_LIMITS.format(SOFT) + " It learned no outline of an Edema or a Hernia.",
        "citation": OUTLINED_CITATION,
        "split": "nih",
        "scope": NIH_SCOPE,
    },
    "nih14-localised-320": {
        "title": "NIH 14, localised, 320 pixels",
        "summary": "nih14-localised, trained further at 320 pixels: it finds smaller things; maps take 1.6 to 2.1 "
        "times as long.",
        "trained_on": OUTLINED_FILMS,
        "limits": NIH_LIMITS.format("It misses half of the nodules")
        + " It learned no outline of an Edema or a Hernia.",
        "citation": OUTLINED_CITATION + "; blended films: Zhang et al. 2018, arXiv 1710.09412; consistent teachers: "
        "Beyer et al. 2022, arXiv 2106.05237",
        "split": "nih",
        "scope": NIH_SCOPE,
    },
    "nih14": {
        "title": "NIH 14, labels only",
        "summary": "The twin of nih14-localised: same network, films and schedule, but it never saw a box.",
        "trained_on": NIH_FILMS + " No boxes.",
        "limits": NIH_LIMITS.format(SOFT) + " Nobody taught it where to look: it may be right for the wrong reason.",
        "citation": CITATION,
        "split": "nih",
        "scope": NIH_SCOPE,
    },
    "known-truth": {
        "title": "Synthetic findings, ResNet-18",
        "summary": "ResNet-18 that detects findings planted into normal films, so that the truth is exact.",
        "trained_on": "1,175 normal films of children (Kermany et al., CC BY 4.0) with findings planted anew in every "
        "batch, starting from the first cycle of nih14-localised; the masks teach it where to look "
        "(assets/splits/known_truth.csv).",
        "limits": "It knows planted findings only. A map that misses the region is the method's failure more often "
        "than the model's. It says nothing of real disease.",
        "citation": "He et al. 2016, arXiv 1512.03385; films: Kermany et al. 2018, doi 10.17632/rscbjbr9sj",
        "split": "known_truth",
        "scope": CHILDREN_SCOPE,
    },
    "known-truth-vit": {
        "title": "Synthetic findings, transformer",
        "summary": "Vision transformer that detects findings planted into normal films, so that the truth is exact.",
        "trained_on": "1,175 normal films of children (Kermany et al., CC BY 4.0) with findings planted anew in every "
        "batch; its convolutional stem is the ResNet known-truth up to its third stage, and each token learned which "
        "share of its cell is planted (assets/splits/known_truth.csv).",
        "limits": "It knows planted findings only, and a stem of convolutions lets each token see more than its cell. "
        "A map that misses the region is the method's failure more often than the model's. It says nothing of real "
        "disease.",
        "citation": "Dosovitskiy et al. 2021, arXiv 2010.11929; convolutional stem after Xiao et al. 2021, arXiv "
        "2106.14881; token labels after Jiang et al. 2021, arXiv 2104.10858; films: Kermany et al. 2018, doi "
        "10.17632/rscbjbr9sj",
        "split": "known_truth",
        "scope": CHILDREN_SCOPE,
    },
}


def merged(evaluated: dict[str, Any]) -> dict[str, Any]:
    """Join what ``evaluate_nih`` measured of classification and localisation, finding by finding."""
    classification, boxes = evaluated["classification"], evaluated["boxes"]
    findings = {name: dict(figures) for name, figures in classification["findings"].items()}
    for name, figures in boxes["findings"].items():
        findings[name] |= {k: v for k, v in figures.items() if k != "films"} | {"boxed_films": figures["films"]}
    further = {name: evaluated[name] for name in ("polygons", "polygons-soft", "rsna", "groups") if name in evaluated}
    return further | {
        "findings": findings,
        "mean": classification["mean"] | boxes["mean"],
        "films": classification["films"],
        "patients": classification["patients"],
        "boxed_films": boxes["films"],
        "calibration": evaluated["calibration"],
    }


def main() -> None:
    """Write ``assets/models/<name>.safetensors``, calibrated, and its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(CARDS))
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--figures", type=Path, help="what evaluate_nih wrote of these weights")
    parser.add_argument("--folder", type=Path, help="where to write, where it should not be assets/models")
    arguments = parser.parse_args()
    findings = PLANTED if arguments.name.startswith("known-truth") else nih_data.FINDINGS
    vit = arguments.name == "known-truth-vit"
    network = ChestVit(len(findings)) if vit else chest_resnet18(len(findings))
    load_weights(network, arguments.weights)
    evaluated = json.loads(arguments.figures.read_text()) if arguments.figures else {}
    figures = merged(evaluated) if evaluated else {}
    if figures:
        calibration = figures["calibration"]
        head = cast(nn.Linear, network.get_submodule("fc"))
        Calibration(calibration["temperature"], np.array(calibration["offsets"])).into(head)
    card = ModelCard(name=arguments.name, licence=LICENCE, figures=figures, **CARDS[arguments.name])
    low, high = ((grey - augment.MEAN) / augment.STD for grey in (0, 1))
    side = evaluated.get("side", SIDE)
    kind = {"architecture": "chest_vit", "cam_layer": "cells"} if vit else {}
    save_shipped(network, tuple(findings), card, Preprocessing(side, "pad", low, high), folder=arguments.folder, **kind)


if __name__ == "__main__":
    main()
