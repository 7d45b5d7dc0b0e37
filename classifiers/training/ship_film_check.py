"""Set the film check's thresholds on validation films, measure it, and ship it: see ``--help``."""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from classifiers.film_check import FilmCheck, Look, load_check, look_at
from classifiers.film_check_network import FilmCheckNetwork
from classifiers.training.film_check_data import ADULT, HungFilms, read
from classifiers.training.loop import load_weights
from classifiers.training.measure_film_check import measure
from classifiers.weights import sha256_of
from radiographs import Radiograph
from radiographs.places import asset

_log = logging.getLogger("ship_film_check")
ALLOWED = {
    "not-a-chest-film": 0.002, "no-film": 0.002, "rotated": 0.002, "mirrored": 0.002, "inverted": 0.002,
    "lateral": 0.002, "cropped": 0.002, "child": 0.003, "adult": 0.01, "projection": 0.01, "unlike-training": 0.003,
}  # fmt: skip
"""By code, the share of validation films that may be flagged although nothing is odd about them."""
YOUNG = 5
"""Oldest children, in years, by whom the threshold of a model for children is set."""
LEAST = 0.2
"""No threshold lies below this probability."""
ON_THEIR_SIDE = (
    "00019470_001", "00010994_010", "00004573_000", "00008980_003", "00002599_004", "00016831_003",
)  # fmt: skip
"""Validation films of NIH's that lie on their side as published, seen by eye: no threshold is set on them."""
MARGIN = 1.4
"""How many times the distance of the farthest validation films a film of another hospital may lie away."""
SHRINKAGE = 0.05
"""Share of the mean variance that is added to each feature's, so that the precision is stable."""
POPULATIONS = {
    "adults": {"sources": ("nih", "nih-boxes"), "collections": ("nih-boxes",)},
    "children": {"sources": ("paediatric",), "collections": ("known-truth", "paediatric-pneumonia")},
}
CARD = {
    "name": "film-check",
    "title": "Film check",
    "summary": "A small network that says whether a picture is a frontal chest film, how it hangs, whether it is "
    "inverted or cropped, and whether it shows a child or an adult, AP or PA.",
    "licence": "weights: CC BY-NC-SA 4.0, for some of the adult films that it learned from are",
    "citation": "films: Wang et al. 2017, arXiv 1705.02315; Kermany et al. 2018, doi 10.17632/rscbjbr9sj; Dong et al. "
    "2018, arXiv 1807.03434; Cohen et al. 2020, arXiv 2006.11988. Distance: Lee et al. 2018, arXiv 1807.03888",
    "limits": "It never saw a true lateral film: frontal films folded at the midline stand in for them. Children are "
    "those of one hospital, aged 1 to 5, and 147 films of NIH's to 10 years; between 10 and 18 years it was taught "
    "nothing. A heart that really lies on the right is flagged as mirrored. Not for diagnosis.",
}


@dataclass(frozen=True, eq=False)
class CheckedFilms:
    """Films with what the network makes of them."""

    films: HungFilms
    looks: list[Look]

    def of(self, chosen: np.ndarray) -> list[Look]:
        """The looks where ``chosen`` (N,) bool holds."""
        return [look for look, taken in zip(self.looks, chosen) if taken]


def thresholds(seen: CheckedFilms) -> dict[str, float]:
    """By code, the score that no more than ``ALLOWED`` of the validation films exceed; at least ``LEAST``."""
    table = seen.films.table
    adult, child = (table.age >= ADULT).to_numpy(), (table.age <= YOUNG).to_numpy()
    view = table.view.to_numpy()
    scores = {
        "not-a-chest-film": [1 - look.answers["chest"] for look in seen.looks],
        "no-film": [look.no_film for look in seen.looks],
        "rotated": [1 - look.hangs[:2].sum() for look in seen.looks],
        "mirrored": [look.hangs[1] / look.hangs[:2].sum() for look in seen.looks],
        "inverted": [look.answers["inverted"] for look in seen.looks],
        "lateral": [look.answers["lateral"] for look in seen.looks],
        "cropped": [look.answers["cropped"] for look in seen.looks],
        "child": [look.answers["child"] for look in seen.of(adult)],
        "adult": [1 - look.answers["child"] for look in seen.of(child)],
        "projection": [
            *(look.answers["ap"] for look in seen.of(view == "PA")),
            *(1 - look.answers["ap"] for look in seen.of(view == "AP")),
        ],
    }
    return {code: _limit(values, code, LEAST) for code, values in scores.items()}


