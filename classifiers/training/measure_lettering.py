"""Measure the finding of lettering on words planted into test films: see ``--help``."""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from radiographs import Radiograph
from radiographs.collections.nih_boxes import NihBoxes
from radiographs.lettering import find_lettering

WORDS = ("L", "R", "AP", "PA", "PORTABLE", "SUPINE", "ERECT", "12:40", "RG 7", "SITTING")
SEED = 7
COVERED = 0.5
"""Share of a word's strokes that lies in what was found, from which the word counts as found."""


def planted(film: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A film (H, W) with a bright word in its outer third, and the word's strokes (H, W) bool."""
    height, width = film.shape
    font = ImageFont.load_default(round(rng.uniform(0.022, 0.06) * height))
    text = str(rng.choice(WORDS))
    left, top, right, bottom = font.getbbox(text)
    box = (int(right - left), int(bottom - top))
    margin = max(4, height // 50)
    x = int(rng.choice([margin, max(margin, width - box[0] - margin)]))
    y = int(rng.integers(margin, max(margin + 1, height - 2 * box[1] - margin)))
    image = Image.new("L", (width, height), 0)
    ImageDraw.Draw(image).text((x - left, y - top), text, 255, font=font)
    strokes = np.asarray(image, dtype=np.float32) / 255
    grey = rng.uniform(0.9, 1.0) * film.max()
    return np.maximum(film, film + strokes * (grey - film)), strokes > 0.5


def measure(films: list[np.ndarray]) -> dict[str, float | int]:
    """Share of planted words found, where they stand out from the film by a tenth, and the area found besides."""
    rng = np.random.default_rng(SEED)
    found, besides = list[bool](), list[float]()
    for film in films:
        besides.append(float(find_lettering(Radiograph(film)).mean()))
        changed, strokes = planted(film, rng)
        if strokes.any() and (changed - film)[strokes].mean() > 0.1:
            found.append(bool(find_lettering(Radiograph(changed))[strokes].mean() >= COVERED))
    return {
        "words": len(found),
        "found": round(float(np.mean(found)), 3),
        "films": len(films),
        "median share of a film without a planted word": round(float(np.median(besides)), 5),
        "95th percentile": round(float(np.quantile(besides, 0.95)), 5),
    }


def main() -> None:
    """Print the figures on the test films of NIH's list of boxes."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    collection = NihBoxes()
    films = [collection.read(entry.film_id).pixels for entry in collection.entries() if entry.part == "test"]
    sys.stdout.write(json.dumps(measure(films), indent=1) + "\n")


if __name__ == "__main__":
    main()
