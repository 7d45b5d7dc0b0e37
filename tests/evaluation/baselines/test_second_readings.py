from __future__ import annotations

import numpy as np
import pytest

from evaluation.baselines.second_readings import SIDE, Agreement, agreements, masks_of, overlap
from radiographs.annotation_readers import AnnotationTable
from radiographs.annotation_readers.geometry import Box
from radiographs.annotation_readers.table import Outline


def mask(columns: slice) -> np.ndarray:
    found = np.zeros((10, 10), dtype=bool)
    found[:, columns] = True
    return found


def test_overlap_by_hand():
    found = overlap(mask(slice(0, 4)), mask(slice(2, 10)))
    assert found == pytest.approx({"iou": 0.2, "dice": 2 * 20 / 120, "first_in_second": 0.5, "second_in_first": 0.25})
    assert set(overlap(mask(slice(0, 4)), mask(slice(0, 4))).values()) == {1.0}


def table(**films: list[tuple[str, Box]]) -> AnnotationTable:
    frame = (1024, 1024)
    outlines = {
        name.removeprefix("n"): tuple(Outline(finding, "A", box, frame, "line 1") for finding, box in drawn)
        for name, drawn in films.items()
    }
    return AnnotationTable("made", outlines)


def test_readings_meet_on_the_films_and_findings_that_both_outlined():
    left, right, wide = Box(0, 0, 256, 256), Box(256, 0, 256, 256), Box(0, 0, 512, 256)
    first = table(n00000012_000=[("Mass", left), ("Mass", right), ("Nodule", left)], n00000013_000=[("Mass", left)])
    second = table(n00000012_000=[("Mass", left), ("Effusion", left)], other=[("Mass", left)])
    third = table(other_name=[("Diffuse Nodule", wide)])
    found = list(
        agreements(
            {
                "one": masks_of(first),
                "two": masks_of(second),
                "three": masks_of(third, {"00000012_000": "other_name"}),
            }
        )
    )
    assert found == [
        Agreement("one+two", "Mass", "nih-12", 0.5, pytest.approx(2 / 3), 0.5, 1.0),
        Agreement("one+three", "Nodule", "nih-12", 0.5, pytest.approx(2 / 3), 1.0, 0.5),
    ]
    assert masks_of(first)[1]("00000012_000")["Nodule"].sum() == (SIDE // 4) ** 2
