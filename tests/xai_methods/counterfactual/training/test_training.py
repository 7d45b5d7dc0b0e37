"""Training in a world where the right counterfactual is known: the disc must grow or shrink, and all else stay."""

import json

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation
from scipy.stats import spearmanr

from classifiers.anatomy import segment
from radiographs import Radiograph
from radiographs.registry import get_collection
from tests.xai_methods.counterfactual.discs import SIDE, AreaClassifier, films, trainer
from xai_methods.counterfactual.networks import Generator
from xai_methods.counterfactual.training.exaggeration import Draw, TrainerSettings, run
from xai_methods.counterfactual.training.films import lungs_and_heart, resized

STEPS = 250
WIRE_CONTRAST = 60 / 255
LEVELS = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trainer after ``STEPS`` steps and the folder it wrote to."""
    folder = tmp_path_factory.mktemp("run")
    made = trainer(STEPS)
    run(made, folder)
    return made, folder


def series_of(generator: Generator, pixels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The film (1, 1, S, S), its series (5, 1, S, S) and the posteriors reached."""
    film = torch.from_numpy(pixels).float().div(255)[None, None]
    classifier = AreaClassifier()
    with torch.no_grad():
        own = torch.sigmoid(classifier(film)[:, 0]).expand(len(LEVELS))
        made = generator(film, torch.zeros(len(LEVELS), dtype=torch.int64), own, LEVELS).apply(film)
        return film, made, torch.sigmoid(classifier(made)[:, 0])


@pytest.mark.slow
def test_the_disc_changes_its_size_as_asked_and_little_else_changes(trained):
    generator = trained[0].average
    pixels, radii = films(12, seed=99)
    for one in pixels[radii > 3.5]:
        film, made, reached = series_of(generator, one)
        bright = (made > 0.5).sum(dim=(1, 2, 3))
        assert spearmanr(LEVELS, bright)[0] > 0.95
        assert spearmanr(LEVELS, reached)[0] > 0.95
        assert bright[-1] > 1.3 * bright[0]
        change = (made[-1] - made[0])[0].abs().numpy()
        far = ~binary_dilation((film[0, 0] > 0.5).numpy(), iterations=5)
        assert change[~far].mean() > 2.5 * change[far].mean()
        wire = (made[:, 0, :, 3] - film[0, 0, :, 3]).abs()
        assert wire.mean() < WIRE_CONTRAST / 2, "the wire is no longer to be seen"


@pytest.mark.slow
def test_training_lowers_every_loss_that_starts_above_zero(trained):
    log = trained[0].log
    assert [row["step"] for row in log] == list(range(50, STEPS + 1, 50))
    assert log[-1]["consistency"] < 0.7 * log[0]["consistency"]
    assert log[-1]["discriminator"] < log[0]["discriminator"]
    # Cycle, roughness and size are 0 for a generator that does nothing; they must stay small.
    assert log[-1]["cycle"] < 0.02
    assert log[-1]["small"] < 0.1


@pytest.mark.slow
def test_training_goes_on_from_its_checkpoint(trained):
    made, folder = trained
    again = trainer(STEPS)
    run(again, folder)
    assert again.step == STEPS
    for key, value in made.generator.state_dict().items():
        torch.testing.assert_close(again.generator.state_dict()[key], value)
    states = [t.optimisers["generator"].state_dict()["state"] for t in (made, again)]
    assert states[0].keys() == states[1].keys()
    torch.testing.assert_close(states[0][0]["exp_avg"], states[1][0]["exp_avg"])
    assert len([json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]) == len(made.log)


def test_films_are_drawn_evenly_over_the_bins_however_rare():
    posteriors = np.full((1000, 1), 0.05)
    posteriors[:10] = 0.95
    draw = Draw(np.zeros((1000, 8, 8), dtype=np.uint8), posteriors, seed=0)
    own = torch.cat([draw.batch(50)[2] for _ in range(20)])
    assert 0.4 < float((own > 0.5).float().mean()) < 0.6


def test_a_stage_follows_the_other():
    settings = TrainerSettings(stages=((160, 3), (224, 2)))
    assert settings.steps == 5
    assert [settings.side_at(step) for step in range(6)] == [160, 160, 160, 224, 224, 224]


def test_what_the_classifier_sees_is_moved_a_little_and_has_the_size_asked_for():
    pixels, _ = films(4, seed=1)
    draw = Draw(pixels, np.full((4, 1), 0.5), seed=0)
    shown = draw.batch(4)[0]
    seen = draw.jittered(shown, 48, 0.4)
    assert seen.shape == (4, 1, 48, 48)
    assert 0.001 < float((torch.nn.functional.interpolate(seen, (SIDE, SIDE)) - shown).abs().mean()) < 0.2
    still = draw.jittered(shown, SIDE, 0.0)
    torch.testing.assert_close(still, shown, atol=2e-3, rtol=0)


def test_what_cycles_must_keep_is_where_the_segmentation_sees_lungs():
    pixels = np.round(255 * get_collection("known-truth").read("normal-01").pixels).astype(np.uint8)
    film = Radiograph(resized(pixels[None], 128)[0] / np.float32(255))
    shares = lungs_and_heart(torch.from_numpy(film.pixels.copy())[None, None])
    assert shares.shape == (1, 3, 128, 128)
    found, outlined = shares[0, :2].amax(dim=0).numpy() > 0.5, segment(film).lungs
    assert 2 * (found & outlined).sum() / (found.sum() + outlined.sum()) > 0.9