def _limit(values: list[float], code: str, least: float) -> float:
    return round(max(least, float(np.quantile(values, 1 - ALLOWED[code], method="higher"))), 4)


def features_of(films: np.ndarray, network: FilmCheckNetwork) -> np.ndarray:
    """Features (N, 64) of films (N, 128, 128) uint8, as :func:`look_from_all_sides` gives them."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(films), 64):
            batch = torch.from_numpy(films[start : start + 64]).float()[:, None] / 255
            found.append((network.features(batch) + network.features(batch.flip(-1))) / 2)
    return torch.cat(found).numpy()


def population(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (64,) and precision (64, 64) of features (N, 64), float32."""
    features = features.astype(np.float64)
    covariance = np.cov(features.T)
    covariance += SHRINKAGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return features.mean(0).astype(np.float32), np.linalg.inv(covariance).astype(np.float32)


def look_at_all(films: HungFilms, network: FilmCheckNetwork) -> CheckedFilms:
    """What a network makes of films."""
    check = FilmCheck(network, {}, {})
    return CheckedFilms(films, [look_at(Radiograph(film / np.float32(255)), check) for film in films.small])


def ship(weights: Path, films: HungFilms, folder: Path) -> FilmCheck:
    """Write ``film_check.safetensors`` (weights in float16) and its card, without figures; returns what they hold."""
    with torch.random.fork_rng(devices=[]):
        network = FilmCheckNetwork()
    load_weights(network, weights)
    state = {k: v.half() if v.is_floating_point() else v for k, v in load_file(weights).items()}
    network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    network.eval().requires_grad_(False)
    part, source = films.table.part.to_numpy(), films.table.source
    trained = films.take(part == "train")
    usable = (part == "val") & ~films.table.film.isin(ON_THEIR_SIDE).to_numpy()
    validated = look_at_all(films.take(usable), network)
    limits = thresholds(validated)
    said: dict[str, Any] = {}
    for kind, about in POPULATIONS.items():
        chosen = _thinned(trained.table.source.isin(about["sources"]).to_numpy())
        mean, precision = population(features_of(trained.small[chosen], network))
        looks = validated.of(validated.films.table.source.isin(about["sources"]).to_numpy())
        apart = [float(np.sqrt((look.features - mean) @ precision @ (look.features - mean))) for look in looks]
        said[kind] = {
            "collections": about["collections"],
            "limit": round(MARGIN * _limit(apart, "unlike-training", 0.0), 4),
        }
        state |= {f"mean.{kind}": torch.from_numpy(mean), f"precision.{kind}": torch.from_numpy(precision)}
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "film_check.safetensors"
    save_file({k: v.contiguous() for k, v in state.items()}, target)
    counts = source[part == "train"].value_counts().to_dict()
    about_films = ", ".join(f"{count} of {name}" for name, count in counts.items())
    card = CARD | {
        "trained_on": f"Films of patients on no test list: {about_films}; pictures of installed packages.",
        "thresholds": limits,
        "populations": said,
        "network": {"weights": target.name, "sha256": sha256_of(target)},
    }
    _write(card, folder)
    return load_check(folder)


def _thinned(chosen: np.ndarray, most: int = 2000) -> np.ndarray:
    """Every nth of the chosen films, for a mean and a covariance need no more."""
    places = np.flatnonzero(chosen)
    thinned = np.zeros_like(chosen)
    thinned[places[:: max(1, len(places) // most)]] = True
    return thinned


def _write(card: dict[str, Any], folder: Path) -> None:
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    (folder / "film_check.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Write weights and card with thresholds and figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the folder that XAI_LIGHTBOX_DATA points at, too")
    parser.add_argument("--cache", type=Path, required=True, help="a folder for decoded films")
    parser.add_argument("--folder", type=Path, help="where to write, where it should not be assets/film_check")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder = arguments.folder or asset("film_check")
    films = read(arguments.data, arguments.cache)
    check = ship(arguments.weights, films, folder)
    _log.info("thresholds %s", check.limits)
    card = json.loads((folder / "film_check.json").read_text(encoding="utf-8"))
    _write(card | {"figures": measure(check, arguments.data, films)}, folder)


if __name__ == "__main__":
    main()
