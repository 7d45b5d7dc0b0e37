"""What stands in a notebook or a debugger for each noun: one line that says what it is."""

import numpy as np

from evaluation.scores import Score, get_metric
from radiographs import Annotation, Radiograph
from radiographs.radiograph import Note
from tests.families import random_classifier
from xai_methods import get_method


def test_each_noun_says_in_one_line_what_it_is():
    film = Radiograph(np.zeros((20, 10)), view="PA", notes=(Note("lateral", "It may be lateral.", doubt=True),))
    assert repr(film) == f"Radiograph(20 x 10, PA, digest {film.digest[:8]}, doubt: lateral)"
    mask = np.arange(200).reshape(20, 10) < 50
    assert repr(Annotation("Mass", mask, "box", "expert")) == "Annotation(Mass, box by expert, 25.0% of the film)"
    assert repr(random_classifier("resnet", 3, 32)).endswith(", 3 findings, 32 x 32, cpu)")
    assert repr(Score("pixel_auprc", 0.25, 0.1)) == "Score(pixel_auprc 0.25, chance 0.1, higher)"
    assert repr(Score("pixel_auprc", float("nan"))) == "Score(pixel_auprc undefined, higher)"
    assert repr(get_metric("entropy")) == "Metric(entropy, visual recognizability, lower)"
    assert repr(get_method("occlusion")).startswith("Method(occlusion, perturbation, further; patch, stride, ")
